"""VGG: nothing but 3 × 3 convolutions, in five blocks."""

from __future__ import annotations

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template

_WIDTHS = (64, 128, 256, 512, 512)
_SOURCE = "Simonyan & Zisserman (2015), Very deep convolutional networks, table 1."


def _vgg(depths: tuple[int, ...]) -> NetworkSpec:
    """Blocks of `depths` convolutions, each block pooled; then three dense layers."""
    net = Sketch(3, 224, 224)
    for width, depth in zip(_WIDTHS, depths, strict=True):
        for _ in range(depth):
            net("Conv2d", out_channels=width, kernel_size=3, padding=1)
            net("ReLU")
        net("MaxPool2d", kernel_size=2)
    net("Flatten")
    for _ in range(2):
        net("Linear", out_features=4096)
        net("ReLU")
        net("Dropout", p=0.5)
    net("Linear", name="scores", out_features=1000)
    return net.spec()


@template(title="VGG-11", family="Images", parameters=132_863_336, source=_SOURCE)
def vgg11() -> NetworkSpec:
    """Configuration A: eight convolutions of 3 × 3 and three dense layers."""
    return _vgg((1, 1, 2, 2, 2))


@template(title="VGG-13", family="Images", parameters=133_047_848, source=_SOURCE)
def vgg13() -> NetworkSpec:
    """Configuration B: ten convolutions of 3 × 3 and three dense layers."""
    return _vgg((2, 2, 2, 2, 2))


@template(title="VGG-16", family="Images", parameters=138_357_544, source=_SOURCE)
def vgg16() -> NetworkSpec:
    """Configuration D: thirteen convolutions of 3 × 3 and three dense layers."""
    return _vgg((2, 2, 3, 3, 3))


@template(title="VGG-19", family="Images", parameters=143_667_240, source=_SOURCE)
def vgg19() -> NetworkSpec:
    """Configuration E: sixteen convolutions of 3 × 3 and three dense layers."""
    return _vgg((2, 2, 4, 4, 4))


@template(title="VGG for small digits", family="Images", source=_SOURCE, data="digits")
def vgg_digits() -> NetworkSpec:
    """VGG's idea on 8 × 8 pixels: pairs of 3 × 3 convolutions, pooled, then a dense layer."""
    net = Sketch(1, 8, 8)
    for width in (16, 32):
        for _ in range(2):
            net("Conv2d", out_channels=width, kernel_size=3, padding=1)
            net("ReLU")
        net("MaxPool2d", kernel_size=2)
    net("Flatten")
    net("Linear", name="scores", out_features=10)
    return net.spec()
