"""The learning rate of a step, and when a run has learnt enough."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from engine.training.judging import Judgement
from engine.training.schedules import factor
from engine.training.settings import Settings

PATIENCE = 3  # epochs without a better loss after which `plateau` halves the rate
BETTER = 1e-4  # relative


@dataclass
class Progress:
    """What the ends of epochs have told so far.

    Attributes:
        best: The least validation loss at the end of an epoch.
        waited: Epochs since then.
        halved: How often `plateau` has halved the rate.
        since: Epochs since the best or since the last halving.
        reason: Why the run ended before its last epoch; empty while it goes on.
    """

    best: float = math.inf
    waited: int = 0
    halved: int = 0
    since: int = 0
    reason: str = ""

    def note(self, judged: Judgement, settings: Settings) -> None:
        """An epoch has ended."""
        if judged.loss < self.best * (1 - BETTER):
            self.best, self.waited, self.since = judged.loss, 0, 0
        else:
            self.waited, self.since = self.waited + 1, self.since + 1
        if settings.schedule == "plateau" and self.since >= PATIENCE:
            self.halved, self.since = self.halved + 1, 0
        if settings.patience and self.waited >= settings.patience:
            self.reason = f"no better validation loss for {self.waited} epochs"
        elif settings.goal and 100 * judged.score >= settings.goal:
            self.reason = f"the goal of {settings.goal:g} % is reached"

    def rate(self, settings: Settings, done: float) -> float:
        """The learning rate where a part `done` of the planned steps is behind."""
        name = "constant" if settings.schedule == "plateau" else settings.schedule
        lowered = 0.5**self.halved if settings.schedule == "plateau" else 1.0
        return settings.learning_rate * lowered * factor(name, done, settings.warmup)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "best": self.best if math.isfinite(self.best) else None}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Progress:
        """What `to_json` wrote."""
        best = math.inf if plain.get("best") is None else plain["best"]
        return cls(**{**plain, "best": best})
