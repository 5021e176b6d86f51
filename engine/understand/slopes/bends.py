"""Layers without weights: activations, pooling, reshaping."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from engine.understand.slopes import Passed, slopes

Tensor = torch.Tensor


@slopes.add("ReLU", type=nn.ReLU, formula="z = max(0, x);  ∂L/∂x = g where x > 0, else 0")
def relu(layer: nn.ReLU, x: Tensor, z: Tensor, g: Tensor) -> Passed:
    """An open gate passes the error as it is, a closed one nothing."""
    del layer, z
    return g * (x > 0), {}


@slopes.add("Tanh", type=nn.Tanh, formula="z = tanh x;  ∂L/∂x = g (1 − z²)")
def tanh(layer: nn.Tanh, x: Tensor, z: Tensor, g: Tensor) -> Passed:
    """Near ±1 next to nothing passes."""
    del layer, x
    return g * (1 - z * z), {}


@slopes.add("Sigmoid", type=nn.Sigmoid, formula="z = 1/(1 + e⁻ˣ);  ∂L/∂x = g z (1 − z)")
def sigmoid(layer: nn.Sigmoid, x: Tensor, z: Tensor, g: Tensor) -> Passed:
    """A quarter passes at best."""
    del layer, x
    return g * z * (1 - z), {}


@slopes.add(
    "LeakyReLU", type=nn.LeakyReLU, formula="z = x, or a x below 0;  ∂L/∂x = g, or a g below 0"
)
def leaky(layer: nn.LeakyReLU, x: Tensor, z: Tensor, g: Tensor) -> Passed:
    """A closed gate still passes a little."""
    del z
    return torch.where(x > 0, g, layer.negative_slope * g), {}


@slopes.add("SiLU", type=nn.SiLU, formula="z = x s, s = 1/(1 + e⁻ˣ);  ∂L/∂x = g (s + z (1 − s))")
def silu(layer: nn.SiLU, x: Tensor, z: Tensor, g: Tensor) -> Passed:
    """The product rule on x times its sigmoid."""
    del layer
    s = x.sigmoid()
    return g * (s + z * (1 - s)), {}


@slopes.add("Softmax", type=nn.Softmax, formula="z = eˣ / Σ eˣ;  ∂L/∂x = z (g − Σ g z)")
def softmax(layer: nn.Softmax, x: Tensor, z: Tensor, g: Tensor) -> Passed:
    """What all chances share is taken out: they cannot all rise."""
    del x
    return z * (g - (g * z).sum(layer.dim, keepdim=True)), {}


@slopes.add("Identity", type=nn.Identity, formula="z = x;  ∂L/∂x = g")
def identity(layer: nn.Identity, x: Tensor, z: Tensor, g: Tensor) -> Passed:
    """Nothing happens, either way."""
    del layer, x, z
    return g, {}


@slopes.add("Dropout", type=nn.Dropout, formula="z = x when nothing is dropped;  ∂L/∂x = g")
def dropout(layer: nn.Dropout, x: Tensor, z: Tensor, g: Tensor) -> Passed:
    """The walk drops nothing, as a network in use."""
    if layer.training and layer.p:
        raise NotImplementedError("dropping")
    del x, z
    return g, {}


@slopes.add("Flatten", type=nn.Flatten, formula="z = x in one row;  ∂L/∂x = g in x's shape")
def flatten(layer: nn.Flatten, x: Tensor, z: Tensor, g: Tensor) -> Passed:
    """Numbers only change places."""
    del layer, z
    return g.reshape(x.shape), {}


@slopes.add(
    "MaxPool2d",
    type=nn.MaxPool2d,
    formula="z = the largest of each window;  ∂L/∂x = g at the place it came from, else 0",
)
def max_pool(layer: nn.MaxPool2d, x: Tensor, z: Tensor, g: Tensor) -> Passed:
    """The winner takes the whole error."""
    del z
    _, winners = functional.max_pool2d(
        x, layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.ceil_mode, True
    )
    back = torch.zeros_like(x).flatten(2)
    back.scatter_add_(2, winners.flatten(2), g.flatten(2))
    return back.view_as(x), {}
