"""All runs of this server: who has a worker, who waits, and what becomes of each."""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import pickle
import re
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.jobs import records
from engine.jobs.calls import Calls
from engine.jobs.failures import Failure, lost
from engine.jobs.fair import fair_order
from engine.jobs.limits import Limits
from engine.jobs.pipe import Command, Ended, News, Task
from engine.jobs.processes import Source, source
from engine.jobs.pump import Channel, Pump
from engine.jobs.recording import Recording
from engine.jobs.run import Run
from engine.jobs.seat import Seat
from engine.store.home import run_folder

_ENTRY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_OBITUARY = 1.0  # how long the news of a worker's end may lag behind its broken line [s]
_TICK = 1.0  # [s]

_log = logging.getLogger(__name__)


class Board:
    """The runs, their queue and their workers.

    Everything that changes a run is done by one thread, the pump's; what others ask for is
    posted to it.

    Args:
        limits: How much is allowed; the environment's limits if None.
        workers: Where workers come from; what suits the machine if None.
    """

    def __init__(self, limits: Limits | None = None, workers: Source | None = None) -> None:
        self.limits = limits or Limits()
        self.closed = False
        self._owns_workers = workers is None
        self._workers = workers or source(self.limits)
        self.calls = Calls(self._workers, self.limits)
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}
        self._queue: list[Run] = []
        self._seats: dict[str, Seat] = {}
        self._imported: set[str] = set()
        self._listed = False  # whether the runs of earlier servers have been looked up
        self._ticked = time.monotonic()
        self._pump = Pump(self._tick)

    def warm(self, modules: Sequence[str] = ()) -> None:
        """Have workers ready soon, with these modules imported; returns at once."""
        self._workers.warm(modules)

    def start(
        self, entry: str, settings: Mapping[str, Any], *, owner: str = "", title: str = ""
    ) -> Run:
        """Begin a run, or put it into the queue.

        Args:
            entry: `"package.module:name"` of a lab or a generator function; from our own pages,
                never from a visitor.
            settings: What it is called with, JSON values; refused ones fail the run with a word.
            owner: Whose it is; places are shared fairly between owners.
            title: What it is called on pages.

        Raises:
            ValueError: The entry or the settings cannot be, or too many runs wait.
        """
        if not _ENTRY.fullmatch(entry):
            raise ValueError(f"a run's entry must be 'package.module:name'; got {entry!r:.120}")
        try:
            settings = json.loads(json.dumps(dict(settings)))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{entry}: settings must be JSON values; {error}") from error
        if len(self._queue) >= self.limits.max_queue > 0:
            raise ValueError(
                f"{len(self._queue)} runs wait for a place already; try again in a few minutes"
            )
        id = secrets.token_urlsafe(16)
        run = Run(id, entry, settings, run_folder(id), owner, title, order=self._take_order)
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
            run.order = self._take_order
            run.change(state="queued", failure=None, ended=None)
        return self._enter(run)

    def stop(self, id: str) -> None:
        """End the run of that id, if there is one that has not ended."""
        with contextlib.suppress(LookupError):
            self.find(id).stop()

    def load(self) -> dict[str, int]:
        """How many runs compute, rest (paused or waiting) and queue."""
        computing = self._computing()
        resting = len(self._seats) - computing
        return {"running": computing, "resting": resting, "queued": len(self._queue)}

    def close(self) -> None:
        """Stop all runs, so that they keep their checkpoints, and end the workers."""
        if self.closed:
            return
        self.closed = True
        self._pump.post(self._stop_all)
        deadline = time.monotonic() + min(self.limits.stop_seconds, 5.0)
        for seat in list(self._seats.values()):
            while not seat.run.over and (left := deadline - time.monotonic()) > 0:
                seat.run.wait(seat.run.version, left)
        self._pump.post(self._kill_all)
        self._pump.close()
        self.calls.close()
        if self._owns_workers:
            self._workers.close()
        for run in self._runs.values():
            records.forget(run)

    # What follows is done by the pump's thread, except where it says otherwise.

    def _enter(self, run: Run) -> Run:
        """Take a run in; called by who starts it."""
        if self.closed:
            raise ValueError("the server is being stopped; start the run again in a moment")
        run.recorded = Recording(
            self.limits.recording_frames, int(self.limits.recording_mib * 2**20)
        )
        self._runs[run.id] = run
        self._pump.post(lambda: self._queue_up(run))
        return run

    def _queue_up(self, run: Run) -> None:
        self._queue.append(run)
        self._fill_places()
        if self._queue:
            self._share(time.monotonic())
        if not run.over:
            records.write(run)

    def _fill_places(self) -> None:
        """Give free places to those next in the fair order, and tell the rest where they are."""
        computing = [seat.run for seat in self._seats.values() if seat.computing]
        while self._queue and self._room(len(computing)):
            run = fair_order(self._queue, computing)[0]
            self._queue.remove(run)
            try:
                self._launch(run)
            except OSError as error:
                self._conclude(run, Ended("failed", f"The run could not be started: {error}"))
            else:
                computing.append(run)
        for place, run in enumerate(fair_order(self._queue, computing), start=1):
            if run.place != place:
                run.change(place=place)

    def _computing(self) -> int:
        return sum(seat.computing for seat in list(self._seats.values()))

    def _room(self, computing: int) -> bool:
        return computing < self.limits.max_runs and len(self._seats) < self.limits.max_workers

    def _launch(self, run: Run) -> None:
        run.folder.mkdir(parents=True, exist_ok=True)
        worker = self._workers.take()
        channel = Channel(
            worker.line,
            lambda message, pickled: self._hear(seat, message, pickled),
            lambda: self._lose(seat),
        )
        seat = Seat(run, worker, channel)
        self._seats[run.id] = seat
        self._pump.add(channel)
        if run.watchers:
            seat.unwatched = None
        rates = (self.limits.unwatched_frames_per_second, self.limits.frames_per_second)
        memory = self.limits.memory_gib
        watched = bool(run.watchers)
        channel.send(Task(run.entry, run.settings, run.folder, memory, rates, watched))
        run.change(state="running", place=None)

    def _take_order(self, run: Run, command: Command) -> None:
        """Pass a command on; called by who gives it."""
        seat = self._seats.get(run.id)
        if seat is not None and seat.channel.full and command.do in {"set", "speed", "step"}:
            raise ValueError("this run is busy and has not read earlier commands; wait a moment")
        self._pump.post(lambda: self._obey(run, command))

    def _obey(self, run: Run, command: Command) -> None:
        seat = self._seats.get(run.id)
        if seat is None:
            if run in self._queue and command.do == "stop":
                self._queue.remove(run)
                self._conclude(run, Ended("stopped"))
            return
        match command.do:
            case "watch":
                seat.unwatched = None if command.value else time.monotonic()
                if command.value and seat.held:
                    self._release(seat)
            case "pause" | "resume" | "step":
                seat.held = False
            case "stop":
                seat.deadline = seat.deadline or time.monotonic() + self.limits.stop_seconds
        seat.channel.send(command)

    def _hear(self, seat: Seat, message: object, pickled: bytes) -> None:
        match message:
            case News():
                self._learn(seat.run)
                seat.run.take(message, pickled)
            case Ended():
                self._leave(seat, message)
            case pickle.UnpicklingError():
                seat.worker.kill()
                self._leave(seat, Ended("failed", f"{seat.run.entry}: {message}"))

    def _learn(self, run: Run) -> None:
        """Have the module of a run that went well imported before the next one is forked."""
        module = run.entry.partition(":")[0]
        if module not in self._imported:
            self._imported.add(module)
            self._workers.warm([module])

    def _lose(self, seat: Seat) -> None:
        """The line broke before the run's end was told: wait a moment for the worker's code."""
        if seat.run.over:
            return
        self._pump.remove(seat.channel)
        seat.lost = time.monotonic()

    def _leave(self, seat: Seat, ended: Ended) -> None:
        if seat.lost is None:
            self._pump.remove(seat.channel)
        del self._seats[seat.run.id]
        if ended.state == "stopped" and seat.ending:
            ended = replace(ended, message=seat.ending)
        self._conclude(seat.run, ended)
        self._fill_places()

    def _conclude(self, run: Run, ended: Ended) -> None:
        changes: dict[str, Any] = {"state": ended.state, "place": None, "ended": time.time()}
        if ended.state == "failed":
            changes["failure"] = Failure(ended.message, ended.trace, run.checkpoint)
            _log.warning(
                "run %s of %s failed: %s\n%s", run.id, run.entry, ended.message, ended.trace
            )
        elif ended.message:
            changes["notice"] = ended.message
        run.change(**changes)
        records.write(run)
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        over = [run for run in list(self._runs.values()) if run.over and not run.watchers]
        excess = len(over) - self.limits.ended_runs
        for run in sorted(over, key=lambda run: run.ended or 0.0)[: max(0, excess)]:
            self._runs.pop(run.id, None)
            records.forget(run)

    def _tick(self) -> float:
        now = time.monotonic()
        hurried = any(seat.lost is not None for seat in self._seats.values())
        passed = now - self._ticked
        if passed < _TICK and not hurried:
            return _TICK - passed
        self._ticked = now
        for seat in list(self._seats.values()):
            seat.computed += passed * (seat.run.state == "running")
            if seat.lost is not None:
                self._bury(seat, now)
            elif seat.deadline is not None:
                self._enforce(seat, now)
            elif ending := seat.overdue(now, self.limits):
                self._end(seat, ending)
        self._share(now)
        return 0.01 if hurried else _TICK

    def _bury(self, seat: Seat, now: float) -> None:
        known = seat.worker.gone.is_set()
        if not known and now - (seat.lost or now) < _OBITUARY:
            return
        if seat.deadline is not None and seat.worker.code in (None, -9):
            words = f"It did not stop within {self.limits.stop_seconds:g} s and was killed."
            self._leave(seat, Ended("stopped", seat.ending or words))
        else:
            remedy = "resume it" if seat.run.checkpoint else "start it again"
            how = lost(seat.worker.code)
            words = f"The worker process of this run {how}; {remedy}. Other runs are untouched."
            self._leave(seat, Ended("failed", words))

    def _enforce(self, seat: Seat, now: float) -> None:
        if seat.deadline is not None and now > seat.deadline:
            seat.worker.kill()

    def _end(self, seat: Seat, why: str) -> None:
        seat.ending = why
        self._obey(seat.run, Command("stop"))

    def _share(self, now: float) -> None:
        """Let runs that nobody watches rest: after a while, or sooner where others wait."""
        long = self.limits.unwatched_minutes * 60
        wanted = len(self._queue)
        for seat in sorted(self._seats.values(), key=lambda seat: -seat.idle(now)):
            idle = seat.idle(now)
            crowded = wanted > 0 and idle > self.limits.crowded_seconds
            if seat.computing and (crowded or idle > long):
                wanted -= 1
                why = "others wait for a place" if crowded else "nobody watched for a while"
                self._hold(seat, f"Paused because {why}; it goes on when somebody looks.")
            elif crowded and not seat.computing and len(self._seats) >= self.limits.max_workers:
                wanted -= 1
                self._end(seat, "Ended because nobody watched and others wait for a place.")
            elif seat.held and idle < long and wanted <= 0 and self._room(self._computing()):
                self._release(seat)
        self._fill_places()

    def _hold(self, seat: Seat, why: str) -> None:
        seat.held = True
        seat.channel.send(Command("pause"))
        seat.run.change(notice=why)

    def _release(self, seat: Seat) -> None:
        seat.held = False
        seat.channel.send(Command("resume"))

    def _stop_all(self) -> None:
        for run in list(self._queue):
            self._obey(run, Command("stop"))
        for seat in list(self._seats.values()):
            self._end(seat, "Stopped because the server was stopped.")

    def _kill_all(self) -> None:
        for seat in list(self._seats.values()):
            seat.worker.kill()
            self._leave(seat, Ended("stopped", seat.ending))


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
