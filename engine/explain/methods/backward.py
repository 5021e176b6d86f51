"""Explanations that change how a signal passes back through activations."""

from __future__ import annotations

import torch
from torch import nn

from engine.explain.methods.gradients import Baseline
from engine.explain.rules import guided, proportional, rescaled
from engine.explain.table import explainer, slope

GREYS = 5  # baselines where there are no samples of the data


@explainer(
    "guided_backprop",
    family="gradient",
    complete=False,
    sampled=False,
    cost=lambda work: 1 + work.batch,
)
def guided_backprop(module: nn.Module, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The gradient with everything negative cut off at each ReLU: fine lines, hardly any class.

    Source: Springenberg et al. (2015), Striving for simplicity: the all convolutional net.
    """
    with guided("guided_backprop", module, x):
        return slope(module, x, target)


@explainer(
    "deconvolution",
    family="gradient",
    complete=False,
    sampled=False,
    cost=lambda work: 1 + work.batch,
)
def deconvolution(module: nn.Module, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The signal passed back as if the network ran backwards, negative parts cut off.

    Source: Zeiler & Fergus (2014), Visualizing and understanding convolutional networks.
    """
    with guided("deconvolution", module, x, plain=True):
        return slope(module, x, target)


@explainer(
    "deeplift",
    family="gradient",
    complete=True,
    sampled=False,
    cost=lambda work: 1 + 2 * work.batch,
)
def deeplift(
    module: nn.Module, x: torch.Tensor, target: torch.Tensor, *, baseline: Baseline = 0.0
) -> torch.Tensor:
    """Differences to a baseline passed back, `Δout / Δin` in place of each derivative.

    Source: Shrikumar, Greenside & Kundaje (2017), Learning important features through
    propagating activation differences, the rescale rule.
    """
    base = torch.full_like(x, baseline)
    with rescaled("deeplift", module, x):
        multiplier = slope(module, torch.cat([x, base]), torch.cat([target, target]))
    return multiplier[: len(x)] * (x - base)


@explainer(
    "deeplift_shap",
    family="gradient",
    complete=True,
    sampled=False,
    cost=lambda work: 1 + 2 * work.batch * (work.references or GREYS),
)
def deeplift_shap(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    references: torch.Tensor | None = None,
) -> torch.Tensor:
    """DeepLift averaged over many baselines: samples of the data, else evenly spaced greys.

    Source: Lundberg & Lee (2017), A unified approach to interpreting model predictions, section
    4.2.
    """
    bases = greys(x) if references is None else references
    total = torch.zeros_like(x)
    with rescaled("deeplift_shap", module, x):
        for base in bases:
            base = base.expand_as(x)
            multiplier = slope(module, torch.cat([x, base]), torch.cat([target, target]))
            total += multiplier[: len(x)] * (x - base)
    return total / len(bases)


def greys(x: torch.Tensor) -> torch.Tensor:
    """Even samples from 0 to 1, `(greys, ...)` like `x`."""
    levels = torch.linspace(0, 1, GREYS, dtype=x.dtype)
    return levels.reshape(-1, *[1] * (x.ndim - 1)).expand(-1, *x.shape[1:])


@explainer(
    "lrp",
    family="gradient",
    complete=False,
    sampled=False,
    cost=lambda work: 1 + work.batch,
)
def lrp(module: nn.Module, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The score passed back to the inputs in proportion to what each gave: the ε-rule.

    What a layer's bias gave stays with the bias, so the numbers sum to the score only in a
    network without biases.

    Source: Bach et al. (2015), On pixel-wise explanations for non-linear classifier decisions by
    layer-wise relevance propagation; as a gradient: Ancona et al. (2018), Towards better
    understanding of gradient-based attribution methods, proposition 1.
    """
    with proportional("lrp", module, x):
        return x * slope(module, x, target)
