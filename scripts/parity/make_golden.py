"""Make the golden numbers of test/parity/golden with the Python package causal-tracer 1.1.0 itself.

    python scripts/parity/make_golden.py [--out FOLDER] [MODEL ...]

MODEL names tiny models and demo models (default: all). Exits with 1 if a model folder is missing, after all others
are done.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from versions import require_pinned_versions

ROOT = Path(__file__).resolve().parents[2]
TINY_MODELS = ("tiny-gpt2", "tiny-llama", "tiny-neox")
DEMO_MODELS = ("demo-gpt2", "demo-llama")
FOLDERS = {
    **{name: ROOT / "test" / "fixtures" / "models" / name for name in TINY_MODELS},
    **{name: ROOT / "models" / name for name in DEMO_MODELS},
}
DEFAULT_OUT = ROOT / "test" / "parity" / "golden"


def main() -> int:
    """Write the golden files of the chosen models; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(FOLDERS)}")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.models) - set(FOLDERS))
    if unknown:
        parser.error(f"there is no model {', '.join(unknown)}; the models are {', '.join(FOLDERS)}")
    versions = require_pinned_versions()

    import torch  # after the check of the versions, which says better what is missing

    torch.set_num_threads(1)  # the models are small, and threads would only wait for each other
    from flow_cases import flow_cases
    from golden_flows import make_flows
    from golden_hooks import make_hooks
    from golden_random_state import make_random_state
    from golden_tokens import make_guesses, make_tokens

    out: Path = arguments.out
    print("random-state:", make_random_state(out / "random-state.json", versions))
    print("guesses:", make_guesses(out / "guesses.json", versions))
    cases = flow_cases(TINY_MODELS, DEMO_MODELS)
    missing = []
    for name in arguments.models or FOLDERS:
        folder = FOLDERS[name]
        if not (folder / "model.pt").is_file():
            missing.append(folder)
            continue
        print(f"{name}: tokens:", make_tokens(folder, out / f"tokens-{name}.json", versions))
        if name in TINY_MODELS:
            print(f"{name}: hooks:", make_hooks(folder, out / f"hooks-{name}.json", versions))
        own = [case for case in cases if case.model == name]
        print(f"{name}: flows:", make_flows(folder, own, out / f"flows-{name}.json", versions), flush=True)
    for folder in missing:
        print(f"There is no model in {folder}: its golden numbers were not made.", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
