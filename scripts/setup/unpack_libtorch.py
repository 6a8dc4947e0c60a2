"""Unpacks what the addon needs of PyTorch's wheels: libraries, headers, version and licences."""

import re
import shutil
import sys
import zipfile
from pathlib import Path

WANTED = re.compile(
    r"torch/lib/[^/]+\.(so|dylib|dll|lib)(\.[\d.]+)?$|torch/include/|torch/version\.py$"
    r"|torch-[^/]+\.dist-info/(licenses/|LICENSE|NOTICE)"
)
# Python's part, PyTorch's own tests, and CUDA.
UNWANTED = re.compile(
    r"torch/lib/(lib)?(torch_python|shm|torchbind_test|jitbackend_test|backend_with_compiler|aoti_custom_ops"
    r"|torch_cuda\w*|c10_cuda|caffe2_nvrtc|torch_nvshmem)\b"
)
CUDA_RUNTIME = re.compile(r"nvidia/[^/]+/lib/lib(cudart|cupti)\.so[\d.]*$")


def place_of(member: str) -> Path | None:
    """Where a member of a wheel belongs in the libtorch folder; None if it is not needed."""
    if member.endswith("/"):
        return None
    if CUDA_RUNTIME.match(member):
        return Path("lib", Path(member).name)
    if not WANTED.match(member) or UNWANTED.match(member):
        return None
    return Path(*Path(member).parts[1:])


def unpack(wheel: Path, target: Path) -> None:
    """Unpacks the needed members of `wheel` into `target`."""
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            place = place_of(member.filename)
            if place is None:
                continue
            path = target / place
            if not path.resolve().is_relative_to(target.resolve()):
                sys.exit(f"{wheel.name} has a member outside its folder: {member.filename}")
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)


if __name__ == "__main__":
    for wheel_argument in sys.argv[2:]:
        unpack(Path(wheel_argument), Path(sys.argv[1]))
