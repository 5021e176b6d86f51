"""What a training makes small, and how right the answers are."""

from __future__ import annotations

import torch
from torch.nn import functional

from engine.data import DataSet
from engine.data.dataset import IGNORED
from engine.training.losses import AUTOMATIC, choose
from engine.training.settings import Settings

Tensor = torch.Tensor


class Objective:
    """The loss of some settings on a data set.

    Attributes:
        unit: Of the loss, in brackets after a space; empty for a pure number.
        classifies: Whether answers are classes.
        name: What the loss is called, `automatic` resolved.
    """

    def __init__(self, data: DataSet, settings: Settings) -> None:
        self.classifies = data.task == "classification"
        self._pixels = data.per_pixel
        self.name = AUTOMATIC[data.task] if settings.loss == "automatic" else settings.loss
        self._each, self.unit = choose(settings.loss, data.task, settings.__dict__)
        self._weights = _balance(data) if settings.balance and self.classifies else None
        self._spread = 1.0
        if not self.classifies:
            self._spread = float(data.train_y.var(dim=0, correction=0).mean()) or 1.0

    def loss(self, scores: Tensor, y: Tensor) -> Tensor:
        """The mean over samples (or places or pixels that are judged), `()`."""
        if self.classifies and scores.ndim > 2:  # every place of a sequence is a sample of its own
            judged = y.flatten() != IGNORED
            scores, y = self._last(scores).flatten(0, -2)[judged], y.flatten()[judged]
        elif scores.ndim > 2:  # a picture as the answer
            scores, y = scores.flatten(1), y.flatten(1)
        each = self._each(scores, y)
        if self._weights is None:
            return each.mean()
        weights = self._weights[y]
        return (each * weights).sum() / weights.sum()

    def score(self, scores: Tensor, y: Tensor) -> Tensor:
        """Part that is right, or R² (one minus squared error over variance), `()`."""
        if self.classifies:
            judged = y != IGNORED
            return ((self.said(scores) == y) & judged).sum() / judged.sum().clamp_min(1)
        return self.r2(functional.mse_loss(scores, y))

    def said(self, scores: Tensor) -> Tensor:
        """The class with the highest score, for each sample, place or pixel."""
        return self._last(scores).argmax(-1)

    def _last(self, scores: Tensor) -> Tensor:
        """Scores with the classes on the last axis; of pixels they stand on the second."""
        return scores.movedim(1, -1) if self._pixels else scores

    def r2(self, square: Tensor | float) -> Tensor:
        """R² from the mean squared error."""
        return torch.as_tensor(1 - square / self._spread)


def _balance(data: DataSet) -> Tensor:
    """Weights by which each class counts the same in sum, `(classes,)`; their mean is 1."""
    counts = torch.bincount(data.train_y[data.train_y != IGNORED], minlength=len(data.classes))
    present = counts > 0
    return torch.where(present, counts.sum() / (present.sum() * counts.clamp_min(1)), 0.0)
