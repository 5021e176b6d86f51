"""RegNet: networks whose widths follow a straight line, quantised."""

from __future__ import annotations

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template

_SOURCE = "Radosavovic et al. (2020), Designing network design spaces."


def _block(excited: bool) -> Sketch:
    """1 × 1, grouped 3 × 3, 1 × 1, all of one width, and the shortcut."""
    block = Sketch(width=32, stride=1, groups=2, squeeze=8)
    block.conv("=width", 1)
    inner = block.conv("=width", 3, "=stride", groups="=groups")
    if excited:
        block("AdaptiveAvgPool2d")
        block("Conv2d", out_channels="=squeeze", kernel_size=1)
        block("ReLU")
        block("Conv2d", out_channels="=width", kernel_size=1)
        block("Multiply", inner, block("Sigmoid"))
    branch = block.conv("=width", 1, activation="")
    block("Shortcut", block.input, branch)
    block("Add", branch, block.last)
    block("ReLU")
    return block


def regnet(
    net: Sketch,
    widths: tuple[int, ...],
    depths: tuple[int, ...],
    group: int,
    excited: bool,
    classes: int,
) -> NetworkSpec:
    """Stages of equal blocks behind a stem of 32 channels.

    Args:
        net: The stem.
        widths: Channels of each stage.
        depths: Blocks of each stage.
        group: Channels of a group.
        excited: Whether blocks have squeeze and excitation (RegNetY).
        classes: How many scores come out.
    """
    came = 32
    for width, depth in zip(widths, depths, strict=True):
        first = {"stride": 2, "squeeze": came // 4}
        net.block("regular", depth, first, width=width, groups=width // group, squeeze=width // 4)
        came = width
    net("GlobalAvgPool")
    net("Linear", name="scores", out_features=classes)
    return net.spec(regular=_block(excited))


def _large(
    widths: tuple[int, ...], depths: tuple[int, ...], group: int, excited: bool
) -> NetworkSpec:
    net = Sketch(3, 224, 224)
    net.conv(32, 3, 2)
    return regnet(net, widths, depths, group, excited, 1000)


@template(title="RegNetX-400MF", family="Images", parameters=5_157_512, source=_SOURCE)
def regnet_x_400mf() -> NetworkSpec:
    """Twenty-two blocks whose widths follow 24 + 24.48 j."""
    return _large((32, 64, 160, 384), (1, 2, 7, 12), 16, excited=False)


@template(title="RegNetY-400MF", family="Images", parameters=4_344_144, source=_SOURCE)
def regnet_y_400mf() -> NetworkSpec:
    """Sixteen blocks with squeeze and excitation."""
    return _large((48, 104, 208, 440), (1, 3, 6, 6), 8, excited=True)


@template(title="RegNetY-800MF", family="Images", parameters=6_432_512, source=_SOURCE)
def regnet_y_800mf() -> NetworkSpec:
    """Fourteen wider blocks with squeeze and excitation."""
    return _large((64, 144, 320, 784), (1, 3, 8, 2), 16, excited=True)


@template(title="RegNet for small digits", family="Images", source=_SOURCE, data="digits")
def regnet_digits() -> NetworkSpec:
    """Two stages of regular blocks for 8 × 8 pixels."""
    net = Sketch(1, 8, 8)
    net.conv(32)
    return regnet(net, (32, 48), (1, 2), 16, excited=False, classes=10)
