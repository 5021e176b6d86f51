"""Driving a generator: when its frames are shown, and how a watcher's commands reach it."""

from __future__ import annotations

import select
import socket
import time
import traceback
from collections.abc import Mapping
from typing import Any

from engine.jobs.entries import Opened, opened
from engine.jobs.failures import told
from engine.jobs.pipe import Command, Ended, Inbox, News, State, Task, packed
from engine.views import Frame, Yielded

_LISTEN = 0.01  # how long a command may wait while the run steps quickly [s]
_SHARE = 9.0  # computing over showing: at most a tenth of the time goes into frames
_SLOWEST = 0.2  # but a frame comes at least so often [s]


def drive(task: Task, line: socket.socket, inbox: Inbox) -> None:
    """Run the task to its end and say how it ended.

    Raises:
        ConnectionError: The server is gone.
        EOFError: Likewise.
    """
    ended = Ended("finished")
    try:
        pacer = Pacer(task, line, inbox)
        ended = Ended(pacer.run(opened(task.entry, task.settings, task.folder, pacer.free)))
    except (ConnectionError, EOFError):
        raise
    except Exception as error:  # noqa: BLE001 - every failure is told to the server
        trace = traceback.format_exc()
        traceback.clear_frames(error.__traceback__)  # lets go of what filled the memory
        ended = Ended("failed", told(error, task.memory), trace)
    line.sendall(packed(ended))


class Pacer:
    """One generator between the commands that come in and the frames that go out."""

    def __init__(self, task: Task, line: socket.socket, inbox: Inbox) -> None:
        self._line, self._inbox = line, inbox
        self._quiet, self._busy = (1 / rate for rate in task.rates)
        self._period = self._busy if task.watched else self._quiet
        self._live: dict[str, Any] = {}
        self._changes: dict[str, Any] = {}
        self._speed: float | None = None
        self._pace, self._share = task.pace, 0.0  # the share of the whole that is done
        self._begun = time.monotonic()
        self._paused = self._stopped = False
        self._owed = 0  # steps asked for while paused
        self._held: Yielded | None = None  # the newest that was yielded and not yet shown
        self._newest: Yielded | None = None  # the newest that was yielded, shown or not
        self._state: State = "running"
        self._due = 0.0  # when the next frame may be shown, on the monotonic clock
        self._cost = 0.0  # of the last frame [s]
        self._stepped = time.monotonic()  # when the last step began

    def free(self) -> bool:
        """Whether nobody waits for single steps: a run may then take several before it yields."""
        return not (self._paused or self._speed or self._pace)

    def run(self, opened: Opened) -> State:
        """Advance the generator until it ends or is stopped; which of the two."""
        self._run, self._live = opened, dict(opened.live)
        self._send(News(state="running", live=self._live))
        for command, _ in self._inbox.take(b""):  # what came together with the task
            self._obey(command)
        advance, clock = self._run.steps.send, time.monotonic
        changes: Mapping[str, Any] | None = None
        look = 0.0  # when to look for commands and frames next
        while True:
            try:
                self._held = item = advance(changes)
            except StopIteration:
                self._show(self._state)
                return "finished"
            # This line runs once a step, some 100,000 times a second for the smallest nets.
            if clock() < look and not (type(item) is Frame and item.waits):
                changes = None
                continue
            changes = self._attend(type(item) is Frame and item.waits)
            if self._stopped:
                self._show(self._state)
                self._run.steps.close()  # its finally may keep a checkpoint
                return "stopped"
            self._stepped = clock()
            held_back = self._paused or self._speed or self._pace
            look = 0.0 if held_back else min(self._due, self._stepped + _LISTEN)

    def _attend(self, waits: bool) -> Mapping[str, Any] | None:
        """Show what is due, listen, and come back when the next step may be taken.

        Returns:
            The controls turned since the last step, or None.
        """
        held = self._newest = self._held
        if isinstance(held, Frame):
            self._note(held)
        if waits:
            self._show("waiting")
        elif time.monotonic() >= self._due and not self._paused:
            self._show("running")
        self._hear(0.0)
        while not self._stopped and not self._may_go_on(waits):
            pass
        if not self._paused and self._state == "paused":
            self._say("running")
        changes, self._changes = self._changes, {}
        return changes or None

    def _may_go_on(self, waits: bool) -> bool:
        """Whether the next step may be taken; if not, comes back after something was heard."""
        if waits:
            if not self._changes:
                self._hear(None)
            return bool(self._changes)
        if self._paused:
            if self._owed:
                self._owed -= 1
                return True
            self._show("paused")
            self._hear(None)
            return False
        if (early := self._early()) > 0:
            if self._state == "paused":
                self._say("running")
            self._show_when_due()
            self._hear(early)
            return False
        return True

    def _early(self) -> float:
        """How long until the bounds on speed and pace allow the next step [s]."""
        now = time.monotonic()
        by_speed = self._stepped + 1 / self._speed - now if self._speed else 0.0
        by_pace = self._begun + self._pace * self._share - now if self._pace else 0.0
        return max(by_speed, by_pace)

    def _show_when_due(self) -> None:
        if self._held is not None and time.monotonic() >= self._due:
            self._show("running")

    def _show(self, state: State) -> None:
        """Send the newest frame if it was not shown yet, and the state if it changed."""
        held, self._held = self._held, None
        if held is None:
            if state != self._state:
                self._say(state)
            return
        begun = time.monotonic()
        frame = held() if callable(held) else held
        if not isinstance(frame, Frame):
            raise TypeError(f"a run must yield frames; got {type(frame).__name__}")
        self._note(frame)
        self._send(News(frame=frame, state=state))
        self._state = state
        now = time.monotonic()
        self._cost = now - begun
        self._due = now + max(self._period, min(_SHARE * self._cost, _SLOWEST))

    def _note(self, frame: Frame) -> None:
        self._share = frame.step / frame.of if frame.of else 0.0

    def _say(self, state: State) -> None:
        self._state = state
        self._send(News(state=state))

    def _hear(self, patience: float | None) -> None:
        """Take in the commands that are there; wait for one so long, or for ever with None [s]."""
        while select.select([self._line], [], [], patience)[0]:
            data = self._line.recv(1 << 20)
            if not data:
                raise EOFError
            for command, _ in self._inbox.take(data):
                self._obey(command)
            patience = 0.0

    def _obey(self, command: Command) -> None:
        match command.do:
            case "pause":
                self._paused, self._owed = True, 0
            case "resume":
                self._paused, self._owed = False, 0
                self._begun = time.monotonic() - self._pace * self._share
            case "step":
                self._owed += self._paused * int(command.value or 1)
                self._paused = True
            case "speed":
                self._speed, self._pace = command.value, 0.0
                self._send(News(speed=(command.value,)))
            case "stop":
                self._stopped = True
            case "set":
                self._turn(command.value)
            case "watch":
                self._period = self._busy if command.value else self._quiet
                self._due = min(self._due, time.monotonic() + self._period)

    def _turn(self, changes: Mapping[str, Any]) -> None:
        """Keep the changes for the next step, or say why they are refused.

        What was yielded may have a function `look` that takes those changes that only ask for
        other pictures and gives back the rest: these show at once, even while the run is paused.
        """
        try:
            accepted = self._run.turn(changes)
        except ValueError as refusal:
            self._send(News(notice=str(refusal)))
            return
        self._live.update(accepted)
        look = getattr(self._newest, "look", None)
        if look is not None and len(rest := look(accepted)) < len(accepted):
            self._held, accepted = self._newest, rest
        self._changes.update(accepted)
        self._send(News(live=self._live))

    def _send(self, news: News) -> None:
        self._line.sendall(packed(news))
