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


@explainer(
    "saliency",
    family="gradient",
    complete=False,
    sampled=False,
    cost=lambda work: work.batch,
)
def saliency(
    module: nn.Module, x: torch.Tensor, target: torch.Tensor, *, signed: bool = False
) -> torch.Tensor:
    """How steeply the score changes with each number of the input.

    Source: Simonyan, Vedaldi & Zisserman (2014), Deep inside convolutional networks.
    """
    gradient = slope(module, x, target)
    return gradient if signed else gradient.abs()


@explainer(
    "input_x_gradient",
    family="gradient",
    complete=False,
    sampled=False,
    cost=lambda work: work.batch,
)
def input_x_gradient(module: nn.Module, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The gradient times the input: exact for a linear model without a bias.

    Source: Shrikumar, Greenside & Kundaje (2016), Not just a black box.
    """
    return x * slope(module, x, target)


@explainer(
    "integrated_gradients",
    family="gradient",
    complete=True,
    sampled=False,
    cost=lambda work: work.batch * work.settings["steps"],
)
def integrated_gradients(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    steps: Annotated[int, Slider(4, 300, log=True, help="A finer integral")] = 50,
    baseline: Baseline = 0.0,
    quadrature: Literal[
        "Gauss-Legendre", "midpoint", "trapezoid", "left", "right"
    ] = "Gauss-Legendre",
) -> torch.Tensor:
    """The gradient averaged along the straight way from a baseline, times the way.

    `(x − x′) ∫₀¹ ∇F(x′ + α (x − x′)) dα`; the numbers sum to `F(x) − F(x′)`.

    Source: Sundararajan, Taly & Yan (2017), Axiomatic attribution for deep networks.
    """
    places, weights = quadrature_of(quadrature, steps)
    way = x - baseline
    at_once = max(1, BATCH // len(x))
    total = torch.zeros_like(x)
    for alpha, weight in zip(places.split(at_once), weights.split(at_once), strict=True):
        alpha = _across(alpha.to(x.dtype), x)  # (steps, 1, 1, ...)
        path = (baseline + alpha * way).flatten(0, 1)  # (steps * batch, ...)
        gradients = slope(module, path, target.repeat(len(alpha))).unflatten(0, (-1, len(x)))
        total += (_across(weight.to(x.dtype), x) * gradients).sum(0)
    return way * total


@explainer(
    "smoothgrad",
    family="gradient",
    complete=False,
    sampled=True,
    cost=lambda work: work.batch * work.settings["samples"],
)
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


@explainer(
    "gradient_shap",
    family="gradient",
    complete=False,
    sampled=True,
    cost=lambda work: work.batch * work.settings["samples"],
)
def gradient_shap(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    samples: Annotated[int, Slider(1, 200, log=True, help="A smoother map")] = 50,
    noise: Annotated[float, Slider(0.0, 1.0, help="Looks further around the input")] = 0.05,
    baseline: Baseline = 0.0,
    seed: Seed = 0,
    references: torch.Tensor | None = None,
) -> torch.Tensor:
    """Integrated gradients by drawing places on the way, from noisy copies of the input.

    Every way begins at another sample of the data, where there are some, else at the baseline.

    Source: Lundberg & Lee (2017), A unified approach to interpreting model predictions; Erion et
    al. (2021), Improving performance of deep learning models with axiomatic attribution priors.
    """
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros_like(x)
    for _ in range(samples):
        base = drawn(x, references, baseline, generator)
        way = x + noise * _normal(x, generator) - base
        alpha = torch.rand((len(x), *[1] * (x.ndim - 1)), generator=generator, dtype=x.dtype)
        total += way * slope(module, base + alpha * way, target)
    return total / samples


def drawn(
    x: torch.Tensor,
    references: torch.Tensor | None,
    baseline: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """One random reference for every sample, or the baseline, like `x`."""
    if references is None:
        return torch.full_like(x, baseline)
    return references[torch.randint(len(references), (len(x),), generator=generator)]


def _normal(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return torch.randn(x.shape, generator=generator, dtype=x.dtype)


def _across(numbers: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Numbers `(n,)` as `(n, 1, 1, ...)`, one axis more than `x`."""
    return numbers.reshape(-1, *[1] * x.ndim)


def quadrature_of(name: str, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Places in [0, 1] and weights that sum to one, `(steps,)` each.

    Gauss-Legendre is exact for polynomials to degree 2 * steps − 1. The error of the sums falls
    as 1/steps for left and right, as 1/steps² for midpoint and trapezoid. The trapezoid's ends
    weigh half and the rest 1/(steps − 1); Captum's `riemann_trapezoid` divides by `steps`, which
    is off by a factor of (steps − 1)/steps however fine the path.
    """
    count = torch.arange(steps, dtype=torch.float64)
    even = torch.full((steps,), 1 / steps, dtype=torch.float64)
    match name:
        case "left":
            return count / steps, even
        case "right":
            return (count + 1) / steps, even
        case "midpoint":
            return (count + 0.5) / steps, even
        case "trapezoid":
            weights = torch.full((steps,), 1 / (steps - 1), dtype=torch.float64)
            weights[[0, -1]] /= 2
            return count / (steps - 1), weights
    places, weight = np.polynomial.legendre.leggauss(steps)
    return torch.from_numpy((places + 1) / 2), torch.from_numpy(weight / 2)
