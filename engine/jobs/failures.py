"""What went wrong, in words for people."""

from __future__ import annotations

import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run failed.

    Attributes:
        message: For people.
        trace: The worker's traceback, for the log; never shown on a page.
        resumable: Whether the run's folder holds a checkpoint to go on from.
    """

    message: str
    trace: str = ""
    resumable: bool = False


def told(error: BaseException, memory: float) -> str:
    """What an error says; `memory` is what the worker could hold [GiB]."""
    quoted = isinstance(error, KeyError) and error.args  # its str() is the repr of its text
    text = " ".join(str(error.args[0] if quoted else error).split())
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return (
            f"This needs more memory than the {memory:g} GiB that one run may hold; make the "
            "network, the batch or the picture smaller."
        )
    if isinstance(error, ValueError | LookupError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def lost(code: int | None) -> str:
    """How a worker process went away; its exit code is negative for a signal, None if unknown."""
    if code is None:
        return "was lost"
    if code >= 0:
        return f"ended too early (exit code {code})"
    killed = -code in (9, signal.SIGTERM)  # SIGKILL has no name on every system
    return f"{'was killed' if killed else 'crashed'} (signal {-code})"
