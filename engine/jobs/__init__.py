"""Runs and calls in processes of their own, watched from any number of browsers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from engine.jobs.board import Board, board
from engine.jobs.calls import CallError
from engine.jobs.failures import Failure
from engine.jobs.limits import Limits
from engine.jobs.run import Run

__all__ = ["Board", "CallError", "Failure", "Limits", "Run", "board", "call", "call_async"]


def call(entry: str, arguments: Mapping[str, Any], *, seconds: float = 30) -> Any:
    """What a function gives back, computed in a warm worker process.

    Args:
        entry: `"package.module:name"`; from our own pages, never from a visitor.
        arguments: Its keyword arguments; plain data and arrays.
        seconds: How long it may take, and how long it may wait for its turn [s].

    Raises:
        CallError: It raised, crashed, needed too much memory or took too long; the text says
            which, for people.
    """
    return board().calls.call(entry, arguments, seconds)


async def call_async(entry: str, arguments: Mapping[str, Any], *, seconds: float = 30) -> Any:
    """`call` for servers' event loops."""
    return await asyncio.to_thread(call, entry, arguments, seconds=seconds)
