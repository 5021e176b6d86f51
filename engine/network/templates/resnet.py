"""Residual networks: every block adds to what comes in."""

from __future__ import annotations

from typing import Any

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template

_SOURCE = "He et al. (2016), Deep residual learning for image recognition."


def _basic() -> Sketch:
    """Two 3 × 3 convolutions and the shortcut around them."""
    block = Sketch(width=64, stride=1)
    block.conv("=width", 3, "=stride")
    branch = block.conv("=width", 3, activation="")
    block("Shortcut", block.input, branch)
    block("Add", branch, block.last)
    block("ReLU")
    return block


def bottleneck_block() -> Sketch:
    """1 × 1 to few channels, 3 × 3, 1 × 1 to four times `width`, and the shortcut."""
    block = Sketch(width=64, inner=64, stride=1, groups=1, dilation=1)
    block.conv("=inner", 1)
    spread: dict[str, Any] = {"groups": "=groups", "padding": "=dilation", "dilation": "=dilation"}
    block.conv("=inner", 3, "=stride", **spread)
    branch = block.conv("=4 * width", 1, activation="")
    block("Shortcut", block.input, branch)
    block("Add", branch, block.last)
    block("ReLU")
    return block


def _resnet(
    depths: tuple[int, ...], bottleneck: bool = False, inner: int = 1, groups: int = 1
) -> NetworkSpec:
    """Four stages of `depths` blocks, each stage half as large and twice as wide.

    Args:
        depths: Blocks of each stage.
        bottleneck: Whether blocks are bottlenecks.
        inner: How many times `width` a bottleneck's 3 × 3 convolution is wide.
        groups: Groups of that convolution.
    """
    net = Sketch(3, 224, 224)
    net.conv(64, 7, 2)
    net("MaxPool2d", kernel_size=3, stride=2, padding=1)
    for stage, depth in enumerate(depths):
        width, first = 64 * 2**stage, {"stride": 1 if stage == 0 else 2}
        if bottleneck:
            net.block("bottleneck", depth, first, width=width, inner=inner * width, groups=groups)
        else:
            net.block("basic", depth, first, width=width)
    net("GlobalAvgPool")
    net("Linear", name="scores", out_features=1000)
    return net.spec(**({"bottleneck": bottleneck_block()} if bottleneck else {"basic": _basic()}))


@template(title="ResNet-18", family="Images", parameters=11_689_512, source=_SOURCE)
def resnet18() -> NetworkSpec:
    """Eight residual blocks of two convolutions each."""
    return _resnet((2, 2, 2, 2))


@template(title="ResNet-34", family="Images", parameters=21_797_672, source=_SOURCE)
def resnet34() -> NetworkSpec:
    """Sixteen residual blocks of two convolutions each."""
    return _resnet((3, 4, 6, 3))


@template(title="ResNet-50", family="Images", parameters=25_557_032, source=_SOURCE)
def resnet50() -> NetworkSpec:
    """Sixteen bottleneck blocks of three convolutions each."""
    return _resnet((3, 4, 6, 3), bottleneck=True)


@template(title="ResNet-101", family="Images", parameters=44_549_160, source=_SOURCE)
def resnet101() -> NetworkSpec:
    """Thirty-three bottleneck blocks of three convolutions each."""
    return _resnet((3, 4, 23, 3), bottleneck=True)


@template(title="ResNet-152", family="Images", parameters=60_192_808, source=_SOURCE)
def resnet152() -> NetworkSpec:
    """Fifty bottleneck blocks of three convolutions each."""
    return _resnet((3, 8, 36, 3), bottleneck=True)


@template(
    title="ResNeXt-50 (32×4d)",
    family="Images",
    parameters=25_028_904,
    source="Xie et al. (2017), Aggregated residual transformations for deep neural networks.",
)
def resnext50() -> NetworkSpec:
    """ResNet-50 whose 3 × 3 convolutions are twice as wide, in 32 groups."""
    return _resnet((3, 4, 6, 3), bottleneck=True, inner=2, groups=32)


@template(
    title="Wide ResNet-50-2",
    family="Images",
    parameters=68_883_240,
    source="Zagoruyko & Komodakis (2016), Wide residual networks.",
)
def wide_resnet50() -> NetworkSpec:
    """ResNet-50 whose 3 × 3 convolutions are twice as wide."""
    return _resnet((3, 4, 6, 3), bottleneck=True, inner=2)


@template(title="ResNet for small digits", family="Images", source=_SOURCE, data="digits")
def resnet_digits() -> NetworkSpec:
    """Four residual blocks for 8 × 8 pixels."""
    net = Sketch(1, 8, 8)
    net.conv(16)
    net.block("basic", 2, {"stride": 1}, width=16)
    net.block("basic", 2, {"stride": 2}, width=32)
    net("GlobalAvgPool")
    net("Linear", name="scores", out_features=10)
    return net.spec(basic=_basic())
