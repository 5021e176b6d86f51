"""How the numbers of each layer were spread at some steps of a run: a histogram each.

There are at most `MOST` steps; when there are more, every other one goes and the spacing doubles,
as with the points of the curves. A run keeps them with its checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch

from engine.views import Array

MOST = 48
BINS = 24
NUMBERS = 20_000  # of a layer that are looked at
TAIL = 0.002  # of them at either end are left out


@dataclass
class Spreads:
    """What one kind of numbers (weights, activations, gradients) looked like, layer by layer.

    Attributes:
        every: Steps between two that are kept, at least.
        steps: The steps that are kept, rising, `(n,)`.
        ends: Layer -> the least and the largest number at each, `(n, 2)`.
        shares: Layer -> part of the numbers in each of `BINS` equal bins between them, `(n, BINS)`.
    """

    every: int
    steps: list[int] = field(default_factory=list)
    ends: dict[str, list[list[float]]] = field(default_factory=dict)
    shares: dict[str, list[list[float]]] = field(default_factory=dict)

    def due(self, step: int) -> bool:
        """Whether it is time to keep another step."""
        return not self.steps or step >= self.steps[-1] + self.every

    def add(self, step: int, named: Mapping[str, torch.Tensor]) -> None:
        """Keep a step: layer -> its numbers."""
        self.steps.append(step)
        for name, tensor in named.items():
            ends, shares = _histogram(tensor)
            self.ends.setdefault(name, []).append(ends)
            self.shares.setdefault(name, []).append(shares)
        if len(self.steps) > MOST:
            self._thin()

    def picture(self, name: str, rows: int, columns: int) -> tuple[Array, float, float]:
        """A layer's histograms side by side, steps from left to right, values upwards.

        Returns:
            Densities, `(rows, columns)` with row 0 at the top, each column over its largest; the
            least value and the largest.
        """
        ends = np.array(self.ends[name])
        low, high = float(ends[:, 0].min()), float(ends[:, 1].max())
        edges = np.linspace(low, high, rows + 1)
        wanted = np.linspace(self.steps[0], self.steps[-1], columns)
        nearest = np.abs(np.array(self.steps)[:, None] - wanted).argmin(0)
        drawn = np.zeros((rows, columns))
        for column, kept in enumerate(nearest):
            own = np.linspace(ends[kept, 0], ends[kept, 1], BINS + 1)
            below = np.concatenate([[0.0], np.cumsum(self.shares[name][kept])])
            drawn[:, column] = np.diff(np.interp(edges, own, below))[::-1]
        most = drawn.max(0)
        return drawn / np.where(most > 0, most, 1.0), low, high

    def _thin(self) -> None:
        """Drop every other step, but neither the first nor the last."""
        self.every *= 2
        kept = [*range(0, len(self.steps) - 1, 2), len(self.steps) - 1]
        self.steps = [self.steps[i] for i in kept]
        for lines in (self.ends, self.shares):
            lines.update({name: [line[i] for i in kept] for name, line in lines.items()})

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def _histogram(tensor: torch.Tensor) -> tuple[list[float], list[float]]:
    """The ends between which nearly all numbers lie, and the part of them in each bin."""
    numbers = tensor.detach().float().flatten()[:NUMBERS].numpy()
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return [0.0, 1e-9], [0.0] * BINS
    low, high = (float(end) for end in np.quantile(numbers, (TAIL, 1 - TAIL)))
    high = max(high, low + 1e-9 + 1e-6 * abs(low))  # numbers that are all the same have a bin, too
    counts = np.histogram(numbers.clip(low, high), BINS, (low, high))[0]
    return [low, high], [round(float(share), 4) for share in counts / len(numbers)]
