"""What a training shows: the panels that are asked for, and the headline numbers."""

from __future__ import annotations

import math

from engine.training.judging import Judgement
from engine.training.panels import Memory, in_order, panels
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
        self._memory: dict[str, Memory] = {}
        self._kept: dict[str, tuple[Judgement | None, View]] = {}
        self._none: set[str] = set()  # panels that make no sense for this network and these data
        self._clock = (0.0, 0)  # computing seconds and samples when the speed was last read
        self._speed = 0.0

    def frame(self) -> Frame:
        """The state of the run."""
        session = self._session
        views: dict[str, View] = {}
        if session.complaint:
            views["notice"] = Note(session.complaint, "not taken", "warning")
        asked = self.shown.split(",")
        for name in (name for name in in_order() if name in asked):
            view = self._view(name)
            if view is not None:
                views[name] = view
        return Frame(session.step, session.steps, views, self._facts(), leap=session.epoch_left)

    def _view(self, name: str) -> View | None:
        entry = panels.all().get(name)
        if entry is None or name in self._none:
            return None
        newest = self._session.full or self._session.judged
        if entry.facts.get("slow") and name in self._kept and self._kept[name][0] is newest:
            return self._kept[name][1]
        view: View | None = entry.function(self._session, self._memory.setdefault(name, {}))
        if view is None:
            self._none.add(name)
            return None
        self._kept[name] = (newest, view)
        return view

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
