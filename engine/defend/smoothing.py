"""Randomised smoothing: a certificate for any classifier, by counting its answers under noise.

The smoothed classifier says what the network says most often to `x + N(0, σ² I)`. If the chance of
that class is at least `p > 1/2`, no change shorter than `σ Φ⁻¹(p)` in L2 moves the answer. `p` is
bounded from below with confidence `1 − α` from counts (Clopper & Pearson); where the bound is not
above one half, the classifier abstains.

Source: Cohen, Rosenfeld & Kolter (2019), Certified adversarial robustness via randomized
smoothing, algorithm 1 (`certify`) and theorem 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from engine.explain.table import calm

BATCH = 500  # noisy copies through the network at a time
ABSTAIN = -1


@dataclass(frozen=True)
class Certificate:
    """What is certain of one sample.

    Attributes:
        answer: The class, or `ABSTAIN`.
        radius: No change shorter than this moves it, in L2; 0 where it abstains.
        votes: How often the class was said.
        draws: Among how many noisy copies.
        chance: The lower bound of the class's chance.
    """

    answer: int
    radius: float
    votes: int
    draws: int
    chance: float


def certify(
    module: nn.Module,
    x: torch.Tensor,
    *,
    sigma: float,
    draws: int,
    first: int = 100,
    alpha: float = 0.001,
    generator: torch.Generator,
) -> Certificate:
    """The smoothed answer to one sample and how far it holds.

    Args:
        module: The network.
        x: One sample, `(1, ...)`, in [0, 1].
        sigma: Standard deviation of the noise.
        draws: Noisy copies that the chance is estimated from.
        first: Noisy copies, others, that the class is chosen from.
        alpha: How likely the certificate may be wrong.
        generator: Where the noise comes from.
    """
    guess = int(_votes(module, x, sigma, first, generator).argmax())
    votes = int(_votes(module, x, sigma, draws, generator)[guess])
    return from_votes(guess, votes, draws, sigma=sigma, alpha=alpha)


def from_votes(guess: int, votes: int, draws: int, *, sigma: float, alpha: float) -> Certificate:
    """The certificate for given counts: `σ Φ⁻¹(p)`, or none where p is not above one half."""
    chance = lower_bound(votes, draws, alpha)
    if chance <= 0.5:
        return Certificate(ABSTAIN, 0.0, votes, draws, chance)
    return Certificate(guess, sigma * quantile(chance), votes, draws, chance)


def lower_bound(votes: int, draws: int, alpha: float) -> float:
    """The smallest chance that could give so many votes: with confidence `1 − α` it is larger.

    It solves `P(X >= votes) = α` for a binomial X, by halving: the tail grows with the chance.

    Source: Clopper & Pearson (1934), The use of confidence or fiducial limits illustrated in the
    case of the binomial.
    """
    if votes == 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _tail(votes, draws, middle) < alpha:
            low = middle
        else:
            high = middle
    return low


def quantile(chance: float) -> float:
    """`Φ⁻¹`: the standard normal is below it with this chance."""
    return float(torch.special.ndtri(torch.tensor(chance, dtype=torch.float64)))


def _tail(votes: int, draws: int, chance: float) -> float:
    """`P(X >= votes)` for a binomial X, summed from logarithms, which do not underflow."""
    if chance <= 0.0 or chance >= 1.0:
        return float(chance >= 1.0)
    k = torch.arange(votes, draws + 1, dtype=torch.float64)
    ways = math.lgamma(draws + 1) - torch.lgamma(k + 1) - torch.lgamma(draws - k + 1)
    logs = ways + k * math.log(chance) + (draws - k) * math.log1p(-chance)
    return float(logs.logsumexp(0).exp())


def _votes(
    module: nn.Module, x: torch.Tensor, sigma: float, draws: int, generator: torch.Generator
) -> torch.Tensor:
    """How often each class is said to noisy copies, `(classes,)`."""
    counts: list[torch.Tensor] = []
    with calm(module), torch.no_grad():
        for begin in range(0, draws, BATCH):
            count = min(BATCH, draws - begin)
            noise = torch.randn((count, *x.shape[1:]), generator=generator)
            scores = module(x + sigma * noise)
            counts.append(torch.bincount(scores.argmax(1), minlength=scores.shape[1]))
    return torch.stack(counts).sum(0)
