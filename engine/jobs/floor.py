"""Who has a worker, who waits for one, and when a run must rest: the board's inner room.

All of it is done by one thread, the pump's; what others ask for is posted to it.
"""

from __future__ import annotations

import logging
import pickle
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.jobs.failures import Failure, lost
from engine.jobs.fair import fair_order
from engine.jobs.limits import Limits
from engine.jobs.pipe import Command, Ended, News, Task
from engine.jobs.processes import Source
from engine.jobs.pump import Channel, Pump
from engine.jobs.run import Run
from engine.jobs.seat import Seat

_OBITUARY = 1.0  # how long the news of a worker's end may lag behind its broken line [s]
_TICK = 1.0  # [s]

_log = logging.getLogger(__name__)


class Floor:
    """The queue and the seats.

    Args:
        limits: How much is allowed.
        workers: Where workers come from.
        keep: Called with a run whenever its record must be written.

    Attributes:
        queue: The runs that wait for a place, in the order in which they came.
        seats: The runs that have a worker, by id.
    """

    def __init__(self, limits: Limits, workers: Source, keep: Callable[[Run], None]) -> None:
        self.limits = limits
        self.queue: list[Run] = []
        self.seats: dict[str, Seat] = {}
        self._workers, self._keep = workers, keep
        self._imported: set[str] = set()
        self._ticked = time.monotonic()
        self._pump = Pump(self._tick)

    def enter(self, run: Run) -> None:
        """Give the run a place or let it wait for one; for any thread."""
        self._pump.post(lambda: self._queue_up(run))

    def order(self, run: Run, command: Command) -> None:
        """Pass a command on to the run's worker; for any thread.

        Raises:
            ValueError: The worker has not read those before it.
        """
        seat = self.seats.get(run.id)
        if seat is not None and seat.channel.full and command.do in {"set", "speed", "step"}:
            raise ValueError("this run is busy and has not read earlier commands; wait a moment")
        self._pump.post(lambda: self._obey(run, command))

    def computing(self) -> int:
        """How many runs take a place; for any thread."""
        return sum(seat.computing for seat in list(self.seats.values()))

    def close(self) -> None:
        """Stop all runs, kill those that do not stop, and end the thread; for any other thread."""
        self._pump.post(self._stop_all)
        deadline = time.monotonic() + min(self.limits.stop_seconds, 5.0)
        for seat in list(self.seats.values()):
            while not seat.run.over and (left := deadline - time.monotonic()) > 0:
                seat.run.wait(seat.run.version, left)
        self._pump.post(self._kill_all)
        self._pump.close()

    def _queue_up(self, run: Run) -> None:
        self.queue.append(run)
        self._fill_places()
        if self.queue:
            self._share(time.monotonic())
        if not run.over:
            self._keep(run)

    def _fill_places(self) -> None:
        """Give free places to those next in the fair order, and tell the rest where they are."""
        computing = [seat.run for seat in self.seats.values() if seat.computing]
        while self.queue and self._room(len(computing)):
            run = fair_order(self.queue, computing)[0]
            self.queue.remove(run)
            try:
                self._launch(run)
            except OSError as error:
                self._conclude(run, Ended("failed", f"The run could not be started: {error}"))
            else:
                computing.append(run)
        for place, run in enumerate(fair_order(self.queue, computing), start=1):
            if run.place != place:
                run.change(place=place)

    def _room(self, computing: int) -> bool:
        return computing < self.limits.max_runs and len(self.seats) < self.limits.max_workers

    def _launch(self, run: Run) -> None:
        run.folder.mkdir(parents=True, exist_ok=True)
        worker = self._workers.take()
        channel = Channel(
            worker.line,
            lambda message, pickled: self._hear(seat, message, pickled),
            lambda: self._lose(seat),
        )
        seat = Seat(run, worker, channel)
        self.seats[run.id] = seat
        self._pump.add(channel)
        if run.watchers:
            seat.unwatched = None
        rates = (self.limits.unwatched_frames_per_second, self.limits.frames_per_second)
        memory = self.limits.memory_gib
        watched = bool(run.watchers)
        channel.send(Task(run.entry, run.settings, run.folder, memory, rates, watched, run.pace))
        run.change(state="running", place=None)

    def _obey(self, run: Run, command: Command) -> None:
        seat = self.seats.get(run.id)
        if seat is None:
            if run in self.queue and command.do == "stop":
                self.queue.remove(run)
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
        del self.seats[seat.run.id]
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
        self._keep(run)

    def _tick(self) -> float:
        now = time.monotonic()
        hurried = any(seat.lost is not None for seat in self.seats.values())
        passed = now - self._ticked
        if passed < _TICK and not hurried:
            return _TICK - passed
        self._ticked = now
        for seat in list(self.seats.values()):
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
        wanted = len(self.queue)
        for seat in sorted(self.seats.values(), key=lambda seat: -seat.idle(now)):
            idle = seat.idle(now)
            crowded = wanted > 0 and idle > self.limits.crowded_seconds
            if seat.computing and (crowded or idle > long):
                wanted -= 1
                why = "others wait for a place" if crowded else "nobody watched for a while"
                self._hold(seat, f"Paused because {why}; it goes on when somebody looks.")
            elif crowded and not seat.computing and len(self.seats) >= self.limits.max_workers:
                wanted -= 1
                self._end(seat, "Ended because nobody watched and others wait for a place.")
            elif seat.held and idle < long and wanted <= 0 and self._room(self.computing()):
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
        for run in list(self.queue):
            self._obey(run, Command("stop"))
        for seat in list(self.seats.values()):
            self._end(seat, "Stopped because the server was stopped.")

    def _kill_all(self) -> None:
        for seat in list(self.seats.values()):
            seat.worker.kill()
            self._leave(seat, Ended("stopped", seat.ending))
