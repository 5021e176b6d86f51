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


@explainer("gradcam", family="layer", complete=False, sampled=False)
def gradcam(
    module: nn.Module, x: torch.Tensor, target: torch.Tensor, *, layer: Layer = ""
) -> torch.Tensor:
    """Feature maps weighted by their mean gradient; what speaks against the score is cut off.

    `L = ReLU(Σ_k α_k A^k)`, `α_k` the mean of `∂y/∂A^k` over the picture.

    Source: Selvaraju et al. (2017), Grad-CAM: visual explanations from deep networks.
    """
    maps, gradient = flow("gradcam", module, find_layer("gradcam", module, layer), x, target)
    weights = gradient.mean((2, 3), keepdim=True)
    return _enlarge((weights * maps).sum(1, keepdim=True).relu(), x)


@explainer("gradcam_plus_plus", family="layer", complete=False, sampled=False)
def gradcam_plus_plus(
    module: nn.Module, x: torch.Tensor, target: torch.Tensor, *, layer: Layer = ""
) -> torch.Tensor:
    """GradCAM whose weights count every place by how much it matters: finds several objects.

    Source: Chattopadhay et al. (2018), Grad-CAM++: generalized gradient-based explanations.
    """
    who = "gradcam_plus_plus"
    maps, gradient = flow(who, module, find_layer(who, module, layer), x, target)
    square, cube = gradient**2, gradient**3
    below = 2 * square + maps.sum((2, 3), keepdim=True) * cube
    share = square / torch.where(below == 0, torch.ones_like(below), below)
    weights = (share * gradient.relu()).sum((2, 3), keepdim=True)
    return _enlarge((weights * maps).sum(1, keepdim=True).relu(), x)


@explainer("layercam", family="layer", complete=False, sampled=False)
def layercam(
    module: nn.Module, x: torch.Tensor, target: torch.Tensor, *, layer: Layer = ""
) -> torch.Tensor:
    """Each place of a feature map weighted by its own positive gradient: sharp in early layers.

    Source: Jiang et al. (2021), LayerCAM: exploring hierarchical class activation maps.
    """
    maps, gradient = flow("layercam", module, find_layer("layercam", module, layer), x, target)
    return _enlarge((gradient.relu() * maps).sum(1, keepdim=True).relu(), x)


@explainer("eigencam", family="layer", complete=False, sampled=False, classless=True)
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
    return _enlarge(first.reshape(len(x), 1, *maps.shape[2:]), x)


@explainer("scorecam", family="layer", complete=False, sampled=False, classless=True)
def scorecam(
    module: nn.Module, x: torch.Tensor, target: torch.Tensor, *, layer: Layer = ""
) -> torch.Tensor:
    """Feature maps weighted by the chance of the class when only what they cover is shown.

    Source: Wang et al. (2020), Score-CAM: score-weighted visual explanations.
    """
    maps, _ = flow("scorecam", module, find_layer("scorecam", module, layer), x, target)
    large = functional.interpolate(maps, x.shape[2:], mode="bilinear", align_corners=False)
    low, high = large.amin((2, 3), keepdim=True), large.amax((2, 3), keepdim=True)
    masks = (large - low) / (high - low).clamp_min(1e-12)
    out = torch.zeros_like(x)
    for i, mask in enumerate(masks):
        shown = x[i] * mask[:, None]  # (maps, channels, rows, columns)
        with torch.no_grad():
            chances = torch.cat([module(part).softmax(1) for part in shown.split(BATCH)])
        weights = chances[:, target[i]].softmax(0)
        cam = (weights[:, None, None] * maps[i]).sum(0)[None, None].relu()
        out[i] = _enlarge(cam, x[i : i + 1])[0]
    return out


@explainer("guided_gradcam", family="layer", complete=False, sampled=False)
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
    weights = gradient.mean((2, 3), keepdim=True)
    return _enlarge((weights * maps).sum(1, keepdim=True).relu(), x) * lines


@explainer("ablation_cam", family="layer", complete=False, sampled=False)
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
    return _enlarge((weights[..., None, None] * maps).sum(1, keepdim=True).relu(), x)


def _enlarge(cam: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """A map `(batch, 1, rows, columns)` in the size of the input, the same in every channel."""
    if x.ndim != 4:
        raise ValueError(f"a map over rows and columns needs pictures; got shape {tuple(x.shape)}")
    large = functional.interpolate(cam, x.shape[2:], mode="bilinear", align_corners=False)
    return large.expand_as(x)
