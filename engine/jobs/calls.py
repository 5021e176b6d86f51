"""One function in a warm worker: what a page asks for and cannot compute itself."""

from __future__ import annotations

import contextlib
import logging
import pickle
import queue
import time
from collections.abc import Mapping
from typing import Any

from engine.jobs.failures import lost
from engine.jobs.limits import Limits
from engine.jobs.pipe import Answer, Errand, Inbox, packed, receive
from engine.jobs.processes import Source, Worker

_log = logging.getLogger(__name__)


class CallError(ValueError):
    """A call that gave no result; its text says why, in words for people."""


class Calls:
    """A few workers that are used again and again, and replaced when one is lost.

    Args:
        workers: Where they come from.
        limits: How many there are and what each may hold.
    """

    def __init__(self, workers: Source, limits: Limits) -> None:
        self._workers, self._limits = workers, limits
        self._idle: queue.LifoQueue[Worker | None] = queue.LifoQueue()
        for _ in range(limits.call_workers):
            self._idle.put(None)  # begun when first needed

    def call(self, entry: str, arguments: Mapping[str, Any], seconds: float) -> Any:
        """See `engine.jobs.call`."""
        try:
            worker = self._idle.get(timeout=seconds)
        except queue.Empty:
            raise CallError("The server is busy; try again in a moment.") from None
        kept: Worker | None = None
        try:
            if worker is None or worker.gone.is_set():
                worker = self._fresh(worker)
            answer = self._ask(worker, Errand(entry, arguments, self._limits.memory_gib), seconds)
            kept = worker
        finally:
            if kept is None and worker is not None:
                worker.kill()
                worker.line.close()
            self._idle.put(kept)
        if answer.message:
            _log.log(
                logging.DEBUG if answer.told else logging.WARNING, "%s: %s", entry, answer.trace
            )
            raise CallError(answer.message)
        return answer.value

    def close(self) -> None:
        """End the workers that are idle."""
        with contextlib.suppress(queue.Empty):
            while True:
                worker = self._idle.get_nowait()
                if worker is not None:
                    worker.line.close()

    def _fresh(self, worker: Worker | None) -> Worker:
        if worker is not None:
            worker.line.close()
        return self._workers.take()

    def _ask(self, worker: Worker, errand: Errand, seconds: float) -> Answer:
        deadline = time.monotonic() + seconds
        worker.line.settimeout(seconds)
        try:
            worker.line.sendall(packed(errand))
            answer: Answer = receive(worker.line, Inbox(), deadline)
        except TimeoutError:
            raise CallError(
                f"This took longer than the {seconds:g} s it may take and was ended; make the "
                "network or the input smaller."
            ) from None
        except pickle.UnpicklingError as error:
            raise CallError(f"{errand.entry}: {error}") from None
        except (EOFError, ConnectionError):
            worker.gone.wait(1.0)
            raise CallError(
                f"The process that computed this {lost(worker.code)}; try again, or with less."
            ) from None
        return answer
