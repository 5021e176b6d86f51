"""Densely connected networks: every layer reads all layers before it."""

from __future__ import annotations

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template

_SOURCE = "Huang et al. (2017), Densely connected convolutional networks, table 1."


def _dense() -> Sketch:
    """Norm, ReLU, 1 × 1, norm, ReLU, 3 × 3: `growth` new channels behind those that came in."""
    block = Sketch(growth=32)
    block("BatchNorm2d")
    block("ReLU")
    block.conv("=4 * growth", 1)
    new = block("Conv2d", out_channels="=growth", kernel_size=3, padding=1, bias=False)
    block("Concat", block.input, new)
    return block


def _transition(net: Sketch, channels: int) -> None:
    """Fewer channels, half the size."""
    net("BatchNorm2d")
    net("ReLU")
    net("Conv2d", out_channels=channels, kernel_size=1, bias=False)
    net("AvgPool2d", kernel_size=2)


def _densenet(
    net: Sketch, channels: int, depths: tuple[int, ...], growth: int, classes: int
) -> NetworkSpec:
    """Dense blocks of `depths` layers behind a stem of `channels`, halved between blocks."""
    for stage, depth in enumerate(depths):
        if stage:
            channels //= 2
            _transition(net, channels)
        net.block("dense", depth, growth=growth)
        channels += depth * growth
    net("BatchNorm2d")
    net("ReLU")
    net("GlobalAvgPool")
    net("Linear", name="scores", out_features=classes)
    return net.spec(dense=_dense())


def _large(depths: tuple[int, ...], growth: int = 32) -> NetworkSpec:
    net = Sketch(3, 224, 224)
    net.conv(2 * growth, 7, 2)
    net("MaxPool2d", kernel_size=3, stride=2, padding=1)
    return _densenet(net, 2 * growth, depths, growth, 1000)


@template(title="DenseNet-121", family="Images", parameters=7_978_856, source=_SOURCE)
def densenet121() -> NetworkSpec:
    """Four dense blocks of 6, 12, 24 and 16 layers."""
    return _large((6, 12, 24, 16))


@template(title="DenseNet-161", family="Images", parameters=28_681_000, source=_SOURCE)
def densenet161() -> NetworkSpec:
    """Four dense blocks of 6, 12, 36 and 24 layers that add 48 channels each."""
    return _large((6, 12, 36, 24), growth=48)


@template(title="DenseNet-169", family="Images", parameters=14_149_480, source=_SOURCE)
def densenet169() -> NetworkSpec:
    """Four dense blocks of 6, 12, 32 and 32 layers."""
    return _large((6, 12, 32, 32))


@template(title="DenseNet-201", family="Images", parameters=20_013_928, source=_SOURCE)
def densenet201() -> NetworkSpec:
    """Four dense blocks of 6, 12, 48 and 32 layers."""
    return _large((6, 12, 48, 32))


@template(title="DenseNet for small digits", family="Images", source=_SOURCE, data="digits")
def densenet_digits() -> NetworkSpec:
    """Two dense blocks of four layers for 8 × 8 pixels."""
    net = Sketch(1, 8, 8)
    net.conv(16)
    return _densenet(net, 16, (4, 4), 8, 10)
