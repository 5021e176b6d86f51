"""Whether the process that wrote something still lives: a run may be under way elsewhere."""

from __future__ import annotations

import os
import platform
import re

import psutil

_STAMP = re.compile(r"(.+):(\d+):(\d+\.\d\d)")


def stamp() -> str:
    """Which process this is: machine, number, and when it began; no later one has the same."""
    return _stamp(os.getpid())


def alive(stamp: str) -> bool:
    """Whether the process of that stamp lives; one on another machine counts as living."""
    parts = _STAMP.fullmatch(stamp)
    if parts is None:
        return False
    if parts[1] != platform.node():
        return True
    try:
        return _stamp(int(parts[2])) == stamp
    except psutil.Error:
        return False


def _stamp(number: int) -> str:
    return f"{platform.node()}:{number}:{psutil.Process(number).create_time():.2f}"
