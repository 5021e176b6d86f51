"""Langevin chains: down the slope of an energy, shaken by noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Step:
    """How a chain steps.

    Attributes:
        size: h, the length of a step.
        temperature: Of the noise; 1 draws from e^(-E), 0 only rolls down.
        noise: By which the data are smeared in training.
        longest: How far the slope may carry a number in one step; None: as far as it does. Cliffs
            would throw chains away else.
        bound: Chains stay in [-bound, bound]; None lets them go.
    """

    size: float
    temperature: float = 1.0
    noise: float = 0.0
    bound: float | None = None
    longest: float | None = None


@dataclass(frozen=True)
class Place:
    """Where chains are.

    Attributes:
        number: Steps taken.
        x: `(n, *shape)`.
        energy: E there, `(n,)`; NaN at the end, where nobody has asked.
        slope: ∇E there, like x.
    """

    number: int
    x: torch.Tensor
    energy: torch.Tensor
    slope: torch.Tensor


def langevin(
    energy: Callable[[torch.Tensor], torch.Tensor],
    x: torch.Tensor,
    count: int,
    step: Step,
    draw: torch.Generator,
) -> Iterator[Place]:
    """Every place of chains that go x' = x - h ∇E(x) + √(2 h T) z; `count` + 1 of them.

    Without correction the chains sample a distribution a little too wide: for a Gaussian of
    variance s² they come to s² / (1 - h / 2s²).

    Args:
        energy: Samples -> their energies, `(n,)` [nat].
        x: Where they begin.
        count: How many steps.
        step: Their length, and the noise.
        draw: Of the noise.

    Source: Roberts and Tweedie (1996), Exponential Convergence of Langevin Distributions and Their
    Discrete Approximations.
    """
    shake = math.sqrt(2 * step.size * step.temperature)
    for number in range(count):
        with torch.enable_grad():
            at = x.detach().requires_grad_()
            told = energy(at)
            (slope,) = torch.autograd.grad(told.sum(), at)
        yield Place(number, x, told.detach(), slope)
        drift = step.size * slope
        if step.longest is not None:
            drift = drift.clamp(-step.longest, step.longest)
        x = x - drift + shake * torch.randn(x.shape, generator=draw)
        if step.bound is not None:
            x = x.clamp(-step.bound, step.bound)
    yield Place(count, x, torch.full((len(x),), math.nan), torch.zeros_like(x))
