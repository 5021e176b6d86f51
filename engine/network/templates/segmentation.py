"""A class for every pixel: fully convolutional networks."""

from __future__ import annotations

from typing import Any

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template
from engine.network.templates.resnet import bottleneck_block

_FCN = "Long, Shelhamer & Darrell (2015), Fully convolutional networks; ResNet-50 as backbone."
_DEEPLAB = "Chen et al. (2017), Rethinking atrous convolution for semantic image segmentation."


def _backbone(net: Sketch) -> str:
    """ResNet-50 that halves three times only: its last stages look wider instead."""
    net.conv(64, 7, 2)
    net("MaxPool2d", kernel_size=3, stride=2, padding=1)
    stages = [(64, 3, 1, 1, 1), (128, 4, 2, 1, 1), (256, 6, 1, 1, 2), (512, 3, 1, 2, 4)]
    for width, depth, stride, before, spread in stages:
        first = {"stride": stride, "dilation": before}
        net.block("bottleneck", depth, first, width=width, inner=width, dilation=spread)
    return net.last


def _small(net: Sketch, widths: tuple[int, ...]) -> str:
    """Convolutions that look wider and wider; the first halves."""
    for place, width in enumerate(widths):
        spread: dict[str, Any] = {"padding": 1 + place, "dilation": 1 + place}
        net.conv(width, 3, 1 if place else 2, **spread)
    return net.last


def _fcn(net: Sketch, side: int, inner: int, classes: int) -> None:
    """A convolution, a score for every class and place, and both enlarged to all pixels."""
    net.conv(inner)
    net("Dropout", p=0.1)
    net("Conv2d", name="scores", out_channels=classes, kernel_size=1)
    _enlarge(net, side)


def _enlarge(net: Sketch, side: int) -> None:
    size = [side, side]
    net("Upsample", name="pixels", size=size, mode="bilinear", align_corners=False)


def _deeplab(net: Sketch, place: int, side: int, inner: int, rates: tuple[int, ...]) -> None:
    """Windows of several widths side by side, and the mean of all, put together."""
    start = net.last
    branches = [net.conv(inner, 1, after=start)]
    for rate in rates:
        branches.append(net.conv(inner, 3, after=start, padding=rate, dilation=rate))
    net("AdaptiveAvgPool2d", start, output_size=1)
    net.conv(inner, 1)
    size = [place, place]
    branches.append(net("Upsample", size=size, mode="bilinear", align_corners=False))
    net("Concat", *branches)
    net.conv(inner, 1)
    net("Dropout", p=0.5)
    net.conv(inner)
    net("Conv2d", name="scores", out_channels=21 if side > 8 else 2, kernel_size=1)
    _enlarge(net, side)


@template(
    title="FCN (ResNet-50)", family="Pictures to pictures", parameters=32_957_013, source=_FCN
)
def fcn_resnet50() -> NetworkSpec:
    """ResNet-50 without its last layer, 21 scores at every eighth pixel, enlarged."""
    net = Sketch(3, 224, 224)
    _backbone(net)
    _fcn(net, 224, 512, 21)
    return net.spec(bottleneck=bottleneck_block())


@template(
    title="DeepLabv3 (ResNet-50)",
    family="Pictures to pictures",
    parameters=39_638_869,
    source=_DEEPLAB,
)
def deeplab_resnet50() -> NetworkSpec:
    """Windows that skip 12, 24 and 36 pixels see a thing and what surrounds it."""
    net = Sketch(3, 224, 224)
    _backbone(net)
    _deeplab(net, 28, 224, 256, (12, 24, 36))
    return net.spec(bottleneck=bottleneck_block())


@template(title="FCN for small pictures", family="Pictures to pictures", source=_FCN, data="ink")
def fcn_digits() -> NetworkSpec:
    """Three convolutions and a class for each of 8 × 8 pixels: ink or paper."""
    net = Sketch(1, 8, 8)
    _small(net, (16, 32))
    _fcn(net, 8, 16, 2)
    return net.spec()


@template(
    title="DeepLab for small pictures", family="Pictures to pictures", source=_DEEPLAB, data="ink"
)
def deeplab_digits() -> NetworkSpec:
    """Windows that skip one and two pixels, for each of 8 × 8 pixels: ink or paper."""
    net = Sketch(1, 8, 8)
    _small(net, (16, 32))
    _deeplab(net, 4, 8, 16, (1, 2))
    return net.spec()
