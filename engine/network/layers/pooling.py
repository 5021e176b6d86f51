"""Pooling: fewer places, each a summary of several."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.network.registry import Layer, Offsets, Sizes, limited, required

_OutputSize = Annotated[int, Field(ge=1, le=10_000)]
_OutputSizes = _OutputSize | Annotated[list[_OutputSize | None], Field(min_length=1, max_length=3)]


class _MaxPool(Layer):
    category = "Pooling"
    reach = "window"

    kernel_size: Sizes = required(2, "Size of the window, one number or one an axis")
    stride: Sizes | None = None
    padding: Offsets = 0
    dilation: Sizes = 1
    ceil_mode: bool = False


class MaxPool1d(_MaxPool):
    """Keeps the largest value of each window of a sequence.

    Source: Zhou & Chellappa (1988), Computation of optical flow using a neural network.
    """

    axes = ("channels", "length")


class MaxPool2d(_MaxPool):
    """Keeps the largest value of each window of an image.

    Source: Zhou & Chellappa (1988), Computation of optical flow using a neural network.
    """

    axes = ("channels", "rows", "columns")


class MaxPool3d(_MaxPool):
    """Keeps the largest value of each window of a volume.

    Source: Zhou & Chellappa (1988), Computation of optical flow using a neural network.
    """

    axes = ("channels", "depth", "rows", "columns")


class _AvgPool(Layer):
    category = "Pooling"
    reach = "window"

    kernel_size: Sizes = required(2, "Size of the window, one number or one an axis")
    stride: Sizes | None = None
    padding: Offsets = 0
    ceil_mode: bool = False
    count_include_pad: bool = True


class AvgPool1d(_AvgPool):
    """Averages each window of a sequence.

    Source: LeCun et al. (1990), Handwritten digit recognition with a back-propagation network.
    """

    axes = ("channels", "length")


class AvgPool2d(_AvgPool):
    """Averages each window of an image.

    Source: LeCun et al. (1990), Handwritten digit recognition with a back-propagation network.
    """

    axes = ("channels", "rows", "columns")


class AvgPool3d(_AvgPool):
    """Averages each window of a volume.

    Source: LeCun et al. (1990), Handwritten digit recognition with a back-propagation network.
    """

    axes = ("channels", "depth", "rows", "columns")


class _Adaptive(Layer):
    category = "Pooling"

    output_size: _OutputSizes = 1


class AdaptiveAvgPool1d(_Adaptive):
    """Averages windows of a sequence chosen so that a given length comes out."""

    axes = ("channels", "length")


class AdaptiveAvgPool2d(_Adaptive):
    """Averages windows chosen so that an image of a given size comes out; 1 averages all of it.

    Source: Lin, Chen & Yan (2013), Network in network.
    """

    axes = ("channels", "rows", "columns")


class AdaptiveAvgPool3d(_Adaptive):
    """Averages windows chosen so that a volume of a given size comes out."""

    axes = ("channels", "depth", "rows", "columns")


class AdaptiveMaxPool1d(_Adaptive):
    """Keeps the largest value of windows chosen so that a given length comes out."""

    axes = ("channels", "length")


class AdaptiveMaxPool2d(_Adaptive):
    """Keeps the largest value of windows chosen so that an image of a given size comes out."""

    axes = ("channels", "rows", "columns")


class AdaptiveMaxPool3d(_Adaptive):
    """Keeps the largest value of windows chosen so that a volume of a given size comes out."""

    axes = ("channels", "depth", "rows", "columns")


class _LPPool(Layer):
    category = "Pooling"
    reach = "window"

    norm_type: float = limited(2.0, 1.0, 100.0, "Which power is averaged")
    kernel_size: Sizes = required(2, "Size of the window, one number or one an axis")
    stride: Sizes | None = None
    ceil_mode: bool = False


class LPPool1d(_LPPool):
    """Takes the p-norm of each window of a sequence: between a sum and a maximum."""

    axes = ("channels", "length")


class LPPool2d(_LPPool):
    """Takes the p-norm of each window of an image: between a sum and a maximum."""

    axes = ("channels", "rows", "columns")
