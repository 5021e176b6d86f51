"""Explanations from a convolution's feature maps: where the score's evidence lies."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn
from torch.nn import functional

from engine.explain.layers import find_layer, flow
from engine.explain.rules import guided
from engine.explain.table import explainer, score, slope
from engine.forms import Text

Layer = Annotated[str, Text(64, help="A layer with rows and columns; empty: the last convolution")]
BATCH = 128  # samples through the network at a time


@explainer(
    "gradcam",
    family="layer",
    complete=False,
    sampled=False,
    cost=lambda work: work.batch,
)
def gradcam(
    module: nn.Module, x: torch.Tensor, target: torch.Tensor, *, layer: Layer = ""
) -> torch.Tensor:
    """Feature maps weighted by their mean gradient; what speaks against the score is cut off.

    `L = ReLU(Σ_k α_k A^k)`, `α_k` the mean of `∂y/∂A^k` over the picture.

    Source: Selvaraju et al. (2017), Grad-CAM: visual explanations from deep networks.
    """
    maps, gradient = flow("gradcam", module, find_layer("gradcam", module, layer), x, target)
    weights = _mean(gradient)
    return enlarge((weights * maps).sum(1, keepdim=True).relu(), x)


@explainer(
    "gradcam_plus_plus",
    family="layer",
    complete=False,
    sampled=False,
    cost=lambda work: work.batch,
)
def gradcam_plus_plus(
    module: nn.Module, x: torch.Tensor, target: torch.Tensor, *, layer: Layer = ""
) -> torch.Tensor:
    """GradCAM whose weights count every place by how much it matters: finds several objects.

    Source: Chattopadhay et al. (2018), Grad-CAM++: generalized gradient-based explanations.
    """
    who = "gradcam_plus_plus"
    maps, gradient = flow(who, module, find_layer(who, module, layer), x, target)
    square, cube = gradient**2, gradient**3
    below = 2 * square + _across(maps.flatten(2).sum(2), maps) * cube
    share = square / torch.where(below == 0, torch.ones_like(below), below)
    weights = _across((share * gradient.relu()).flatten(2).sum(2), maps)
    return enlarge((weights * maps).sum(1, keepdim=True).relu(), x)


@explainer(
    "layercam",
    family="layer",
    complete=False,
    sampled=False,
    cost=lambda work: work.batch,
)
def layercam(
    module: nn.Module, x: torch.Tensor, target: torch.Tensor, *, layer: Layer = ""
) -> torch.Tensor:
    """Each place of a feature map weighted by its own positive gradient: sharp in early layers.

    Source: Jiang et al. (2021), LayerCAM: exploring hierarchical class activation maps.
    """
    maps, gradient = flow("layercam", module, find_layer("layercam", module, layer), x, target)
    return enlarge((gradient.relu() * maps).sum(1, keepdim=True).relu(), x)


@explainer(
    "eigencam",
    family="layer",
    complete=False,
    sampled=False,
    classless=True,
    cost=lambda work: work.batch,
)
def eigencam(
    module: nn.Module, x: torch.Tensor, target: torch.Tensor, *, layer: Layer = ""
) -> torch.Tensor:
    """The first principal component of the feature maps: what the layer sees, for any class.

    Source: Muhammad & Yeasin (2020), Eigen-CAM: class activation map using principal components.
    """
    maps, _ = flow("eigencam", module, find_layer("eigencam", module, layer), x, target)
    flat = maps.flatten(2).transpose(1, 2)  # (batch, places, channels)
    flat = flat - flat.mean(1, keepdim=True)
    _, _, axes = torch.linalg.svd(flat, full_matrices=False)
    first = (flat @ axes[:, 0, :, None])[..., 0]
    lean = (first * flat.sum(2)).sum(1, keepdim=True)  # an axis has no sign of its own
    first = torch.where(lean < 0, -first, first).relu()
    return enlarge(first.reshape(len(x), 1, *maps.shape[2:]), x)


@explainer(
    "scorecam",
    family="layer",
    complete=False,
    sampled=False,
    classless=True,
    cost=lambda work: work.batch * (1 + work.channels),
)
def scorecam(
    module: nn.Module, x: torch.Tensor, target: torch.Tensor, *, layer: Layer = ""
) -> torch.Tensor:
    """Feature maps weighted by the chance of the class when only what they cover is shown.

    Source: Wang et al. (2020), Score-CAM: score-weighted visual explanations.
    """
    maps, _ = flow("scorecam", module, find_layer("scorecam", module, layer), x, target)
    large = _resized(maps, x)
    low, high = (_across(end, large) for end in large.flatten(2).aminmax(dim=2))
    masks = (large - low) / (high - low).clamp_min(1e-12)
    out = torch.zeros_like(x)
    for i, mask in enumerate(masks):
        shown = x[i] * mask[:, None]  # (maps, channels, *places)
        with torch.no_grad():
            chances = torch.cat([module(part).softmax(1) for part in shown.split(BATCH)])
        weights = chances[:, target[i]].softmax(0)
        cam = (
            (_across(weights[None], maps[i : i + 1]) * maps[i : i + 1]).sum(1, keepdim=True).relu()
        )
        out[i] = enlarge(cam, x[i : i + 1])[0]
    return out


@explainer(
    "guided_gradcam",
    family="layer",
    complete=False,
    sampled=False,
    cost=lambda work: 1 + 2 * work.batch,
)
def guided_gradcam(
    module: nn.Module, x: torch.Tensor, target: torch.Tensor, *, layer: Layer = ""
) -> torch.Tensor:
    """Guided backprop where GradCAM points: fine lines in the right place.

    Source: Selvaraju et al. (2017), Grad-CAM: visual explanations from deep networks, section 3.2.
    """
    who = "guided_gradcam"
    with guided(who, module, x):
        lines = slope(module, x, target)
    maps, gradient = flow(who, module, find_layer(who, module, layer), x, target)
    weights = _mean(gradient)
    return enlarge((weights * maps).sum(1, keepdim=True).relu(), x) * lines


@explainer(
    "ablation_cam",
    family="layer",
    complete=False,
    sampled=False,
    cost=lambda work: work.batch * (2 + work.channels),
)
def ablation_cam(
    module: nn.Module, x: torch.Tensor, target: torch.Tensor, *, layer: Layer = ""
) -> torch.Tensor:
    """Feature maps weighted by how much the score falls without each: needs no gradient.

    Source: Desai & Ramaswamy (2020), Ablation-CAM: visual explanations via gradient-free
    localization.
    """
    part = find_layer("ablation_cam", module, layer)
    maps, _ = flow("ablation_cam", module, part, x, target)
    before = score(module, x, target)
    falls = torch.zeros(maps.shape[:2], dtype=x.dtype)
    for channel in range(maps.shape[1]):
        without = maps.clone()
        without[:, channel] = 0
        hook = part.register_forward_hook(lambda _m, _i, _o, put=without: put)
        try:
            falls[:, channel] = before - score(module, x, target)
        finally:
            hook.remove()
    weights = falls / torch.where(before == 0, torch.ones_like(before), before.abs())[:, None]
    return enlarge((_across(weights, maps) * maps).sum(1, keepdim=True).relu(), x)


def _mean(gradient: torch.Tensor) -> torch.Tensor:
    """The mean over all places, one number a map, in a shape that multiplies maps."""
    return _across(gradient.flatten(2).mean(2), gradient)


def _across(numbers: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    """A number a map, `(batch, channels)`, in a shape that multiplies `maps`."""
    return numbers.reshape(*numbers.shape, *[1] * (maps.ndim - 2))


def _resized(maps: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Maps `(batch, channels, *places)` with as many places as the input has."""
    mode = "linear" if x.ndim == 3 else "bilinear"
    return functional.interpolate(maps, x.shape[2:], mode=mode, align_corners=False)


def enlarge(cam: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """A map `(batch, 1, *places)` in the size of the input, the same in every channel."""
    return _resized(cam, x).expand_as(x)
