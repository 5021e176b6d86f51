"""A kept run as other programs take it: parameters by name, figures by step and time."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.store.folder import KeptRun
from engine.store.measured import history
from engine.store.register import register


@dataclass(frozen=True)
class Point:
    """What was measured at a step.

    Attributes:
        step: Which.
        when: About the time it was taken [s since 1970]: the time between the run's beginning
            and its end is shared evenly among steps, because none is kept with each.
        values: Name, as `loss/train`, -> a finite number.
    """

    step: int
    when: float
    values: Mapping[str, float]


@dataclass(frozen=True)
class Story:
    """A kept run from beginning to end.

    Attributes:
        run: What the register says of it.
        folder: Where its files are.
        points: What was measured, in order.
        marks: Words -> the step at which a control was turned.
    """

    run: KeptRun
    folder: Path
    points: tuple[Point, ...]
    marks: Mapping[str, float]

    @property
    def parameters(self) -> dict[str, str | float | bool]:
        """How it was made, as plain values."""
        told: dict[str, Any] = {
            "network": self.run.model,
            "data": self.run.data,
            "parameters": self.run.parameters,
            **self.run.settings,
        }
        plain = (str, int, float, bool)
        return {k: v if isinstance(v, plain) else str(v) for k, v in told.items()}

    @property
    def figures(self) -> dict[str, float]:
        """What was measured last."""
        return {name.replace("R²", "r2"): value for name, value in self.run.figures.items()}

    @property
    def ended(self) -> float:
        """When it ended, or when it was last heard of [s since 1970]."""
        return self.run.ended or self.points[-1].when if self.points else self.run.created


def told(id: str, owner: str | None = None) -> Story:
    """The story of a kept run.

    Raises:
        LookupError: There is none of that owner, or its files are elsewhere.
    """
    run = register().find(id, owner)
    folder = register().folder(id)
    past = history(folder)
    if past is None or not past.steps:
        return Story(run, folder, (), {})
    score = "r2" if "R²" in run.figures else "accuracy"
    last, end = past.steps[-1], run.ended or folder.stat().st_mtime
    each = max(0.0, end - run.created) / max(1, last)
    points = []
    for place, step in enumerate(past.steps):
        here = {_tag(name, score): line[place] for name, line in past.lines.items()}
        finite = {tag: value for tag, value in here.items() if math.isfinite(value)}
        points.append(Point(step, run.created + each * step, finite))
    return Story(run, folder, tuple(points), past.marks)


def _tag(line: str, score: str) -> str:
    """`"score train"` as `accuracy/train`, with signs that all programs take."""
    words = line.replace("score", score).replace("learning rate", "learning_rate")
    return re.sub(r"[^\w./-]", "_", words.replace(" ", "/"))
