"""Explanations from gradients at or around the input."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from torch import nn

from engine.explain.table import explainer, slope
from engine.forms import Slider

BATCH = 256  # samples through the network at a time

Seed = Annotated[int, Slider(0, 999, help="Other random draws")]
Baseline = Annotated[float, Slider(0.0, 1.0, help="A brighter 'nothing' to compare with")]


@explainer("saliency", family="gradient", complete=False, sampled=False)
def saliency(
    module: nn.Module, x: torch.Tensor, target: torch.Tensor, *, signed: bool = False
) -> torch.Tensor:
    """How steeply the score changes with each number of the input.

    Source: Simonyan, Vedaldi & Zisserman (2014), Deep inside convolutional networks.
    """
    gradient = slope(module, x, target)
    return gradient if signed else gradient.abs()


@explainer("input_x_gradient", family="gradient", complete=False, sampled=False)
def input_x_gradient(module: nn.Module, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The gradient times the input: exact for a linear model without a bias.

    Source: Shrikumar, Greenside & Kundaje (2016), Not just a black box.
    """
    return x * slope(module, x, target)


@explainer("integrated_gradients", family="gradient", complete=True, sampled=False)
def integrated_gradients(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    steps: Annotated[int, Slider(4, 300, log=True, help="A finer integral")] = 50,
    baseline: Baseline = 0.0,
    quadrature: Literal["Gauss-Legendre", "midpoint"] = "Gauss-Legendre",
) -> torch.Tensor:
    """The gradient averaged along the straight way from a baseline, times the way.

    `(x − x′) ∫₀¹ ∇F(x′ + α (x − x′)) dα`; the numbers sum to `F(x) − F(x′)`.

    Source: Sundararajan, Taly & Yan (2017), Axiomatic attribution for deep networks.
    """
    places, weights = _quadrature(quadrature, steps)
    way = x - baseline
    at_once = max(1, BATCH // len(x))
    total = torch.zeros_like(x)
    for alpha, weight in zip(places.split(at_once), weights.split(at_once), strict=True):
        alpha = _across(alpha.to(x.dtype), x)  # (steps, 1, 1, ...)
        path = (baseline + alpha * way).flatten(0, 1)  # (steps * batch, ...)
        gradients = slope(module, path, target.repeat(len(alpha))).unflatten(0, (-1, len(x)))
        total += (_across(weight.to(x.dtype), x) * gradients).sum(0)
    return way * total


@explainer("smoothgrad", family="gradient", complete=False, sampled=True)
def smoothgrad(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    samples: Annotated[int, Slider(1, 200, log=True, help="A smoother map")] = 25,
    noise: Annotated[float, Slider(0.0, 1.0, help="Looks further around the input")] = 0.15,
    seed: Seed = 0,
) -> torch.Tensor:
    """The gradient averaged over noisy copies of the input.

    Source: Smilkov et al. (2017), SmoothGrad: removing noise by adding noise.
    """
    generator = torch.Generator().manual_seed(seed)
    spread = noise * (x.amax() - x.amin())
    total = torch.zeros_like(x)
    for _ in range(samples):
        total += slope(module, x + spread * _normal(x, generator), target)
    return total / samples


@explainer("gradient_shap", family="gradient", complete=False, sampled=True)
def gradient_shap(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    samples: Annotated[int, Slider(1, 200, log=True, help="A smoother map")] = 50,
    noise: Annotated[float, Slider(0.0, 1.0, help="Looks further around the input")] = 0.05,
    baseline: Baseline = 0.0,
    seed: Seed = 0,
) -> torch.Tensor:
    """Integrated gradients by drawing places on the way, from noisy copies of the input.

    Source: Lundberg & Lee (2017), A unified approach to interpreting model predictions; Erion et
    al. (2021), Improving performance of deep learning models with axiomatic attribution priors.
    """
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros_like(x)
    for _ in range(samples):
        way = x + noise * _normal(x, generator) - baseline
        alpha = torch.rand((len(x), *[1] * (x.ndim - 1)), generator=generator, dtype=x.dtype)
        total += way * slope(module, baseline + alpha * way, target)
    return total / samples


def _normal(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return torch.randn(x.shape, generator=generator, dtype=x.dtype)


def _across(numbers: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Numbers `(n,)` as `(n, 1, 1, ...)`, one axis more than `x`."""
    return numbers.reshape(-1, *[1] * x.ndim)


def _quadrature(name: str, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Places in [0, 1] and weights that sum to one, `(steps,)` each.

    Gauss-Legendre is exact for polynomials to degree 2 * steps − 1. The trapezoidal sum that
    others offer is left out: its usual form is off by a factor (n − 1)/n.
    """
    if name == "midpoint":
        return (torch.arange(steps, dtype=torch.float64) + 0.5) / steps, torch.full(
            (steps,), 1 / steps, dtype=torch.float64
        )
    places, weights = np.polynomial.legendre.leggauss(steps)
    return torch.from_numpy((places + 1) / 2), torch.from_numpy(weights / 2)
