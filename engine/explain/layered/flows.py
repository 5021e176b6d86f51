"""What flows through each unit of a layer."""

from __future__ import annotations

import torch
from torch import nn

from engine.explain import inner
from engine.explain.inner import Layer, Steps, layered
from engine.explain.layers import any_layer, inside
from engine.explain.methods.gradients import Baseline


@layered("unit_activation")
def unit_activation(
    module: nn.Module, x: torch.Tensor, target: torch.Tensor, *, layer: Layer = ""
) -> torch.Tensor:
    """What each unit says to the input.

    Source: Zeiler & Fergus (2014), Visualizing and understanding convolutional networks.
    """
    who = "unit_activation"
    return inside(who, module, any_layer(who, module, layer), x, target)[0]


@layered("unit_gradient_x_activation")
def unit_gradient_x_activation(
    module: nn.Module, x: torch.Tensor, target: torch.Tensor, *, layer: Layer = ""
) -> torch.Tensor:
    """What each unit says, times how steeply the score rises with it.

    Source: Kokhlikyan et al. (2020), Captum: a unified and generic model interpretability library.
    """
    who = "unit_gradient_x_activation"
    values, gradient = inside(who, module, any_layer(who, module, layer), x, target)
    return values * gradient


@layered("unit_conductance")
def unit_conductance(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    layer: Layer = "",
    steps: Steps = 50,
    baseline: Baseline = 0.0,
) -> torch.Tensor:
    """How much of the score flows through each unit; over a layer it sums to F(x) − F(baseline).

    Source: Dhamdhere, Sundararajan & Yan (2019), How important is a neuron?
    """
    return inner.conductance(
        "unit_conductance", module, x, target, layer=layer, steps=steps, baseline=baseline
    )


@layered("unit_influence")
def unit_influence(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    layer: Layer = "",
    steps: Steps = 50,
    baseline: Baseline = 0.0,
) -> torch.Tensor:
    """How steeply the score rises with each unit, on average along the way from the baseline.

    Source: Leino et al. (2018), Influence-directed explanations for deep convolutional networks.
    """
    return inner.influence(
        "unit_influence", module, x, target, layer=layer, steps=steps, baseline=baseline
    )
