"""EfficientNet: one table, scaled in depth, width and resolution together."""

from __future__ import annotations

import math

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template
from engine.network.templates.mobilenet import eighths

_SOURCE = "Tan & Le (2019), EfficientNet: rethinking model scaling for convolutional networks."
# expansion, channels, blocks, stride, kernel size of B0
_ROWS = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)


def _mbconv(expands: bool, added: bool) -> Sketch:
    """Wide by 1 × 1, depthwise, squeeze and excitation, narrow by 1 × 1."""
    block = Sketch(wide=96, width=24, stride=1, kernel=3, squeeze=4)
    if expands:
        block.conv("=wide", 1, activation="SiLU")
    inner = block.conv("=wide", "=kernel", "=stride", groups="=wide", activation="SiLU")
    block("AdaptiveAvgPool2d")
    block("Conv2d", out_channels="=squeeze", kernel_size=1)
    block("SiLU")
    block("Conv2d", out_channels="=wide", kernel_size=1)
    block("Multiply", inner, block("Sigmoid"))
    narrow = block.conv("=width", 1, activation="")
    if added:
        block("Add", block.input, narrow)
    return block


def _stages(net: Sketch, came: int, rows: tuple[tuple[int, ...], ...]) -> None:
    """Each row a block that changes the shape and blocks that add to what comes in."""
    for expansion, width, depth, stride, kernel in rows:
        kind = "reduce" if expansion > 1 else "begin"
        net.block(
            kind,
            wide=expansion * came,
            width=width,
            stride=stride,
            kernel=kernel,
            squeeze=max(1, came // 4),
        )
        if depth > 1:
            wide = expansion * width
            kind = "residual" if expansion > 1 else "plain"
            net.block(
                kind, depth - 1, wide=wide, width=width, kernel=kernel, squeeze=max(1, width // 4)
            )
        came = width


def efficientnet(width: float, depth: float, side: int, dropout: float = 0.2) -> NetworkSpec:
    """The B0 table scaled.

    Args:
        width: Factor on channels; the result is a multiple of 8.
        depth: Factor on the number of blocks, rounded up.
        side: Of the picture [pixel].
        dropout: Share of numbers left out before the scores.
    """
    net = Sketch(3, side, side)
    stem = eighths(32 * width)
    net.conv(stem, 3, 2, activation="SiLU")
    rows = tuple(
        (expansion, eighths(channels * width), math.ceil(blocks * depth), stride, kernel)
        for expansion, channels, blocks, stride, kernel in _ROWS
    )
    _stages(net, stem, rows)
    net.conv(4 * rows[-1][1], 1, activation="SiLU")
    return _headed(net, dropout, 1000)


def _headed(net: Sketch, dropout: float, classes: int) -> NetworkSpec:
    net("GlobalAvgPool")
    net("Dropout", p=dropout)
    net("Linear", name="scores", out_features=classes)
    kinds = {
        "begin": (False, False),
        "plain": (False, True),
        "reduce": (True, False),
        "residual": (True, True),
    }
    return net.spec(**{name: _mbconv(*kind) for name, kind in kinds.items()})


@template(title="EfficientNet-B0", family="Mobile", parameters=5_288_548, source=_SOURCE)
def efficientnet_b0() -> NetworkSpec:
    """The searched table itself."""
    return efficientnet(1.0, 1.0, 224)


@template(title="EfficientNet-B1", family="Mobile", parameters=7_794_184, source=_SOURCE)
def efficientnet_b1() -> NetworkSpec:
    """B0 with a tenth more depth."""
    return efficientnet(1.0, 1.1, 240)


@template(title="EfficientNet-B2", family="Mobile", parameters=9_109_994, source=_SOURCE)
def efficientnet_b2() -> NetworkSpec:
    """B0 1.1 times as wide and 1.2 times as deep."""
    return efficientnet(1.1, 1.2, 288, 0.3)


@template(title="EfficientNet-B3", family="Mobile", parameters=12_233_232, source=_SOURCE)
def efficientnet_b3() -> NetworkSpec:
    """B0 1.2 times as wide and 1.4 times as deep."""
    return efficientnet(1.2, 1.4, 300, 0.3)


@template(title="EfficientNet-B4", family="Mobile", parameters=19_341_616, source=_SOURCE)
def efficientnet_b4() -> NetworkSpec:
    """B0 1.4 times as wide and 1.8 times as deep."""
    return efficientnet(1.4, 1.8, 380, 0.4)


@template(title="EfficientNet-B7", family="Mobile", parameters=66_347_960, source=_SOURCE)
def efficientnet_b7() -> NetworkSpec:
    """B0 twice as wide and 3.1 times as deep."""
    return efficientnet(2.0, 3.1, 600, 0.5)


@template(title="EfficientNet for small digits", family="Mobile", source=_SOURCE, data="digits")
def efficientnet_digits() -> NetworkSpec:
    """Three stages of squeeze and excitation blocks for 8 × 8 pixels."""
    net = Sketch(1, 8, 8)
    net.conv(16, activation="SiLU")
    _stages(net, 16, ((1, 8, 1, 1, 3), (4, 16, 2, 2, 3), (4, 24, 2, 1, 5)))
    net.conv(64, 1, activation="SiLU")
    return _headed(net, 0.2, 10)
