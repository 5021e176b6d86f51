"""What a training shows: the panels that are asked for, and the headline numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from engine.training.judging import Judgement
from engine.training.panels import NONE, Memory, clicked, in_order, panels
from engine.training.session import Session
from engine.views import Frame, Note, View


def standard() -> str:
    """The panels that are shown at first."""
    return ",".join(name for name in in_order() if panels.find(name).facts["shown"])


class Pictures:
    """Makes a frame of a session; what has not changed since the last frame is kept.

    Attributes:
        shown: Names of panels with commas between; only these are computed.
    """

    def __init__(self, session: Session, shown: str = "") -> None:
        self._session = session
        self.shown = shown or standard()
        self._due: dict[
            str, float
        ] = {}  # panel -> when it may be drawn next, for those with a share
        self._memory: dict[str, Memory] = {}
        self._kept: dict[str, tuple[Judgement | None, View]] = {}
        self._none: set[str] = set()  # panels that make no sense for this network and these data
        self._clock = (0.0, 0)  # computing seconds and samples when the speed was last read
        self._speed = 0.0

    def __call__(self) -> Frame:
        """The state of the run."""
        return self.frame()

    def look(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Take those controls that only ask for other pictures; the rest of them.

        The network need not take a step for these, so a paused run can be looked at, too.
        """
        rest = dict(changes)
        self.shown = str(rest.pop("panels", self.shown))
        for name in clicked():
            if name in rest:
                self._memory.setdefault(name, {})["number"] = int(rest.pop(name))
                self._kept.pop(name, None)
                self._none.discard(name)
        return rest

    def frame(self) -> Frame:
        """The state of the run."""
        session = self._session
        views: dict[str, View] = {}
        if session.complaint:
            views["notice"] = Note(session.complaint, "not taken", "warning")
        asked = {*self.shown.split(","), *self._opened()}
        for name in (name for name in in_order() if name in asked):
            view = self._view(name)
            if view is not None:
                views[name] = view
        return Frame(session.step, session.steps, views, self._facts(), leap=session.epoch_left)

    def _opened(self) -> list[str]:
        """The panels of what was clicked."""
        return [n for n in clicked() if self._memory.get(n, {}).get("number", NONE) != NONE]

    def _view(self, name: str) -> View | None:
        entry = panels.all().get(name)
        if entry is None or name in self._none:
            return None
        newest = self._session.full or self._session.judged
        if entry.facts.get("slow") and name in self._kept and self._kept[name][0] is newest:
            return self._kept[name][1]
        share = entry.facts.get("share")
        if share and name in self._kept and self._early(name):
            return self._kept[name][1]
        begun = time.monotonic()
        view: View | None = entry.function(self._session, self._memory.setdefault(name, {}))
        if share:
            now = time.monotonic()
            self._due[name] = now + (now - begun) / share
        if view is None:
            self._none.add(name)
            return None
        self._kept[name] = (newest, view)
        return view

    def _early(self, name: str) -> bool:
        """Whether drawing it again would take more of the time than its share; never at the end."""
        return time.monotonic() < self._due.get(name, 0.0) and not self._session.finished

    def _facts(self) -> dict[str, float]:
        session = self._session
        judged, full = session.judged, session.full
        facts: dict[str, float] = {}
        if judged is not None and session.classifies:
            facts["validation accuracy [%]"] = 100 * (full or judged).score
        elif judged is not None:
            facts["validation R²"] = (full or judged).score
        if judged is not None and session.data.per_pixel:
            facts["mean overlap (IoU) [%]"] = 100 * (full or judged).overlap
        if judged is not None and session.data.vocabulary and session.data.per_place:
            facts["perplexity"] = session.perplexity
            facts["validation loss [bit/token]"] = math.log2(session.perplexity)
        if (tested := session.tested()) is not None and session.classifies:
            facts["test accuracy [%]"] = 100 * tested.score
        elif tested is not None:
            facts["test R²"] = tested.score
        facts[f"train loss{session.objective.unit}"] = session.loss
        facts["epoch"] = session.epoch + session.seen / len(session.data.train_x)
        text = session.data.per_place and session.data.vocabulary
        places = session.data.train_y.shape[1] if text else 1
        facts["tokens/s" if text else "samples/s"] = self._rate() * places
        facts["learning rate"] = session.rate
        return facts

    def _rate(self) -> float:
        """Samples a second of computing over the last half second or more."""
        seconds, samples = self._clock
        passed = self._session.seconds - seconds
        if passed > 0.5 or (self._speed == 0 and passed > 0):
            self._speed = (self._session.samples - samples) / passed
            self._clock = (self._session.seconds, self._session.samples)
        return self._speed
