"""Find marked samples in a training set by what a network trained on it makes of them.

Both look at one class at a time: samples that carry a secret mark are called the same for another
reason than the rest, and that reason shows. It shows best one layer with weights before the last
hidden one: on the small networks here the last has already made marked and clean samples alike
(area under the curve 0.7 to 0.85 there, 0.95 to 1.0 one layer before, for 3 % of poison).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from engine.defend.features import features

ROUNDS = 30  # of 2-means
STARTS = 5
BACK = 1  # layers with weights before the last
KEPT = 10  # directions in which most of a class's spread lies


def spectral(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """How far each sample lies along its class's strongest direction, `(n,)`; large is suspicious.

    `((h − m) · v)²` with v the first right singular vector of the class's centred features. The
    middle m is the median, which a minority does not move; the paper takes the mean.

    Source: Tran, Li & Madry (2018), Spectral signatures in backdoor attacks.
    """
    seen = features(module, x, back=BACK).double()
    scores = torch.zeros(len(x), dtype=torch.float64)
    for one in y.unique():
        own = seen[y == one]
        centred = own - own.median(0).values
        direction = torch.linalg.svd(centred, full_matrices=False).Vh[0]
        scores[y == one] = (centred @ direction).square()
    return scores


@dataclass(frozen=True)
class Split:
    """A class parted in two.

    Attributes:
        smaller: Which of its samples are in the smaller part, `(n,)` booleans.
        share: How large that part is.
        silhouette: How clearly the two are apart, from -1 to 1.
    """

    smaller: torch.Tensor
    share: float
    silhouette: float


def clusters(module: nn.Module, x: torch.Tensor, seed: int = 0) -> Split:
    """The samples of one class parted in two by their features; a small, clear part is suspicious.

    Source: Chen et al. (2018), Detecting backdoor attacks on deep neural networks by activation
    clustering (with principal instead of independent components).
    """
    seen = features(module, x, back=BACK).double()
    centred = seen - seen.mean(0)
    rows = torch.linalg.svd(centred, full_matrices=False).Vh[:KEPT]
    part = _two_means(centred @ rows.T, torch.Generator().manual_seed(seed))
    smaller = part if part.double().mean() <= 0.5 else ~part
    return Split(smaller, float(smaller.double().mean()), _silhouette(centred @ rows.T, smaller))


def _two_means(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Which samples are nearer to the second of two means, `(n,)`; the best of some starts."""
    best, least = torch.zeros(len(x), dtype=torch.bool), float("inf")
    for _ in range(STARTS):
        means = x[torch.randperm(len(x), generator=generator)[:2]]
        for _ in range(ROUNDS):
            second = torch.cdist(x, means).argmin(1) == 1
            if not 0 < int(second.sum()) < len(x):
                break
            means = torch.stack([x[~second].mean(0), x[second].mean(0)])
        apart = torch.cdist(x, means)
        total = float(apart.amin(1).square().sum())
        if total < least:
            best, least = apart.argmin(1) == 1, total
    return best


def _silhouette(x: torch.Tensor, part: torch.Tensor) -> float:
    """Mean of `(b − a) / max(a, b)`: a the distance to one's own part, b to the other.

    Source: Rousseeuw (1987), Silhouettes: a graphical aid to the interpretation of clusters.
    """
    if not 0 < int(part.sum()) < len(x):
        return 0.0
    apart = torch.cdist(x, x)
    to_part, to_rest = apart[:, part].sum(1), apart[:, ~part].sum(1)
    count, rest = int(part.sum()), int((~part).sum())
    own = torch.where(part, to_part / max(1, count - 1), to_rest / max(1, rest - 1))
    other = torch.where(part, to_rest / rest, to_part / count)
    alone = torch.where(part, count == 1, rest == 1)
    value = (other - own) / torch.maximum(own, other).clamp_min(1e-12)
    return float(value.masked_fill(alone, 0).mean())
