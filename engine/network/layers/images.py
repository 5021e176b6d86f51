"""Parts of image networks that are often used whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from engine.network.registry import Layer, Offsets, Shape, Sizes, follows, limited, required


class SqueezeExcite(Layer):
    """Scales each channel by a gate that sees all channels.

    Source: Hu, Shen & Sun (2017), Squeeze-and-excitation networks.
    """

    category = "Convolution"
    home = "images"
    axes = ("channels", "rows", "columns")

    channels: int | None = follows(0, "Channels; found from the input")
    squeezed: int | None = limited(None, help="Width of the gate; none for a sixteenth")
    activation: Literal["relu", "silu"] = "relu"

    def arguments(self, shapes: Sequence[Shape]) -> dict[str, Any]:
        """A sixteenth of the channels, unless the width is given."""
        given = super().arguments(shapes)
        return {"squeezed": max(1, given["channels"] // 16), **given}


class DepthwiseConv2d(Layer):
    """Slides a filter of its own over each channel, without mixing the channels.

    Source: Howard et al. (2017), MobileNets.
    """

    category = "Convolution"
    home = "images"
    axes = ("channels", "rows", "columns")
    reach = "window"

    channels: int | None = follows(0, "Channels; found from the input")
    kernel_size: Sizes = required(3, "Size of the window, one number or one an axis")
    multiplier: int = limited(1, 1, 1_000, "How many filters each channel has")
    stride: Sizes = 1
    padding: Offsets | Literal["same", "valid"] = 0
    dilation: Sizes = 1
    bias: bool = True


class SeparableConv2d(Layer):
    """A filter for each channel, then a mix of the channels at each pixel: far fewer weights.

    Source: Chollet (2016), Xception: deep learning with depthwise separable convolutions.
    """

    category = "Convolution"
    home = "images"
    axes = ("channels", "rows", "columns")

    in_channels: int | None = follows(0, "Channels that come in; found from the input")
    out_channels: int = limited(help="Channels that go out", begin=8)
    kernel_size: Sizes = required(3, "Size of the window, one number or one an axis")
    stride: Sizes = 1
    padding: Offsets | Literal["same", "valid"] = 0
    dilation: Sizes = 1
    bias: bool = True
