"""A few published networks written out in plain torch: an independent truth for the builder.

Each takes the pictures and an iterator over a network's weights and buffers in their order.
Nothing of the builder is used, so equal scores mean that the template computes what was published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.network.build import build
from engine.network.templates import find

Weights = Iterator[Tensor]


def _normed(x: Tensor, weights: Weights) -> Tensor:
    """Batch norm as it works after training, `(n, c, h, w)`."""
    scale, shift, mean, variance = (next(weights)[:, None, None] for _ in range(4))
    return (x - mean) / (variance + 1e-5).sqrt() * scale + shift


def _conv(x: Tensor, weights: Weights, stride: int = 1, groups: int = 1) -> Tensor:
    kernel = next(weights)
    return functional.conv2d(x, kernel, None, stride, kernel.shape[-1] // 2, 1, groups)


def _scores(x: Tensor, weights: Weights) -> Tensor:
    return functional.linear(x.mean((2, 3)), next(weights), next(weights))


def resnet(x: Tensor, weights: Weights, depths: tuple[int, ...], layers: int) -> Tensor:
    """A residual network: `depths` blocks a stage, each of 2 (basic) or 3 (bottleneck) `layers`."""
    x = _normed(_conv(x, weights, 2), weights).relu()
    x = functional.max_pool2d(x, 3, 2, 1)
    for stage, depth in enumerate(depths):
        for place in range(depth):
            stride, branch = (2 if stage and not place else 1), x
            for layer in range(layers):
                step = stride if layer == layers - 2 else 1  # the 3 × 3 of a bottleneck steps
                branch = _normed(_conv(branch, weights, step), weights)
                branch = branch.relu() if layer < layers - 1 else branch
            if x.shape != branch.shape:
                x = _normed(_conv(x, weights, stride), weights)
            x = (x + branch).relu()
    return _scores(x, weights)


def densenet(x: Tensor, weights: Weights, depths: tuple[int, ...]) -> Tensor:
    """A densely connected network of `depths` layers a block."""
    x = _normed(_conv(x, weights, 2), weights).relu()
    x = functional.max_pool2d(x, 3, 2, 1)
    for stage, depth in enumerate(depths):
        if stage:
            x = functional.avg_pool2d(_conv(_normed(x, weights).relu(), weights), 2)
        for _ in range(depth):
            narrow = _conv(_normed(x, weights).relu(), weights)
            new = _conv(_normed(narrow, weights).relu(), weights)
            x = torch.cat([x, new], 1)
    return _scores(_normed(x, weights).relu(), weights)


def mobilenet_v1(x: Tensor, weights: Weights) -> Tensor:
    """Pairs of depthwise and pointwise convolutions."""
    x = _normed(_conv(x, weights, 2), weights).relu()
    for place in range(13):
        stride = 2 if place in (1, 3, 5, 11) else 1
        x = _normed(_conv(x, weights, stride, x.shape[1]), weights).relu()
        x = _normed(_conv(x, weights), weights).relu()
    return _scores(x, weights)


NETWORKS: dict[str, Callable[[Tensor, Weights], Tensor]] = {
    "resnet18": partial(resnet, depths=(2, 2, 2, 2), layers=2),
    "resnet50": partial(resnet, depths=(3, 4, 6, 3), layers=3),
    "densenet121": partial(densenet, depths=(6, 12, 24, 16)),
    "mobilenet-v1": mobilenet_v1,
}


def gap(name: str, side: int = 64) -> float:
    """Largest difference between a template and its hand-written twin, over the largest score.

    Args:
        name: A template that `NETWORKS` knows.
        side: Of the random pictures that go through both [pixel].
    """
    torch.manual_seed(0)
    net = build(find(name).spec).eval()
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):  # as after some training: not simply 0 and 1
            nn.init.uniform_(part.get_buffer("running_mean"), -0.1, 0.1)
            nn.init.uniform_(part.get_buffer("running_var"), 0.5, 1.5)
    weights = (w for key, w in net.state_dict().items() if not key.endswith("batches_tracked"))
    x = torch.rand(2, 3, side, side)
    with torch.no_grad():
        by_hand = NETWORKS[name](x, weights)
        return float((net(x) - by_hand).abs().max() / by_hand.abs().max())
