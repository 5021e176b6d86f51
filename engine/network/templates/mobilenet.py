"""MobileNets: depthwise separable convolutions, from 2017 to 2019."""

from __future__ import annotations

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template

_V1 = "Howard et al. (2017), MobileNets: efficient convolutional neural networks for mobile vision."
_V2 = "Sandler et al. (2018), MobileNetV2: inverted residuals and linear bottlenecks."
_V3 = "Howard et al. (2019), Searching for MobileNetV3, tables 1 and 2."

_V1_ROWS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)
_V2_ROWS = (
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
# v3: kernel size, expanded channels, channels, squeeze and excitation, activation, stride
_RE, _HS = "ReLU", "Hardswish"
_V3_LARGE = (
    (3, 16, 16, False, _RE, 1), (3, 64, 24, False, _RE, 2), (3, 72, 24, False, _RE, 1),
    (5, 72, 40, True, _RE, 2), (5, 120, 40, True, _RE, 1), (5, 120, 40, True, _RE, 1),
    (3, 240, 80, False, _HS, 2), (3, 200, 80, False, _HS, 1), (3, 184, 80, False, _HS, 1),
    (3, 184, 80, False, _HS, 1), (3, 480, 112, True, _HS, 1), (3, 672, 112, True, _HS, 1),
    (5, 672, 160, True, _HS, 2), (5, 960, 160, True, _HS, 1), (5, 960, 160, True, _HS, 1),
)  # fmt: skip
_V3_SMALL = (
    (3, 16, 16, True, _RE, 2), (3, 72, 24, False, _RE, 2), (3, 88, 24, False, _RE, 1),
    (5, 96, 40, True, _HS, 2), (5, 240, 40, True, _HS, 1), (5, 240, 40, True, _HS, 1),
    (5, 120, 48, True, _HS, 1), (5, 144, 48, True, _HS, 1), (5, 288, 96, True, _HS, 2),
    (5, 576, 96, True, _HS, 1), (5, 576, 96, True, _HS, 1),
)  # fmt: skip


def eighths(channels: float) -> int:
    """The nearest multiple of 8 that is not over a tenth smaller."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def mobilenet(width: float = 1.0, side: int = 224) -> NetworkSpec:
    """MobileNet v1 with both of its multipliers.

    Args:
        width: Factor on all channels.
        side: Of the picture [pixel].
    """
    net = Sketch(3, side, side)
    channels = int(32 * width)
    net.conv(channels, 3, 2)
    for out, stride in _V1_ROWS:
        net.conv(channels, 3, stride, groups=channels)
        channels = int(out * width)
        net.conv(channels, 1)
    net("GlobalAvgPool")
    net("Linear", name="scores", out_features=1000)
    return net.spec()


@template(title="MobileNet v1", family="Mobile", parameters=4_231_976, source=_V1)
def mobilenet_v1() -> NetworkSpec:
    """Thirteen pairs of a depthwise 3 × 3 and a pointwise 1 × 1 convolution."""
    return mobilenet()


def _inverted(added: bool, before: int = 0) -> Sketch:
    """Wide by 1 × 1, depthwise 3 × 3, narrow by 1 × 1 without activation."""
    block = Sketch(wide=96, width=24, stride=1)
    if not before:
        block.conv("=wide", 1, activation="ReLU6")
    block.conv("=wide", 3, "=stride", groups="=wide", activation="ReLU6")
    narrow = block.conv("=width", 1, activation="")
    if added:
        block("Add", block.input, narrow)
    return block


def _v2(
    net: Sketch, channels: int, rows: tuple[tuple[int, ...], ...], last: int, classes: int
) -> NetworkSpec:
    """Inverted residuals by `rows` of (expansion, channels, blocks, stride)."""
    for factor, width, depth, stride in rows:
        net.block("reduce", wide=factor * channels, width=width, stride=stride)
        channels = width
        if depth > 1:
            net.block("residual", depth - 1, wide=factor * channels, width=width)
    net.conv(last, 1, activation="ReLU6")
    net("GlobalAvgPool")
    net("Dropout", p=0.2)
    net("Linear", name="scores", out_features=classes)
    return net.spec(begin=_inverted(False, 32), reduce=_inverted(False), residual=_inverted(True))


@template(title="MobileNet v2", family="Mobile", parameters=3_504_872, source=_V2)
def mobilenet_v2() -> NetworkSpec:
    """Inverted residuals: narrow between blocks, wide and depthwise inside."""
    net = Sketch(3, 224, 224)
    net.conv(32, 3, 2, activation="ReLU6")
    net.block("begin", wide=32, width=16)
    return _v2(net, 16, _V2_ROWS, 1280, 1000)


@template(title="MobileNet for small digits", family="Mobile", source=_V2, data="digits")
def mobilenet_digits() -> NetworkSpec:
    """Four inverted residuals for 8 × 8 pixels."""
    net = Sketch(1, 8, 8)
    net.conv(16, activation="ReLU6")
    net.block("begin", wide=16, width=8)
    return _v2(net, 8, ((4, 16, 2, 2), (4, 24, 2, 1)), 64, 10)


def _bneck(net: Sketch, came: int, row: tuple[int, int, int, bool, str, int]) -> None:
    kernel, wide, width, excited, activation, stride = row
    skip = net.last
    if wide != came:
        net.conv(wide, 1, activation=activation, eps=1e-3)
    inner = net.conv(wide, kernel, stride, groups=wide, activation=activation, eps=1e-3)
    if excited:
        net("AdaptiveAvgPool2d")
        net("Conv2d", out_channels=eighths(wide // 4), kernel_size=1)
        net("ReLU")
        net("Conv2d", out_channels=wide, kernel_size=1)
        net("Multiply", inner, net("Hardsigmoid"))
    narrow = net.conv(width, 1, activation="", eps=1e-3)
    if stride == 1 and width == came:
        net("Add", skip, narrow)


def _v3(rows: tuple[tuple[int, int, int, bool, str, int], ...], hidden: int) -> NetworkSpec:
    """Rows of a table of blocks, then a head with `hidden` numbers."""
    net = Sketch(3, 224, 224)
    net.conv(16, 3, 2, activation=_HS, eps=1e-3)
    came = 16
    for row in rows:
        _bneck(net, came, row)
        came = row[2]
    net.conv(6 * came, 1, activation=_HS, eps=1e-3)
    net("GlobalAvgPool")
    net("Linear", out_features=hidden)
    net("Hardswish")
    net("Dropout", p=0.2)
    net("Linear", name="scores", out_features=1000)
    return net.spec()


@template(title="MobileNet v3 small", family="Mobile", parameters=2_542_856, source=_V3)
def mobilenet_v3_small() -> NetworkSpec:
    """Eleven searched blocks with squeeze and excitation and hard swish."""
    return _v3(_V3_SMALL, 1024)


@template(title="MobileNet v3 large", family="Mobile", parameters=5_483_032, source=_V3)
def mobilenet_v3_large() -> NetworkSpec:
    """Fifteen searched blocks with squeeze and excitation and hard swish."""
    return _v3(_V3_LARGE, 1280)
