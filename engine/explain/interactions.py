"""What two parts of an input give together that neither gives alone."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from engine.explain.methods.shapley import MOST_EXACT, all_coalitions
from engine.explain.parts import Floats, Worth, players, worth_of
from engine.explain.table import calm


def shapley_interactions(
    module: nn.Module, x: torch.Tensor, target: int, *, grid: int = 3, baseline: float = 0.0
) -> Floats:
    """Shapley interaction values of the parts of one sample, `(parts, parts)`.

    Off the diagonal stands half of what the pair gives together, on it what is left of each
    part's Shapley value; every row sums to that value, all rows to `F(x) − F(baseline)`. Exact:
    every coalition is tried.

    Args:
        module: The network.
        x: One sample, `(1, ...)`.
        target: The output.
        grid: Into how many parts, see `engine.explain.parts`.
        baseline: What stands for a missing number.

    Raises:
        ValueError: There are more than twelve parts.

    Source: Grabisch & Roubens (1999), An axiomatic approach to the concept of interaction among
    players in cooperative games; with this diagonal: Lundberg et al. (2020), From local
    explanations to global understanding with explainable AI for trees.
    """
    parts = players(x, grid)
    count = int(parts.max()) + 1
    if count > MOST_EXACT:
        raise ValueError(
            f"interactions: tries all coalitions, so at most {MOST_EXACT} parts; this input has "
            f"{count}. Take a coarser grid, or a model with fewer columns"
        )
    with calm(module):
        worth = worth_of(module, x[0], target, parts[0], baseline)
        return of_game(worth, count)


def of_game(worth: Worth, count: int) -> Floats:
    """The same for any game of `count` players, `(count, count)`."""
    shown, numbers = all_coalitions(count), np.arange(2**count)
    value, size = worth(shown), shown.sum(1)
    out = np.zeros((count, count))
    alone = np.array([_weight(s, count, 1) for s in range(count)])
    together = np.array([_weight(s, count, 2) for s in range(max(1, count - 1))])
    for i in range(count):
        without = numbers[~shown[:, i]]
        out[i, i] = (alone[size[without]] * (value[without | 1 << i] - value[without])).sum()
    for i in range(count):
        for j in range(i):
            rest = numbers[~shown[:, i] & ~shown[:, j]]
            both = value[rest | 1 << i | 1 << j] - value[rest | 1 << i]
            gain = both - value[rest | 1 << j] + value[rest]
            out[i, j] = out[j, i] = (together[size[rest]] * gain).sum() / 2
    single = np.diag(out).copy()
    np.fill_diagonal(out, single - (out.sum(1) - single))
    return out


def _weight(size: int, count: int, joining: int) -> float:
    """The weight of a coalition of that size which one or two players join."""
    left = count - size - joining
    return math.factorial(size) * math.factorial(left) / math.factorial(count - joining + 1)
