"""Work that is watched while it goes on: how far it is, and an end to it when nobody wants it.

Explainers are plain functions. The work runs on a thread of its own; every pass of the network
says how many samples have gone through, and there it can be told to stop.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from engine.explain.measure import Progress

Answer = TypeVar("Answer")

EVERY = 0.05  # how often the watcher hears of it [s]
MOST = 60.0  # how long a pass may take to hear that it is not wanted any more [s]


class _Unwanted(BaseException):
    """Ends the work; no explainer catches it."""


def watched(work: Callable[[Progress], Answer]) -> Generator[int, None, Answer]:
    """Do the work; yield now and then how many samples have gone through, return its answer.

    Closing the generator ends the work at its next pass of the network.

    Raises:
        Exception: Whatever the work raises.
    """
    done: queue.Queue[tuple[bool, Any]] = queue.Queue()
    wanted = threading.Event()
    wanted.set()
    so_far = [0]

    def progress(count: int) -> None:
        if not wanted.is_set():
            raise _Unwanted
        so_far[0] = count

    def run() -> None:
        try:
            done.put((True, work(progress)))
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            done.put((False, error))

    thread = threading.Thread(target=run, name="explain", daemon=True)
    thread.start()
    try:
        while True:
            try:
                fine, answer = done.get(timeout=EVERY)
                break
            except queue.Empty:
                yield so_far[0]
    finally:
        wanted.clear()
        thread.join(MOST)
    if not fine:
        raise answer
    result: Answer = answer
    return result
