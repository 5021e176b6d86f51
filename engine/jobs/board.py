"""All runs of this server: who has a worker, who waits, and what becomes of each."""

from __future__ import annotations

import atexit
import contextlib
import json
import re
import secrets
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from engine.jobs import records
from engine.jobs.calls import Calls
from engine.jobs.floor import Floor
from engine.jobs.limits import Limits
from engine.jobs.processes import Source, source
from engine.jobs.recording import Recording
from engine.jobs.run import Run
from engine.store.clerk import Clerk
from engine.store.home import run_folder

_ENTRY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class Board:
    """The runs, their queue and their workers.

    Args:
        limits: How much is allowed; the environment's limits if None.
        workers: Where workers come from; what suits the machine if None.
    """

    def __init__(self, limits: Limits | None = None, workers: Source | None = None) -> None:
        self.limits = limits or Limits()
        self.closed = False
        self._owns_workers = workers is None
        self._workers = workers or source(self.limits)
        self._clerk = Clerk()
        self.calls = Calls(self._workers, self.limits)
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}
        self._listed = False  # whether the runs of earlier servers have been looked up
        self._floor = Floor(self.limits, self._workers, self._keep)

    def warm(self, modules: Sequence[str] = ()) -> None:
        """Have workers ready soon, with these modules imported; returns at once."""
        self._workers.warm(modules)

    def start(
        self,
        entry: str,
        settings: Mapping[str, Any],
        *,
        owner: str = "",
        title: str = "",
        pace: float = 0.0,
    ) -> Run:
        """Begin a run, or put it into the queue.

        Args:
            entry: `"package.module:name"` of a lab or a generator function; from our own pages,
                never from a visitor.
            settings: What it is called with, JSON values; refused ones fail the run with a word.
            owner: Whose it is; places are shared fairly between owners.
            title: What it is called on pages.
            pace: How long the whole run takes at least [s], so that a quick one can be watched;
                a watcher who sets a speed lifts this bound.

        Raises:
            ValueError: The entry or the settings cannot be, or too many runs wait.
        """
        if not _ENTRY.fullmatch(entry):
            raise ValueError(f"a run's entry must be 'package.module:name'; got {entry!r:.120}")
        try:
            settings = json.loads(json.dumps(dict(settings)))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{entry}: settings must be JSON values; {error}") from error
        if (waiting := len(self._floor.queue)) >= self.limits.max_queue > 0:
            raise ValueError(f"{waiting} runs wait for a place already; try again in a few minutes")
        id = secrets.token_urlsafe(16)
        run = Run(id, entry, settings, run_folder(id), owner, title, pace, order=self._floor.order)
        return self._enter(run)

    def find(self, id: str) -> Run:
        """The run of that id, also one from before the server was started anew.

        Raises:
            LookupError: There is none.
        """
        if id in self._runs:
            return self._runs[id]
        run = records.read(id)
        with self._lock:
            return self._runs.setdefault(id, run)

    def known(self, id: str | None) -> Run | None:
        """The run of that id; None without an id, or where the server has forgotten it."""
        try:
            return self.find(id) if id else None
        except LookupError:
            return None

    def runs(self, owner: str) -> list[Run]:
        """The runs of that owner, newest first."""
        if not self._listed:
            self._listed = True
            for id in records.ids():
                with contextlib.suppress(LookupError):
                    self.find(id)
        own = [run for run in list(self._runs.values()) if run.owner == owner]
        return sorted(own, key=lambda run: run.created, reverse=True)

    def resume(self, id: str) -> Run:
        """Let a failed or stopped run go on from its checkpoint, or a paused one from where it is.

        Raises:
            LookupError: There is no such run.
            ValueError: It has finished, or left no checkpoint.
        """
        run = self.find(id)
        if not run.over:
            run.command("resume")
            return run
        if not run.resumable:
            why = "has finished" if run.state == "finished" else "left no checkpoint to go on from"
            raise ValueError(f"this run {why}; start it again")
        with self._lock:
            run.order = self._floor.order
            run.change(state="queued", failure=None, ended=None)
        return self._enter(run)

    def stop(self, id: str) -> None:
        """End the run of that id, if there is one that has not ended."""
        with contextlib.suppress(LookupError):
            self.find(id).stop()

    def delete(self, id: str, owner: str | None = None) -> int:
        """Let an ended run go, with all its files; how many bytes that frees.

        Raises:
            LookupError: There is no such kept run of that owner.
            ValueError: It still goes on.
        """
        from engine.store.register import register  # takes a moment: not before it is needed

        run = self.known(id)
        if run is not None and not run.over:
            raise ValueError(f"{run.title or 'this run'} is {run.state}; stop it, then delete it")
        freed = register().delete(id, owner)
        self._runs.pop(id, None)
        return freed

    def load(self) -> dict[str, int]:
        """How many runs compute, rest (paused or waiting) and queue."""
        computing = self._floor.computing()
        resting = len(self._floor.seats) - computing
        return {"running": computing, "resting": resting, "queued": len(self._floor.queue)}

    def close(self) -> None:
        """Stop all runs, so that they keep their checkpoints, and end the workers."""
        if self.closed:
            return
        self.closed = True
        self._floor.close()
        self.calls.close()
        if self._owns_workers:
            self._workers.close()
        for run in self._runs.values():
            records.forget(run)
        self._clerk.close()

    def _enter(self, run: Run) -> Run:
        if self.closed:
            raise ValueError("the server is being stopped; start the run again in a moment")
        run.recorded = Recording(
            self.limits.recording_frames, int(self.limits.recording_mib * 2**20)
        )
        self._runs[run.id] = run
        self._floor.enter(run)
        return run

    def _keep(self, run: Run) -> None:
        """Write the run's record, and let go of the oldest that ended; by the floor's thread."""
        records.write(run)
        self._clerk.note(run.id)
        if not run.over:
            return
        over = [run for run in list(self._runs.values()) if run.over and not run.watchers]
        excess = len(over) - self.limits.ended_runs
        for run in sorted(over, key=lambda run: run.ended or 0.0)[: max(0, excess)]:
            self._runs.pop(run.id, None)
            records.forget(run)


_board: Board | None = None
_guard = threading.Lock()


def board() -> Board:
    """The board of this process, made at the first call and anew after it was closed."""
    global _board
    with _guard:
        if _board is None or _board.closed:
            _board = Board()
            atexit.register(_board.close)
        return _board
