"""Does a network use a concept? Directions in a layer that a person has named by examples.

Source: Kim et al. (2018), Interpretability beyond feature attribution: quantitative testing with
concept activation vectors (TCAV).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from engine.explain.layers import inside
from engine.explain.table import calm

RIDGE = 1e-2
NEWTON = 30  # steps at most
BATCH = 128


@dataclass(frozen=True)
class Concept:
    """A direction in a layer.

    Attributes:
        vector: Of length one, `(units,)`.
        accuracy: The part of held-out examples it tells from others.
    """

    vector: torch.Tensor
    accuracy: float


@dataclass(frozen=True)
class Score:
    """How a concept bears on a class.

    Attributes:
        share: The part of the class's samples whose score rises along the concept, one number for
            every draw of other examples.
        chance: The same for concepts of random examples.
        p: How likely the two would differ by so much if the concept meant nothing.
        accuracy: How well the concept is told from other examples, on average.
    """

    share: tuple[float, ...]
    chance: tuple[float, ...]
    p: float
    accuracy: float

    @property
    def mean(self) -> float:
        """The mean share."""
        return float(np.mean(self.share))


def vectors(
    module: nn.Module, layer: nn.Module, x: torch.Tensor, target: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """What a layer's units say and the score's slope along each, both `(n, units)`.

    Every place of a map is a unit of its own, as in the paper.
    """
    values, slopes = [], []
    with calm(module):
        for some in x.split(BATCH):
            wanted = torch.full((len(some),), target)
            out, slope = inside("concepts", module, layer, some, wanted)
            values.append(out.flatten(1))
            slopes.append(slope.flatten(1))
    return torch.cat(values), torch.cat(slopes)


def concept(examples: torch.Tensor, others: torch.Tensor, *, seed: int = 0) -> Concept:
    """The direction that tells examples `(n, units)` from others `(m, units)`.

    The normal of a logistic regression on four fifths of them, judged on the rest.
    """
    x = torch.cat([examples, others]).double()
    y = torch.cat([torch.ones(len(examples)), torch.zeros(len(others))]).double()
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    cut = max(1, len(x) // 5)
    held, used = order[:cut], order[cut:]
    centre, spread = x[used].mean(0), x[used].std(0)
    spread = torch.where(spread > 1e-9, spread, torch.ones_like(spread))
    weight, bias = _logistic((x[used] - centre) / spread, y[used])
    said = (x[held] - centre) / spread @ weight + bias > 0
    accuracy = float((said == (y[held] > 0.5)).double().mean())
    vector = weight / spread
    return Concept((vector / vector.norm().clamp_min(1e-12)).float(), accuracy)


def _logistic(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Ridge logistic regression by Newton's method: weights `(units,)` and bias `()`.

    The best weights lie in the span of the examples, which has at most as many directions as
    there are examples; the rest of a large layer need not be looked at.
    """
    left, sizes, axes = torch.linalg.svd(x, full_matrices=False)
    design = torch.cat([left * sizes, torch.ones(len(x), 1, dtype=x.dtype)], 1)
    ridge = RIDGE * torch.eye(design.shape[1], dtype=x.dtype)
    ridge[-1, -1] = 1e-9
    found = torch.zeros(design.shape[1], dtype=x.dtype)
    for _ in range(NEWTON):
        said = torch.sigmoid(design @ found)
        slope = design.T @ (said - y) / len(y) + ridge @ found
        bent = (design.T * (said * (1 - said))) @ design / len(y) + ridge
        step = torch.linalg.solve(bent, slope)
        found = found - step
        if float(step.abs().max()) < 1e-8:
            break
    return axes.T @ found[:-1], found[-1]


def directions(
    module: nn.Module,
    layer: nn.Module,
    examples: torch.Tensor,
    pool: torch.Tensor,
    *,
    draws: int = 10,
    seed: int = 0,
) -> Iterator[tuple[Concept, Concept]]:
    """The concept against other and other counter-examples, each beside a concept of chance.

    Args:
        module: The network.
        layer: Where the concept is looked for.
        examples: Of the concept, `(m, ...)`.
        pool: Other samples, from which the counter-examples are drawn.
        draws: How often.
        seed: Of the draws.
    """
    ours, others = (vectors(module, layer, some, 0)[0] for some in (examples, pool))
    generator = torch.Generator().manual_seed(seed)
    size = min(len(ours), len(others) // 2)
    for draw in range(draws):
        order = torch.randperm(len(others), generator=generator)
        against, chance = others[order[:size]], others[order[size : 2 * size]]
        yield concept(ours, against, seed=draw), concept(against, chance, seed=draw)


def tcav(
    module: nn.Module,
    layer: nn.Module,
    x: torch.Tensor,
    target: int,
    drawn: Sequence[tuple[Concept, Concept]],
) -> Score:
    """How a concept bears on a class.

    Args:
        module: The network.
        layer: Where the concept was looked for.
        x: Samples of the class, `(n, ...)`.
        target: The class.
        drawn: What `directions` found.
    """
    slopes = vectors(module, layer, x, target)[1]
    share = [_rising(slopes, found) for found, _ in drawn]
    chance = [_rising(slopes, empty) for _, empty in drawn]
    accuracy = float(np.mean([found.accuracy for found, _ in drawn]))
    return Score(tuple(share), tuple(chance), _unlikely(share, chance), accuracy)


def _rising(slopes: torch.Tensor, found: Concept) -> float:
    return float((slopes @ found.vector > 0).float().mean())


def _unlikely(share: list[float], chance: list[float]) -> float:
    """Welch's t-test, as in the paper; 1 while there is too little to tell."""
    from scipy import stats  # here: it takes a second to import

    if len(share) < 3:
        return 1.0
    if np.ptp(share) < 1e-9:  # every draw says the same: only chance has a scatter
        if np.ptp(chance) < 1e-9:
            return 1.0 if abs(share[0] - chance[0]) < 1e-9 else 0.0
        return float(np.asarray(stats.ttest_1samp(chance, share[0]))[1])
    return float(np.asarray(stats.ttest_ind(share, chance, equal_var=False))[1])
