"""Explanations that change how a signal passes back through activations."""

from __future__ import annotations

import torch
from torch import nn

from engine.explain.methods.gradients import Baseline
from engine.explain.rules import guided, proportional, rescaled
from engine.explain.table import explainer, slope


@explainer("guided_backprop", family="gradient", complete=False, sampled=False)
def guided_backprop(module: nn.Module, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The gradient with everything negative cut off at each ReLU: fine lines, hardly any class.

    Source: Springenberg et al. (2015), Striving for simplicity: the all convolutional net.
    """
    with guided("guided_backprop", module, x):
        return slope(module, x, target)


@explainer("deconvolution", family="gradient", complete=False, sampled=False)
def deconvolution(module: nn.Module, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The signal passed back as if the network ran backwards, negative parts cut off.

    Source: Zeiler & Fergus (2014), Visualizing and understanding convolutional networks.
    """
    with guided("deconvolution", module, x, plain=True):
        return slope(module, x, target)


@explainer("deeplift", family="gradient", complete=True, sampled=False)
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


@explainer("lrp", family="gradient", complete=False, sampled=False)
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
