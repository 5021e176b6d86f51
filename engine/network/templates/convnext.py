"""ConvNeXt: a residual network with everything that transformers taught."""

from __future__ import annotations

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template

_SOURCE = "Liu et al. (2022), A ConvNet for the 2020s."


def _norm(net: Sketch) -> None:
    """Layer norm over the channels of every pixel."""
    net("Permute", order=[1, 2, 0])
    net("LayerNorm", eps=1e-6)
    net("Permute", order=[2, 0, 1])


def _block(kernel: int) -> Sketch:
    """Depthwise convolution, layer norm, four times wider and back, scaled, added."""
    block = Sketch(width=96)
    block("Conv2d", out_channels="=width", kernel_size=kernel, padding=kernel // 2, groups="=width")
    block("Permute", order=[1, 2, 0])
    block("LayerNorm", eps=1e-6)
    block("Linear", out_features="=4 * width")
    block("GELU")
    block("Linear", out_features="=width")
    block("LayerScale", init=1e-6)
    branch = block("Permute", order=[2, 0, 1])
    block("Add", block.input, branch)
    return block


def _convnext(
    net: Sketch,
    patch: int,
    widths: tuple[int, ...],
    depths: tuple[int, ...],
    kernel: int,
    classes: int,
) -> NetworkSpec:
    """Stages of blocks; between them norm and a convolution that halves.

    Args:
        net: Just begun.
        patch: Width and stride of the stem [pixel].
        widths: Channels of each stage.
        depths: Blocks of each stage.
        kernel: Width of the depthwise windows [pixel].
        classes: How many scores come out.
    """
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        if stage:
            _norm(net)
        step = 2 if stage else patch
        net("Conv2d", out_channels=width, kernel_size=step, stride=step)
        if not stage:
            _norm(net)
        net.block("modern", depth, width=width)
    net("GlobalAvgPool")
    net("LayerNorm", eps=1e-6)
    net("Linear", name="scores", out_features=classes)
    return net.spec(modern=_block(kernel))


@template(title="ConvNeXt-Tiny", family="Images", parameters=28_589_128, source=_SOURCE)
def convnext_tiny() -> NetworkSpec:
    """Eighteen blocks of 96 to 768 channels."""
    return _convnext(Sketch(3, 224, 224), 4, (96, 192, 384, 768), (3, 3, 9, 3), 7, 1000)


@template(title="ConvNeXt-Small", family="Images", parameters=50_223_688, source=_SOURCE)
def convnext_small() -> NetworkSpec:
    """Thirty-six blocks of 96 to 768 channels."""
    return _convnext(Sketch(3, 224, 224), 4, (96, 192, 384, 768), (3, 3, 27, 3), 7, 1000)


@template(title="ConvNeXt-Base", family="Images", parameters=88_591_464, source=_SOURCE)
def convnext_base() -> NetworkSpec:
    """Thirty-six blocks of 128 to 1,024 channels."""
    return _convnext(Sketch(3, 224, 224), 4, (128, 256, 512, 1024), (3, 3, 27, 3), 7, 1000)


@template(title="ConvNeXt for small digits", family="Images", source=_SOURCE, data="digits")
def convnext_digits() -> NetworkSpec:
    """Two stages with 3 × 3 depthwise windows for 8 × 8 pixels."""
    return _convnext(Sketch(1, 8, 8), 1, (24, 48), (2, 2), 3, 10)
