"""The curves of a run: bounded in length, so that a long run costs no more than a short one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.views import Curve

LONGEST = 1000  # points a curve; beyond, every other one is dropped and the spacing doubles
MOST_MARKS = 20
EARLY = 3  # before `every`, points lie a third of the way apart: most happens at first


@dataclass
class History:
    """What was measured when.

    Attributes:
        every: How many steps lie between two points at least, once the run is on its way.
        early: Until then, points lie one part of so many of the way apart.
        steps: The steps at which something was measured, `(n,)`.
        lines: Name -> what was measured there, `(n,)`.
        marks: Words -> the step at which a control was turned.
    """

    every: int
    early: int = EARLY
    steps: list[int] = field(default_factory=list)
    lines: dict[str, list[float]] = field(default_factory=dict)
    marks: dict[str, float] = field(default_factory=dict)

    def due(self, step: int) -> bool:
        """Whether it is time for another point."""
        return not self.steps or step >= self._next()

    def until(self, step: int) -> int:
        """Steps from here to the next point, at least 1."""
        return max(1, self._next() - step) if self.steps else 1

    def add(self, step: int, values: dict[str, float]) -> None:
        """Put down a point; a second one at the same step replaces the first."""
        if self.steps and self.steps[-1] == step:
            for name, value in values.items():
                self.lines[name][-1] = value
            return
        self.steps.append(step)
        for name, value in values.items():
            self.lines.setdefault(name, []).append(value)
        if len(self.steps) > LONGEST:
            self._thin()

    def mark(self, step: int, name: str, value: float | str | bool) -> None:
        """Note that a control was turned; a slider still moving leaves one mark, not fifty."""
        moving = [
            text
            for text, at in self.marks.items()
            if text.startswith(f"{name} ") and step - at < self.every
        ]
        for text in moving:
            del self.marks[text]
        told = value if isinstance(value, str | bool) else f"{value:g}"
        self.marks[f"{name} {told} from step {step}"] = float(step)
        while len(self.marks) > MOST_MARKS:
            del self.marks[next(iter(self.marks))]

    def curve(self, names: Sequence[str], ylabel: str, *, log: bool = False) -> Curve:
        """Some of the lines, named by their last word: `"loss train"` is called `train`."""
        return Curve(
            np.array(self.steps, dtype=np.float64),
            {name.rpartition(" ")[2]: np.array(self.lines.get(name, [])) for name in names},
            ylabel=ylabel,
            log=log,
            marks=dict(self.marks),
        )

    def to_json(self) -> dict[str, object]:
        """The history as plain data."""
        return {
            "every": self.every,
            "early": self.early,
            "steps": self.steps,
            "lines": self.lines,
            "marks": self.marks,
        }

    def _next(self) -> int:
        """The step of the next point: close together at first, where most happens."""
        last = self.steps[-1]
        return last + max(1, min(self.every, last // self.early))

    def _thin(self) -> None:
        """Drop every other point, but neither the first nor the last."""
        self.every *= 2
        kept = [*range(0, len(self.steps) - 1, 2), len(self.steps) - 1]
        self.steps = [self.steps[i] for i in kept]
        self.lines = {name: [line[i] for i in kept] for name, line in self.lines.items()}
