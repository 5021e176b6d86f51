"""How fast noise comes in: ᾱ, the share of the variance that is still data, at every step."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

MOST = 0.999  # of the variance that one step may replace, as in Nichol and Dhariwal


def linear(steps: int) -> torch.Tensor:
    """β rises evenly from 0.0001 to 0.02 in 1,000 steps, and as much faster in fewer.

    Source: Ho et al. (2020), Denoising Diffusion Probabilistic Models.
    """
    pace = 1000 / steps
    betas = torch.linspace(1e-4 * pace, 0.02 * pace, steps, dtype=torch.float64)
    return (1 - betas.clamp(max=MOST)).cumprod(0)


def cosine(steps: int) -> torch.Tensor:
    """ᾱ falls like the square of a cosine: slowly at both ends.

    Source: Nichol and Dhariwal (2021), Improved Denoising Diffusion Probabilistic Models.
    """
    return _from_curve(lambda t: torch.cos((t + 0.008) / 1.008 * math.pi / 2).square(), steps)


def sigmoid(steps: int) -> torch.Tensor:
    """ᾱ falls like a sigmoid from -3 to 3: most of the change in the middle.

    Source: Jabri et al. (2023), Scalable Adaptive Computation for Iterative Generation.
    """
    return _from_curve(
        lambda t: torch.sigmoid(3 - 6 * t) - torch.sigmoid(torch.tensor(-3.0)), steps
    )


SCHEDULES: dict[str, Callable[[int], torch.Tensor]] = {
    "linear": linear,
    "cosine": cosine,
    "sigmoid": sigmoid,
}


def _from_curve(curve: Callable[[torch.Tensor], torch.Tensor], steps: int) -> torch.Tensor:
    """ᾱ of a falling curve over [0, 1], so that no single step replaces nearly everything."""
    heights = curve(torch.linspace(0, 1, steps + 1, dtype=torch.float64))
    betas = 1 - heights[1:] / heights[:-1]
    return (1 - betas.clamp(max=MOST)).cumprod(0)
