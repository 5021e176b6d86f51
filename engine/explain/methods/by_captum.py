"""The same explanations as Captum computes them, to be held against the ones written out here."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from engine.explain.layers import find_layer, flow
from engine.explain.table import explainer, score
from engine.forms import Slider, Text


@explainer(
    "captum_gradcam",
    family="layer",
    complete=False,
    sampled=False,
    cost=lambda work: 2 * work.batch,
)
def captum_gradcam(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    layer: Annotated[str, Text(64, help="A layer with rows and columns")] = "",
) -> torch.Tensor:
    """GradCAM by Captum: put it beside ours; the two must be the same picture.

    Source: Kokhlikyan et al. (2020), Captum: a unified and generic model interpretability library.
    """
    from captum.attr import LayerAttribution, LayerGradCam

    found = find_layer("captum_gradcam", module, layer)
    flow("captum_gradcam", module, found, x, target)  # refuses in words what Captum would break at
    with torch.enable_grad():
        cam = LayerGradCam(module, found).attribute(x, target, relu_attributions=True)
    small = cam if isinstance(cam, torch.Tensor) else cam[0]
    large = LayerAttribution.interpolate(small, tuple(x.shape[2:]), interpolate_mode="bilinear")
    return torch.as_tensor(large).expand_as(x)


@explainer(
    "captum_integrated_gradients",
    family="gradient",
    complete=True,
    sampled=False,
    cost=lambda work: work.batch * (1 + work.settings["steps"]),
)
def captum_integrated_gradients(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    steps: Annotated[int, Slider(4, 300, log=True, help="A finer integral")] = 50,
    baseline: Annotated[float, Slider(0.0, 1.0, help="What stands for nothing")] = 0.0,
) -> torch.Tensor:
    """Integrated gradients by Captum, with Gauss-Legendre places along the path.

    Source: Kokhlikyan et al. (2020), Captum: a unified and generic model interpretability library.
    """
    from captum.attr import IntegratedGradients

    score(module, x, target)  # refuses an output that is not there
    with torch.enable_grad():
        way = IntegratedGradients(module).attribute(x, baseline, target, n_steps=steps)
    return torch.as_tensor(way)
