"""Inception: windows of several sizes side by side, with 1 × 1 convolutions to keep them cheap."""

from __future__ import annotations

from typing import Any

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template

_SOURCE = "Szegedy et al. (2015), Going deeper with convolutions, table 1."
_V3 = "Szegedy et al. (2016), Rethinking the Inception architecture for computer vision."
EPS = 1e-3

# 1 × 1, reduced and wide 3 × 3, reduced and wide second window, behind the pooling; None: halve
MODULES = (
    (64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), None,
    (192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64),
    (112, 144, 288, 32, 64, 64), (256, 160, 320, 32, 128, 128), None,
    (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128),
)  # fmt: skip
_HEADS = (3, 6)  # behind which modules the auxiliary heads stand


def _arm(net: Sketch, after: str, *layers: tuple[int, int | list[int]], stride: int = 1) -> str:
    """Convolutions in a row, the last with `stride`; at stride 2 it has no padding."""
    for place, (channels, kernel) in enumerate(layers):
        last = place == len(layers) - 1
        step = stride if last else 1
        half = kernel // 2 if isinstance(kernel, int) else [size // 2 for size in kernel]
        sizes: dict[str, Any] = {
            "kernel_size": kernel,
            "stride": step,
            "padding": half if step == 1 else 0,
        }
        net("Conv2d", after, out_channels=channels, bias=False, **sizes)
        net("BatchNorm2d", eps=EPS)
        after = net("ReLU")
    return after


def _module(window: int) -> Sketch:
    """Four paths joined: 1 × 1, 3 × 3, `window`, pooling."""
    block = Sketch(one=64, reduce=96, three=128, small=16, five=32, pooled=32)
    paths = [block.conv("=one", 1, eps=EPS)]
    block.conv("=reduce", 1, after=block.input, eps=EPS)
    paths.append(block.conv("=three", 3, eps=EPS))
    block.conv("=small", 1, after=block.input, eps=EPS)
    paths.append(block.conv("=five", window, eps=EPS))
    block("MaxPool2d", block.input, kernel_size=3, stride=1, padding=1)
    paths.append(block.conv("=pooled", 1, eps=EPS))
    block("Concat", *paths)
    return block


def _head(net: Sketch, after: str) -> str:
    """An auxiliary classifier on the maps of `after`."""
    net("AdaptiveAvgPool2d", after, output_size=4)
    net.conv(128, 1, eps=EPS)
    net("Flatten")
    net("Linear", out_features=1024)
    net("ReLU")
    net("Dropout", p=0.7)
    return net("Linear", name="auxiliary", out_features=1000)


def _use(net: Sketch, sizes: tuple[int, ...]) -> str:
    names = ("one", "reduce", "three", "small", "five", "pooled")
    values: dict[str, Any] = dict(zip(names, sizes, strict=True))
    return net.block("inception", **values)


def _googlenet(auxiliary: bool) -> NetworkSpec:
    """A stem and nine modules, with or without two auxiliary heads."""
    net = Sketch(3, 224, 224)
    net.conv(64, 7, 2, eps=EPS)
    net("MaxPool2d", kernel_size=3, stride=2, ceil_mode=True)
    net.conv(64, 1, eps=EPS)
    net.conv(192, 3, eps=EPS)
    net("MaxPool2d", kernel_size=3, stride=2, ceil_mode=True)
    heads = []
    for place, sizes in enumerate(MODULES):
        if sizes is None:
            net("MaxPool2d", kernel_size=3 if place < 5 else 2, stride=2, ceil_mode=True)
            continue
        module = _use(net, sizes)
        if auxiliary and place in _HEADS:
            heads.append(_head(net, module))
            net.last = module
    net("GlobalAvgPool")
    net("Dropout", p=0.2)
    scores = net("Linear", name="scores", out_features=1000)
    return net.spec(scores, *heads, inception=_module(3))


@template(title="GoogLeNet", family="Images", parameters=6_624_904, source=_SOURCE)
def googlenet() -> NetworkSpec:
    """Nine Inception modules; 3 × 3 for 5 × 5 and batch norm, as in the usual weights."""
    return _googlenet(auxiliary=False)


@template(title="GoogLeNet with its heads", family="Images", parameters=13_004_888, source=_SOURCE)
def googlenet_auxiliary() -> NetworkSpec:
    """GoogLeNet as it is trained: two auxiliary classifiers half way."""
    return _googlenet(auxiliary=True)


def _mixed_a(net: Sketch, pooled: int) -> None:
    """35 × 35: 1 × 1, 5 × 5, two 3 × 3, pooling."""
    x = net.last
    paths = [_arm(net, x, (64, 1)), _arm(net, x, (48, 1), (64, 5))]
    paths.append(_arm(net, x, (64, 1), (96, 3), (96, 3)))
    pool = net("AvgPool2d", x, kernel_size=3, stride=1, padding=1)
    net("Concat", *paths, _arm(net, pool, (pooled, 1)))


def _mixed_c(net: Sketch, inner: int) -> None:
    """17 × 17: 7 × 7 windows split into 1 × 7 and 7 × 1."""
    x = net.last
    flat, tall = [1, 7], [7, 1]
    paths = [_arm(net, x, (192, 1)), _arm(net, x, (inner, 1), (inner, flat), (192, tall))]
    twice = ((inner, tall), (inner, flat), (inner, tall), (192, flat))
    paths.append(_arm(net, x, (inner, 1), *twice))
    pool = net("AvgPool2d", x, kernel_size=3, stride=1, padding=1)
    net("Concat", *paths, _arm(net, pool, (192, 1)))


def _mixed_e(net: Sketch) -> None:
    """8 × 8: 3 × 3 windows split and spread."""
    x = net.last
    paths = [_arm(net, x, (320, 1))]
    for fork in (_arm(net, x, (384, 1)), _arm(net, x, (448, 1), (384, 3))):
        paths += [_arm(net, fork, (384, [1, 3])), _arm(net, fork, (384, [3, 1]))]
    pool = net("AvgPool2d", x, kernel_size=3, stride=1, padding=1)
    net("Concat", *paths, _arm(net, pool, (192, 1)))


def _halve(net: Sketch, *arms: tuple[tuple[int, int | list[int]], ...]) -> None:
    """Arms of stride 2 and a pooling, joined."""
    x = net.last
    paths = [_arm(net, x, *layers, stride=2) for layers in arms]
    net("Concat", *paths, net("MaxPool2d", x, kernel_size=3, stride=2))


@template(title="Inception v3", family="Images", parameters=27_161_264, source=_V3)
def inception_v3() -> NetworkSpec:
    """Eleven modules of split windows for 299 pixels, with its auxiliary head."""
    net = Sketch(3, 299, 299)
    _arm(net, net.input, (32, 3), stride=2)
    net.conv(32, 3, padding=0, eps=EPS)
    net.conv(64, 3, eps=EPS)
    net("MaxPool2d", kernel_size=3, stride=2)
    net.conv(80, 1, eps=EPS)
    net.conv(192, 3, padding=0, eps=EPS)
    net("MaxPool2d", kernel_size=3, stride=2)
    for pooled in (32, 64, 64):
        _mixed_a(net, pooled)
    _halve(net, ((384, 3),), ((64, 1), (96, 3), (96, 3)))
    for inner in (128, 160, 160, 192):
        _mixed_c(net, inner)
    middle = net.last
    _halve(net, ((192, 1), (320, 3)), ((192, 1), (192, [1, 7]), (192, [7, 1]), (192, 3)))
    for _ in range(2):
        _mixed_e(net)
    net("GlobalAvgPool")
    net("Dropout", p=0.5)
    scores = net("Linear", name="scores", out_features=1000)
    net("AvgPool2d", middle, kernel_size=5, stride=3)
    net.conv(128, 1, eps=EPS)
    net.conv(768, 5, padding=0, eps=EPS)
    net("GlobalAvgPool")
    return net.spec(scores, net("Linear", name="auxiliary", out_features=1000))


@template(title="Inception for small digits", family="Images", source=_SOURCE, data="digits")
def inception_digits() -> NetworkSpec:
    """Two Inception modules for 8 × 8 pixels."""
    net = Sketch(1, 8, 8)
    net.conv(16)
    _use(net, (8, 8, 12, 4, 6, 6))
    net("MaxPool2d", kernel_size=2)
    _use(net, (12, 12, 20, 6, 8, 8))
    net("GlobalAvgPool")
    net("Linear", name="scores", out_features=10)
    return net.spec(inception=_module(5))
