"""Opens libtorch_cpu, to see that nothing that it links to is missing."""

import ctypes
import os
import sys
from pathlib import Path

NAMES = {"win32": "torch_cpu.dll", "darwin": "libtorch_cpu.dylib"}

if __name__ == "__main__":
    folder = Path(sys.argv[1]).resolve()
    if sys.platform == "win32":
        os.add_dll_directory(str(folder))
    ctypes.CDLL(str(folder / NAMES.get(sys.platform, "libtorch_cpu.so")))
