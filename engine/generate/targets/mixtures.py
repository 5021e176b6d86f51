"""Mixtures of round Gaussians: separate modes, and a density known exactly."""

from __future__ import annotations

import math
from typing import Annotated

import torch

from engine.forms import Slider
from engine.generate.targets import Extent, Target, targets

Spread = Annotated[float, Slider(0.01, 0.6, help="Wider modes")]


def mixture(
    centres: torch.Tensor, spread: float, extent: Extent, weights: torch.Tensor | None = None
) -> Target:
    """Round Gaussians at `centres`, `(modes, 2)`, all with the same spread.

    p(x) = Σ_k π_k N(x; μ_k, σ²I).
    """
    count = len(centres)
    odds = torch.full((count,), 1 / count) if weights is None else weights / weights.sum()

    def draw(n: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        which = torch.multinomial(odds, n, replacement=True, generator=generator)
        noise = torch.randn(n, 2, generator=generator)
        return centres[which] + spread * noise, which

    def log_density(x: torch.Tensor) -> torch.Tensor:
        squares = (x[:, None] - centres).square().sum(-1)  # (n, modes)
        parts = odds.log() - squares / (2 * spread**2) - math.log(2 * math.pi * spread**2)
        return parts.logsumexp(-1)

    names = tuple(str(number + 1) for number in range(count))
    return Target(draw, log_density, extent, centres, spread, names, odds)


@targets.add("grid", title="Grid of Gaussians")
def grid(
    across: Annotated[int, Slider(2, 5, help="More modes")] = 3,
    spread: Spread = 0.05,
) -> Target:
    """Round clouds on a square grid, one unit apart: does the model find every one?

    Source: Dumoulin et al. (2017), Adversarially Learned Inference.
    """
    axis = torch.arange(across) - (across - 1) / 2
    centres = torch.cartesian_prod(axis, axis)
    edge = (across - 1) / 2 + 0.8
    return mixture(centres, spread, (-edge, edge, -edge, edge))


@targets.add("ring", title="Ring of Gaussians")
def ring(
    modes: Annotated[int, Slider(2, 16, help="More modes")] = 8,
    spread: Spread = 0.1,
) -> Target:
    """Round clouds on a circle: where a generator that collapses is seen at once.

    Source: Metz et al. (2017), Unrolled Generative Adversarial Networks.
    """
    angle = 2 * math.pi * torch.arange(modes) / modes
    centres = 2 * torch.stack([angle.cos(), angle.sin()], dim=1)
    return mixture(centres, spread, (-3.0, 3.0, -3.0, 3.0))


@targets.add("gaussian", title="One Gaussian")
def gaussian(spread: Spread = 0.5) -> Target:
    """One round cloud off the middle: the simplest thing to learn, and every answer is known."""
    return mixture(torch.tensor([[0.8, 0.5]]), spread, (-3.0, 3.0, -3.0, 3.0))


@targets.add("uneven", title="A large and a small cloud")
def uneven(
    share: Annotated[float, Slider(0.02, 0.5, help="More of the small one")] = 0.15,
    spread: Spread = 0.3,
) -> Target:
    """Two clouds of unequal weight: is the rare one forgotten, and does it get its share?"""
    centres = torch.tensor([[-1.2, 0.0], [1.4, 0.6]])
    odds = torch.tensor([1 - share, share])
    return mixture(centres, spread, (-3.0, 3.0, -3.0, 3.0), odds)
