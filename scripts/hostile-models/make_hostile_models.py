"""Make TorchScript files that do harm, or could, for the tests of the check of model files.

    python scripts/hostile-models/make_hostile_models.py OUT

Besides them OUT gets `index.json`, which says of each file how it is refused, and two files that are harmless. Nothing
is run here. What the files would write, if they were loaded, lies in OUT, too.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

from hostile_code import hostile_code
from hostile_pickles import hostile_pickles
from hostile_scripts import harmless_trace, hostile_scripts
from hostile_zips import hostile_zips
from minimal_model import archive


def main() -> None:
    """Write all files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore", FutureWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    index = []
    for case in (*hostile_scripts(out), *hostile_code(), *hostile_pickles(), *hostile_zips()):
        file = f"{case.name}.pt"
        if (out / file).exists():
            raise ValueError(f"two cases are called {case.name}")
        (out / file).write_bytes(case.content)
        writes = None if case.writes is None else str(case.writes)
        index.append({"file": file, "code": case.code, "finding": case.finding, "writes": writes})
    (out / "harmless-minimal.pt").write_bytes(archive())
    (out / "harmless-trace.pt").write_bytes(harmless_trace())
    (out / "index.json").write_text(json.dumps(index, indent=1), "utf-8")


if __name__ == "__main__":
    main()
