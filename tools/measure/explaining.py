"""Explainers against captum as its tutorials call it, in turn, in one process with one thread."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tools.measure import Row

ROUNDS = 5
GRID = 7  # 49 parts


def rows() -> list[Row]:
    """Rates of the explainers on a small convolutional network, 28 × 28."""
    torch.set_num_threads(1)
    from engine.explain.table import explainers
    from engine.models.layout import lay_out

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from captum import attr
    plain, ours = _network(), lay_out(_network())
    one, many = torch.rand(1, 1, 28, 28), torch.rand(64, 1, 28, 28)
    cells = _cells()

    def explain(name: str, x: torch.Tensor, **settings: Any) -> Callable[[], object]:
        return lambda: explainers.find(name)(ours, x, 3, **settings)

    integrated = attr.IntegratedGradients(plain)
    pairs = [
        (
            "integrated gradients, 50 steps, 1 image", 1.15,
            explain("integrated_gradients", one),
            lambda: integrated.attribute(one, target=3, n_steps=50),
        ),
        (
            "integrated gradients, 50 steps, 64 images", 1.15,
            explain("integrated_gradients", many),
            lambda: integrated.attribute(many, target=3, n_steps=50),
        ),
        (
            "occlusion 3 × 3, stride 1, 1 image", 4.0,
            explain("occlusion", one),
            lambda: attr.Occlusion(plain).attribute(
                one, target=3, sliding_window_shapes=(1, 3, 3)
            ),
        ),
        (
            "KernelSHAP, 49 features, 500 samples", 4.0,
            explain("kernel_shap", one, grid=GRID, samples=500),
            lambda: attr.KernelShap(plain).attribute(
                one, target=3, feature_mask=cells, n_samples=500
            ),
        ),
        (
            "GradCAM, 1 image", 1.5,
            explain("gradcam", one, layer="3"),
            lambda: _their_cam(attr, plain, one),
        ),
        (
            "GradCAM, 64 images", 1.5,
            explain("gradcam", many, layer="3"),
            lambda: _their_cam(attr, plain, many),
        ),
    ]  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [_row(*pair) for pair in pairs]


def _network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 12 * 12, 64), nn.ReLU(), nn.Linear(64, 10),
    ).eval()  # fmt: skip


def _cells() -> torch.Tensor:
    """The number of its cell for every pixel, `(1, 1, 28, 28)`."""
    place = torch.arange(28) * GRID // 28
    return (place[:, None] * GRID + place[None, :])[None, None]


def _their_cam(attr: Any, module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    cam = attr.LayerGradCam(module, module.get_submodule("3")).attribute(
        x, target=3, relu_attributions=True
    )
    large: torch.Tensor = attr.LayerAttribution.interpolate(cam, (28, 28), "bilinear")
    return large


def _row(what: str, goal: float, ours: Callable[[], object], theirs: Callable[[], object]) -> Row:
    """Both in turn; the median of the rounds' ratios."""
    ours()
    theirs()
    times = [(_seconds(theirs), _seconds(ours)) for _ in range(ROUNDS)]
    ratio = statistics.median(peer / own for peer, own in times)
    own, peer = (statistics.median(pair[i] for pair in times) for i in (1, 0))
    figures = f"{1 / own:,.1f} against captum's {1 / peer:,.1f} a second"
    return Row(f"{what}, over captum", f"{ratio:.2f} ×", f"≥ {goal:g} ×", ratio >= goal, figures)


def _seconds(work: Callable[[], object]) -> float:
    """CPU time of a call, the mean over at least a fifth of a second [s]."""
    begun, calls = time.process_time(), 0
    while time.process_time() - begun < 0.2:
        work()
        calls += 1
    return (time.process_time() - begun) / calls
