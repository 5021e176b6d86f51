"""Explanations that go through a layer of the network, or end at one of its neurons."""

from __future__ import annotations

import torch
from torch import nn

from engine.explain.inner import Layer, Steps, Unit, conductance, influence, neuron
from engine.explain.layers import any_layer, find_layer
from engine.explain.methods.gradients import Baseline, quadrature_of
from engine.explain.methods.maps import enlarge
from engine.explain.table import explainer, score


@explainer(
    "layer_conductance",
    family="layer",
    complete=False,
    sampled=False,
    cost=lambda work: work.batch * (1 + work.settings["steps"]),
)
def layer_conductance(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    layer: Layer = "",
    steps: Steps = 50,
    baseline: Baseline = 0.0,
) -> torch.Tensor:
    """Where in a layer's maps the score flows through, all channels together.

    Source: Dhamdhere, Sundararajan & Yan (2019), How important is a neuron?
    """
    who = "layer_conductance"
    find_layer(who, module, layer)
    through = conductance(who, module, x, target, layer=layer, steps=steps, baseline=baseline)
    return _map(who, through, x)


@explainer(
    "internal_influence",
    family="layer",
    complete=False,
    sampled=False,
    cost=lambda work: work.batch * work.settings["steps"],
)
def internal_influence(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    layer: Layer = "",
    steps: Steps = 50,
    baseline: Baseline = 0.0,
) -> torch.Tensor:
    """Where in a layer's maps the score would rise, on average along the way from the baseline.

    Source: Leino et al. (2018), Influence-directed explanations for deep convolutional networks.
    """
    who = "internal_influence"
    find_layer(who, module, layer)
    slopes = influence(who, module, x, target, layer=layer, steps=steps, baseline=baseline)
    return _map(who, slopes, x)


def _map(who: str, values: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """What a layer of maps gives, `(batch, channels, *places)`, summed and as large as `x`."""
    if values.ndim != x.ndim or x.ndim < 3:
        raise ValueError(
            f"{who}: needs a layer with {'a length' if x.ndim == 3 else 'rows and columns'}; this "
            f"one gives {list(values.shape[1:])}. Choose a convolution"
        )
    return enlarge(values.sum(1, keepdim=True), x)


@explainer(
    "neuron_gradient",
    family="neuron",
    complete=False,
    sampled=False,
    classless=True,
    cost=lambda work: 2 * work.batch,
)
def neuron_gradient(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    layer: Layer = "",
    unit: Unit = 0,
) -> torch.Tensor:
    """How steeply one unit of a layer rises with each number of the input.

    Source: Simonyan, Vedaldi & Zisserman (2014), Deep inside convolutional networks.
    """
    who = "neuron_gradient"
    _there(module, x, target)
    return neuron(who, module, any_layer(who, module, layer), x, unit, target)[1]


@explainer(
    "neuron_integrated_gradients",
    family="neuron",
    complete=False,
    sampled=False,
    classless=True,
    cost=lambda work: work.batch * (1 + work.settings["steps"]),
)
def neuron_integrated_gradients(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    layer: Layer = "",
    unit: Unit = 0,
    steps: Steps = 50,
    baseline: Baseline = 0.0,
) -> torch.Tensor:
    """What made one unit of a layer rise: integrated gradients of its activation.

    The numbers sum to the unit's activation at the input less that at the baseline.

    Source: Sundararajan, Taly & Yan (2017), Axiomatic attribution for deep networks.
    """
    who = "neuron_integrated_gradients"
    _there(module, x, target)
    return _along(who, module, x, target, layer, unit, steps, baseline, weighed=False)


@explainer(
    "neuron_conductance",
    family="neuron",
    complete=False,
    sampled=False,
    cost=lambda work: work.batch * (1 + work.settings["steps"]),
)
def neuron_conductance(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    layer: Layer = "",
    unit: Unit = 0,
    steps: Steps = 50,
    baseline: Baseline = 0.0,
) -> torch.Tensor:
    """The part of integrated gradients that flows through one unit of a layer.

    Over all units of a layer they sum to integrated gradients.

    Source: Dhamdhere, Sundararajan & Yan (2019), How important is a neuron?
    """
    who = "neuron_conductance"
    _there(module, x, target)
    return _along(who, module, x, target, layer, unit, steps, baseline, weighed=True)


def _along(
    who: str, module: nn.Module, x: torch.Tensor, target: torch.Tensor, layer: str, unit: int,
    steps: int, baseline: float, *, weighed: bool,
) -> torch.Tensor:  # fmt: skip
    part = any_layer(who, module, layer)
    places, weights = quadrature_of("Gauss-Legendre", steps)
    total = torch.zeros_like(x)
    for alpha, weight in zip(places.tolist(), weights.tolist(), strict=True):
        at = baseline + alpha * (x - baseline)
        total += weight * neuron(who, module, part, at, unit, target, weighed=weighed)[1]
    return (x - baseline) * total


def _there(module: nn.Module, x: torch.Tensor, target: torch.Tensor) -> None:
    """Refuse an output that is not there, though the neuron does not look at it."""
    with torch.no_grad():
        score(module, x, target)
