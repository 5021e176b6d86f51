"""What a generative model's training shows: the panels asked for, and the headline numbers."""

from __future__ import annotations

import time

from engine.generate.learner import Learner
from engine.generate.panels import in_order, panels
from engine.views import Frame, View

SHARE = 0.25  # of the computing time that drawing a panel may take


def standard() -> str:
    """The panels that are shown at first."""
    return ",".join(name for name in in_order() if panels.find(name).facts["shown"])


class Pictures:
    """Makes a frame of a learner; a panel that takes long is drawn anew less often.

    Attributes:
        shown: Names of panels with commas between; only these are computed.
    """

    def __init__(self, learner: Learner, shown: str) -> None:
        self._learner = learner
        self.shown = shown
        self._memory: dict[str, dict[str, object]] = {}
        self._kept: dict[str, View] = {}
        self._due: dict[str, float] = {}  # panel -> computing time of the run from which it is due
        self._none: set[str] = set()

    def frame(self) -> Frame:
        """The state of the run."""
        learner, asked = self._learner, self.shown.split(",")
        views: dict[str, View] = {}
        for name in (name for name in in_order() if name in asked):
            if (view := self._view(name)) is not None:
                views[name] = view
        facts = {**learner.measured, **learner.scores}
        if learner.seconds:
            facts["steps/s"] = learner.taken / learner.seconds
        return Frame(learner.step, learner.steps, views, facts)

    def _view(self, name: str) -> View | None:
        if name in self._none or name not in panels.all():
            return None
        early = self._learner.seconds < self._due.get(name, 0.0)
        if early and not self._learner.finished:
            return self._kept[name]
        begun = time.perf_counter()
        view: View | None = panels.find(name).function(
            self._learner, self._memory.setdefault(name, {})
        )
        cost = time.perf_counter() - begun
        self._due[name] = self._learner.seconds + cost / SHARE
        if view is None:
            self._none.add(name)
            return None
        self._kept[name] = view
        return view
