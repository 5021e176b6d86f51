"""How well a network does on samples that it does not learn from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import nn

from engine.data import DataSet
from engine.data.dataset import IGNORED
from engine.models.layout import laid_out
from engine.training.checkpoint import finite
from engine.training.objective import Objective

BATCH = 500  # samples a forward pass when nothing is learnt
PLACES = 16_000  # of sequences with an answer at each place, or pixels, likewise


@dataclass(frozen=True)
class Judgement:
    """How well the network does on samples it does not learn from.

    Attributes:
        loss: Mean loss of a sample, or of a place that is judged.
        score: Part that is right, or R² for regression.
        samples: On how many.
        confusion: How often class `row` was called `column`, `(classes, classes)`; empty for
            regression.
        step: When.
        said: The class that was said of each, `(samples,)`, or `(samples, places)`; empty for
            regression, and of a judgement that was read from a checkpoint.
    """

    loss: float
    score: float
    samples: int
    confusion: torch.Tensor
    step: int
    said: torch.Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))

    @property
    def overlap(self) -> float:
        """Mean over the classes of what is common to answer and truth, by what is in either.

        Classes that stand in neither do not count; NaN for regression.

        Source: Jaccard (1901), Étude comparative de la distribution florale.
        """
        common = self.confusion.diagonal().double()
        either = self.confusion.sum(0) + self.confusion.sum(1) - common
        there = either > 0
        return float((common[there] / either[there]).mean()) if bool(there.any()) else math.nan

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        plain = {**asdict(self), "confusion": self.confusion.tolist()}
        del plain["said"]  # a checkpoint does not grow with the samples
        return {**plain, "loss": finite(self.loss), "score": finite(self.score)}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Judgement:
        """The judgement that `to_json` wrote."""
        numbers = {k: math.nan if plain[k] is None else plain[k] for k in ("loss", "score")}
        confusion = torch.tensor(plain["confusion"], dtype=torch.int64)
        return cls(**{**plain, **numbers, "confusion": confusion})


def judge(
    module: nn.Module, data: DataSet, objective: Objective, samples: int, step: int
) -> Judgement:
    """Look at the first `samples` validation samples without learning from them."""
    training = module.training
    module.eval()
    x, y = data.valid_x[:samples], data.valid_y[:samples]
    rows = max(1, PLACES // y[0].numel()) if data.task == "classification" else BATCH
    rows = min(BATCH, rows)
    with torch.inference_mode():
        scores = torch.cat([module(*data.inputs(laid_out(part))) for part in x.split(rows)])
        loss, score = objective.loss(scores, y).item(), objective.score(scores, y).item()
        said = objective.said(scores) if data.classes else torch.zeros(0, dtype=torch.int64)
        confusion = _confusion(said, y, len(data.classes))
    module.train(training)
    return Judgement(loss, score, len(x), confusion, step, said)


def _confusion(said: torch.Tensor, y: torch.Tensor, count: int) -> torch.Tensor:
    if not count:
        return torch.zeros(0, 0, dtype=torch.int64)
    judged = y != IGNORED
    cells = y[judged].long() * count + said[judged]
    return torch.bincount(cells, minlength=count**2).reshape(count, count)
