"""What a run ran on, in the words that someone needs who wants to repeat it."""

from __future__ import annotations

import platform
from importlib.metadata import version

import psutil


def machine() -> dict[str, str]:
    """Operating system, processor, cores, memory and versions of this machine."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": str(psutil.cpu_count(logical=False) or psutil.cpu_count() or "?"),
        "memory": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "Python": platform.python_version(),
        "PyTorch": version("torch"),
    }


def _processor() -> str:
    """The processor's name where the system tells it, else its kind."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - no file of ours
            names = [line.partition(":")[2] for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0].strip() if names else platform.processor() or platform.machine()
