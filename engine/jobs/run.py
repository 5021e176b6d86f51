"""One run, as the server and everybody who watches it see it."""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from engine.jobs.failures import Failure
from engine.jobs.pipe import Command, News, Order, State
from engine.jobs.recording import Recording
from engine.views import Frame

ENDS: frozenset[State] = frozenset({"finished", "failed", "stopped"})

_log = logging.getLogger(__name__)

_MOST = 10**9  # steps asked for at once
_FASTEST = 1e6  # a bound on the speed above this is none [steps/s]


@dataclass(eq=False)
class Run:
    """What runs, where it is, and the newest it has shown.

    All of it is written by the board's thread; anybody may read it.

    Attributes:
        id: Unguessable; whoever knows it may watch and steer.
        entry: `"package.module:name"`.
        settings: What it was started with.
        owner: Whose it is; never shown to others.
        title: What it is called on pages.
        folder: Where it keeps its files.
        pace: How long it takes at least, so that one can see it [s]; 0 for no bound.
        state: Where it is; finished, failed and stopped are final unless it is resumed.
        place: Its place in the queue, from 1; None when it does not wait there.
        latest: The newest frame, or None before the first.
        version: Counts everything that changed.
        failure: What went wrong, if it failed.
        speed: The bound on its steps a second [1/s], or None.
        live: Its live controls and where they stand.
        notice: The newest word to its watchers, such as why a control was refused.
        notices: Counts these words.
        created: When it was started [s since 1970].
        ended: When it ended [s since 1970], or None.
        recorded: Where its frames are kept for looking back.
        order: How a command reaches the board; None for a run of an earlier server.
    """

    id: str
    entry: str
    settings: Mapping[str, Any]
    folder: Path
    owner: str = ""
    title: str = ""
    pace: float = 0.0
    state: State = "queued"
    place: int | None = None
    latest: Frame | None = None
    version: int = 0
    failure: Failure | None = None
    speed: float | None = None
    live: Mapping[str, Any] = field(default_factory=dict)
    notice: str = ""
    notices: int = 0
    created: float = field(default_factory=time.time)
    ended: float | None = None
    recorded: Recording | None = None
    order: Callable[[Run, Command], None] | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)
    _watchers: dict[int, Callable[[], None]] = field(default_factory=dict, repr=False)
    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in ENDS

    @property
    def checkpoint(self) -> bool:
        """Whether its folder holds a checkpoint to go on from."""
        return (self.folder / "checkpoint.json").is_file()

    @property
    def resumable(self) -> bool:
        """Whether it ended early and can go on from a checkpoint."""
        return self.state in {"failed", "stopped"} and self.checkpoint

    @property
    def watchers(self) -> int:
        """How many watch it."""
        return len(self._watchers)

    @property
    def recording(self) -> list[Frame]:
        """Some of its frames, evenly spread from the first to the newest."""
        return self.recorded.frames() if self.recorded else []

    def command(self, name: str, value: object = None) -> None:
        """Steer the run.

        Args:
            name: `pause`, `resume`, `step`, `stop`, `speed` or `set`.
            value: For `speed` a bound in steps a second or None; for `step` how many, or None for
                one; for `set` the live controls to
                turn, by name. A refused one is told to the watchers as a notice; the run goes on.

        Raises:
            ValueError: There is no such command, its value is no good, or the run is over.
        """
        if name not in get_args(Order) or name == "watch":
            known = ", ".join(order for order in get_args(Order) if order != "watch")
            raise ValueError(f"a run knows the commands {known}; got {name!r:.80}")
        if name == "speed":
            value = _speed(value)
        if name == "step" and not (
            value is None or (isinstance(value, int) and 0 < value <= _MOST)
        ):
            raise ValueError(f"step needs how many, a whole number above 0; got {value!r:.80}")
        if name == "set" and not isinstance(value, Mapping):
            raise ValueError(f"set needs names with values; got {value!r:.80}")
        if self.over or self.order is None:
            raise ValueError(f"this run is {self.state}; it takes no commands any more")
        if self.state == "queued" and name != "stop":
            raise ValueError(f"this run waits for its turn (place {self.place}); only stop works")
        self.order(self, Command(name, value))  # type: ignore[arg-type] # held against Order above

    def stop(self) -> None:
        """End it where it is; nothing happens to a run that has ended already."""
        with contextlib.suppress(ValueError):
            self.command("stop")

    def wait(self, version: int, timeout: float | None = None) -> int:
        """Wait until there is something newer than `version` or the time-out [s]; the version."""
        with self._changed:
            self._changed.wait_for(lambda: self.version > version, timeout)
            return self.version

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Be called whenever something changed, and count as a watcher until unsubscribed.

        Args:
            callback: Called from the board's thread; must be quick.

        Returns:
            The function that ends it.
        """
        number = next(self._numbers)
        self._watchers[number] = callback
        self._watch()

        def unsubscribe() -> None:
            if self._watchers.pop(number, None) is not None:
                self._watch()

        return unsubscribe

    def follow(self) -> Iterator[Frame]:
        """The newest frame each time there is one, until the run ends; counts as a watcher."""
        unsubscribe = self.subscribe(_nothing)
        try:
            seen, shown = -1, None
            while True:
                seen = self.wait(seen)
                over, frame = self.over, self.latest  # in this order: the end comes last
                if frame is not None and frame is not shown:
                    shown = frame
                    yield frame
                if over:
                    return
        finally:
            unsubscribe()

    def snapshot(self) -> tuple[dict[str, Any], Frame | None]:
        """`info` and the newest frame, of the same moment."""
        with self._changed:
            return self.info(), self.latest

    def info(self) -> dict[str, Any]:
        """Where the run is, as JSON data without its pictures and without its owner."""
        with self._changed:
            frame, failure = self.latest, self.failure
            return {
                "run": self.id,
                "entry": self.entry,
                "title": self.title,
                "settings": dict(self.settings),
                "state": self.state,
                "place": self.place,
                "step": frame.step if frame else 0,
                "of": frame.of if frame else 0,
                "facts": dict(frame.facts) if frame else {},
                "waits": bool(frame and frame.waits),
                "leap": frame.leap if frame else 0,
                "version": self.version,
                "failure": failure and {"message": failure.message, "resumable": failure.resumable},
                "resumable": self.resumable if self.over else False,
                "notice": self.notice or None,
                "notices": self.notices,
                "speed": self.speed,
                "live": dict(self.live),
                "created": self.created,
                "ended": self.ended,
            }

    def change(self, **changes: Any) -> None:
        """Write what changed and tell everybody; for the board."""
        with self._changed:
            for name, value in changes.items():
                setattr(self, name, value)
            self.notices += "notice" in changes
            self.version += 1
            self._changed.notify_all()
        for callback in list(self._watchers.values()):
            try:
                callback()
            except Exception:  # noqa: BLE001 - one watcher's fault is not the run's
                _log.exception("a watcher of run %s", self.id)

    def take(self, news: News, pickled: bytes) -> None:
        """Write what the worker told; for the board."""
        changes: dict[str, Any] = {}
        if news.frame is not None:
            changes["latest"] = news.frame
            if self.recorded is not None:
                self.recorded.add(pickled)
        for name in ("state", "live", "notice"):
            if (value := getattr(news, name)) is not None:
                changes[name] = value
        if news.speed is not None:
            (changes["speed"],) = news.speed
        self.change(**changes)

    def _watch(self) -> None:
        if self.order is not None:
            self.order(self, Command("watch", bool(self._watchers)))


def _nothing() -> None:
    """What a watcher does who waits elsewhere."""


def _speed(value: object) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is None or (number and value > _FASTEST):  # type: ignore[operator] # a number
        return None
    if number and value > 0:  # type: ignore[operator] # a number
        return float(value)  # type: ignore[arg-type] # a number
    raise ValueError(
        f"speed must be a number of steps a second above 0, or null; got {value!r:.80}"
    )
