"""ShuffleNet v2: half the channels pass by, the rest are mixed, then all are shuffled."""

from __future__ import annotations

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template

_SOURCE = "Ma et al. (2018), ShuffleNet V2: practical guidelines for efficient CNN design."


def _mix() -> Sketch:
    """Half the channels go through 1 × 1, depthwise 3 × 3, 1 × 1; then all are shuffled."""
    block = Sketch(half=58)
    halves = block("Split", parts=2)
    block.conv("=half", 1, after=f"{halves}.1")
    block.conv("=half", 3, groups="=half", activation="")
    branch = block.conv("=half", 1)
    block("Concat", halves, branch)
    block("ChannelShuffle", groups=2)
    return block


def _halve(channels: int) -> Sketch:
    """Both paths step by 2; each gives half of the channels that come out."""
    block = Sketch(half=58)
    block.conv(channels, 3, 2, groups=channels, activation="")
    left = block.conv("=half", 1)
    block.conv("=half", 1, after=block.input)
    block.conv("=half", 3, 2, groups="=half", activation="")
    right = block.conv("=half", 1)
    block("Concat", left, right)
    block("ChannelShuffle", groups=2)
    return block


def _shufflenet(
    net: Sketch, widths: tuple[int, ...], depths: tuple[int, ...], classes: int
) -> NetworkSpec:
    """Stages behind a stem of `widths[0]` channels; `widths[-1]` channels before the scores."""
    blocks = {"mix": _mix()}
    for stage, (width, depth) in enumerate(zip(widths[1:-1], depths, strict=True)):
        blocks[f"halve{stage}"] = _halve(widths[stage])
        net.block(f"halve{stage}", half=width // 2)
        net.block("mix", depth - 1, half=width // 2)
    net.conv(widths[-1], 1)
    net("GlobalAvgPool")
    net("Linear", name="scores", out_features=classes)
    return net.spec(**blocks)


def _large(*widths: int) -> NetworkSpec:
    net = Sketch(3, 224, 224)
    net.conv(24, 3, 2)
    net("MaxPool2d", kernel_size=3, stride=2, padding=1)
    return _shufflenet(net, (24, *widths), (4, 8, 4), 1000)


@template(title="ShuffleNet v2 ×0.5", family="Mobile", parameters=1_366_792, source=_SOURCE)
def shufflenet_v2_half() -> NetworkSpec:
    """ShuffleNet v2 at half width."""
    return _large(48, 96, 192, 1024)


@template(title="ShuffleNet v2 ×1", family="Mobile", parameters=2_278_604, source=_SOURCE)
def shufflenet_v2() -> NetworkSpec:
    """ShuffleNet v2 at its own width."""
    return _large(116, 232, 464, 1024)


@template(title="ShuffleNet v2 ×1.5", family="Mobile", parameters=3_503_624, source=_SOURCE)
def shufflenet_v2_wide() -> NetworkSpec:
    """ShuffleNet v2 at one and a half times its width."""
    return _large(176, 352, 704, 1024)


@template(title="ShuffleNet v2 ×2", family="Mobile", parameters=7_393_996, source=_SOURCE)
def shufflenet_v2_double() -> NetworkSpec:
    """ShuffleNet v2 at twice its width."""
    return _large(244, 488, 976, 2048)


@template(title="ShuffleNet for small digits", family="Mobile", source=_SOURCE, data="digits")
def shufflenet_digits() -> NetworkSpec:
    """Two stages of ShuffleNet for 8 × 8 pixels."""
    net = Sketch(1, 8, 8)
    net.conv(12)
    return _shufflenet(net, (12, 24, 48, 64), (2, 2), 10)
