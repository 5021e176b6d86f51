"""Keeps the register up to date from a thread of its own: no run waits for a database."""

from __future__ import annotations

import logging
import queue
import threading

from engine.store.folder import ENDED, content
from engine.store.home import run_folder

EVERY = 10.0  # seconds after which a run that goes on is looked at again

_log = logging.getLogger(__name__)


class Clerk:
    """Writes down what became of runs, one after the other."""

    def __init__(self) -> None:
        self._ids: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def note(self, id: str) -> None:
        """Have the run of that id looked at soon; returns at once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="clerk", daemon=True)
            self._thread.start()
        self._ids.put(id)

    def close(self) -> None:
        """Write down what is left."""
        if self._thread is not None:
            self._ids.put(None)
            self._thread.join(5.0)

    def _work(self) -> None:
        going: set[str] = set()
        while True:
            try:
                id = self._ids.get(timeout=EVERY if going else None)
            except queue.Empty:
                due = sorted(going)
            else:
                if id is None:
                    return
                due = [id]
            for one in due:
                (going.add if _goes_on(one) else going.discard)(one)


def _goes_on(id: str) -> bool:
    """Note a run; whether it is worth another look later."""
    from engine.store.register import register  # takes a moment: not before it is needed

    try:
        found, place = register().note(id), run_folder(id)
    except (ValueError, LookupError, OSError) as error:
        _log.warning("run %s could not be put into the register: %s", id, error)
        return False
    if found is None:  # its worker has not written anything yet, or it is a lab's
        return content(place / "run.json").get("state", "finished") not in ENDED
    return not found.over
