"""Whether the compiled loop is at hand, and making it: `python -m engine.training.fast.ready`.

Compiling takes some ten seconds, once; numba keeps the result beside the source or in its own
folder. A run must never wait for that, so a training takes the compiled route only where a stamp
says that it was made by this source, this numba and this processor.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import platform
import subprocess
import sys
from pathlib import Path

KERNEL = Path(__file__).with_name("kernel.py")


def stamp() -> Path:
    """The file that says so; its name changes with all that the result depends on."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        numba = version("numba")
    except PackageNotFoundError:
        numba = "none"
    told = [numba, platform.machine(), platform.processor(), sys.version, str(KERNEL)]
    digest = hashlib.sha256("\n".join(told).encode() + KERNEL.read_bytes()).hexdigest()[:16]
    return KERNEL.parent / "__pycache__" / f"{digest}.ready"


@functools.cache
def _installed() -> bool:
    return importlib.util.find_spec("numba") is not None


def ready() -> bool:
    """Whether a training may take the compiled route now."""
    return _installed() and stamp().exists()


def prepare() -> None:
    """Compile it here and now, unless it is at hand."""
    if not _installed() or ready():
        return
    from engine.training.fast.route import rehearse

    rehearse()
    with contextlib.suppress(OSError):  # a folder of somebody else's: PyTorch's route serves there
        stamp().touch()


def prepare_beside() -> subprocess.Popen[bytes] | None:
    """Compile it in a process of its own with low priority; None where there is no need."""
    if not _installed() or ready():
        return None
    nothing = subprocess.DEVNULL
    command = [sys.executable, "-m", __spec__.name]
    return subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing)


if __name__ == "__main__":
    prepare()
