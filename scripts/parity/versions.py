"""The pinned versions of everything that the golden numbers depend on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PINNED = {
    "causal-tracer": "1.1.0",
    "torch": "2.13.0",
    "transformers": "5.18.0",
    "numpy": "2.4.6",
    "tokenizers": "0.23.3",
}


def require_pinned_versions(*packages: str) -> dict[str, str]:
    """Return the installed versions of `packages` (all pinned ones by default), Python's included.

    Exits with a message that lists every package that is missing or of another version.
    A local build tag such as `+cpu` is allowed.
    """
    found = {"python": platform.python_version()}
    problems = []
    for package in packages or tuple(PINNED):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            problems.append(f"{package}=={PINNED[package]} is not installed")
            continue
        if found[package].split("+")[0] != PINNED[package]:
            problems.append(f"{package}=={PINNED[package]} is needed, {found[package]} is installed")
    if problems:
        raise SystemExit(
            "The golden numbers need the versions in scripts/parity/requirements.txt:\n  "
            + "\n  ".join(problems)
        )
    return found
