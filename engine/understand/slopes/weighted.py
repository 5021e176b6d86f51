"""Layers with weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional, grad

from engine.understand.slopes import Passed, slopes

Tensor = torch.Tensor


@slopes.add(
    "Linear", type=nn.Linear, formula="z = W x + b;  ∂L/∂x = Wᵀ g,  ∂L/∂W = g xᵀ,  ∂L/∂b = g"
)
def linear(layer: nn.Linear, x: Tensor, z: Tensor, g: Tensor) -> Passed:
    """Each weight's slope is the error at its end times the value at its beginning."""
    del z
    rows, errors = x.flatten(0, -2), g.flatten(0, -2)
    own = {"weight": errors.T @ rows}
    if layer.bias is not None:
        own["bias"] = errors.sum(0)
    return g @ layer.weight, own


@slopes.add(
    "Conv2d",
    type=nn.Conv2d,
    formula="z = w ∗ x + b;  ∂L/∂x = g spread by w (the transposed convolution),  "
    "∂L/∂w = Σ over places of g · x,  ∂L/∂b = Σ g",
)
def convolution(layer: nn.Conv2d, x: Tensor, z: Tensor, g: Tensor) -> Passed:
    """Every place adds its error times what the window saw there."""
    del z
    own = {"weight": grad.conv2d_weight(x, layer.weight.shape, g, *_moves(layer))}
    if layer.bias is not None:
        own["bias"] = g.sum((0, 2, 3))
    return grad.conv2d_input(x.shape, layer.weight, g, *_moves(layer)), own


def _moves(layer: nn.Conv2d) -> tuple[Any, ...]:  # each is a number or one for each axis
    if isinstance(layer.padding, str) or layer.padding_mode != "zeros":
        raise NotImplementedError(layer.padding_mode)
    return layer.stride, layer.padding, layer.dilation, layer.groups


@slopes.add(
    "BatchNorm2d",
    type=nn.BatchNorm2d,
    formula="z = γ (x − μ) / √(σ² + ε) + β with kept μ and σ²;  ∂L/∂x = g γ / √(σ² + ε)",
)
def batch_norm(layer: nn.BatchNorm2d, x: Tensor, z: Tensor, g: Tensor) -> Passed:
    """With kept statistics it is a scale and a shift of each channel."""
    del z
    mean, variance = layer.running_mean, layer.running_var
    if mean is None or variance is None or layer.training:
        raise NotImplementedError("statistics of the batch")
    shape = (1, -1, 1, 1)
    root = (variance + layer.eps).sqrt().view(shape)
    straight = (x - mean.view(shape)) / root
    gamma = layer.weight.view(shape) if layer.affine else torch.ones(1)
    own = {}
    if layer.affine:
        own = {"weight": (g * straight).sum((0, 2, 3)), "bias": g.sum((0, 2, 3))}
    return g * gamma / root, own


@slopes.add(
    "LayerNorm",
    type=nn.LayerNorm,
    formula="z = γ x̂ + β, x̂ = (x − μ)/σ;  ∂L/∂x = (h − mean(h) − x̂ · mean(h x̂)) / σ, h = g γ",
)
def layer_norm(layer: nn.LayerNorm, x: Tensor, z: Tensor, g: Tensor) -> Passed:
    """What moves all features alike, or along x̂, is taken out of the error."""
    del z
    axes = tuple(range(x.ndim - len(layer.normalized_shape), x.ndim))
    mean = x.mean(axes, keepdim=True)
    sigma = (x.var(axes, correction=0, keepdim=True) + layer.eps).sqrt()
    straight = (x - mean) / sigma
    h = g if layer.weight is None else g * layer.weight
    back = h - h.mean(axes, keepdim=True) - straight * (h * straight).mean(axes, keepdim=True)
    others = tuple(range(x.ndim - len(layer.normalized_shape)))
    own = {}
    if layer.weight is not None:
        own["weight"] = (g * straight).sum(others)
    if layer.bias is not None:
        own["bias"] = g.sum(others)
    return back / sigma, own


@slopes.add(
    "Embedding", type=nn.Embedding, formula="z = row x of E;  ∂L/∂E = g in that row, 0 elsewhere"
)
def embedding(layer: nn.Embedding, x: Tensor, z: Tensor, g: Tensor) -> Passed:
    """Only the rows that were looked up learn; a token has no slope."""
    del z
    rows = functional.one_hot(x.flatten(), layer.num_embeddings).to(g.dtype)
    return torch.zeros(x.shape), {"weight": rows.T @ g.flatten(0, -2)}
