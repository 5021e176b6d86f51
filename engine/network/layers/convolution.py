"""Convolutions: small filters that slide over a signal, an image or a volume."""

from __future__ import annotations

from typing import Literal

from engine.network.registry import Layer, Offsets, Sizes, follows, limited, required


class _Convolution(Layer):
    category = "Convolution"
    reach = "window"

    in_channels: int | None = follows(0, "Channels that come in; found from the input")
    out_channels: int = limited(help="How many filters, one channel each", begin=8)
    kernel_size: Sizes = required(3, "Size of the window, one number or one an axis")
    stride: Sizes = 1
    padding: Offsets | Literal["same", "valid"] = 0
    dilation: Sizes = 1
    groups: int = limited(1, help="Into how many separate groups the channels are split")
    bias: bool = True
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"


class Conv1d(_Convolution):
    """Slides filters along a sequence and writes how well each fits at every place.

    Source: Waibel et al. (1989), Phoneme recognition using time-delay neural networks.
    """

    axes = ("channels", "length")


class Conv2d(_Convolution):
    """Slides small filters over an image and writes how well each fits at every place.

    Source: LeCun et al. (1989), Backpropagation applied to handwritten zip code recognition.
    """

    axes = ("channels", "rows", "columns")


class Conv3d(_Convolution):
    """Slides small filters through a volume or a film.

    Source: Ji et al. (2013), 3D convolutional neural networks for human action recognition.
    """

    axes = ("channels", "depth", "rows", "columns")


class _Transposed(Layer):
    category = "Convolution"
    reach = "all"

    in_channels: int | None = follows(0, "Channels that come in; found from the input")
    out_channels: int = limited(help="How many filters, one channel each", begin=8)
    kernel_size: Sizes = required(3, "Size of the window, one number or one an axis")
    stride: Sizes = 1
    padding: Offsets = 0
    output_padding: Offsets = 0
    groups: int = limited(1, help="Into how many separate groups the channels are split")
    bias: bool = True
    dilation: Sizes = 1


class ConvTranspose1d(_Transposed):
    """Writes a filter, weighted, for every place of a sequence: makes it longer.

    Source: Dumoulin & Visin (2016), A guide to convolution arithmetic for deep learning.
    """

    axes = ("channels", "length")


class ConvTranspose2d(_Transposed):
    """Writes a filter, weighted, for every pixel: makes an image larger.

    Source: Dumoulin & Visin (2016), A guide to convolution arithmetic for deep learning.
    """

    axes = ("channels", "rows", "columns")


class ConvTranspose3d(_Transposed):
    """Writes a filter, weighted, for every place of a volume: makes it larger.

    Source: Dumoulin & Visin (2016), A guide to convolution arithmetic for deep learning.
    """

    axes = ("channels", "depth", "rows", "columns")
