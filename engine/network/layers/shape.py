"""Layers that only rearrange: flatten, reshape, permute, slice, pad, resize."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from engine.network.registry import LARGEST, Layer, Shape, Sizes, limited, required

_Axis = Annotated[int, Field(ge=0, le=8)]
_Width = Annotated[int, Field(ge=-10_000, le=10_000)]
_Length = Annotated[int, Field(ge=-1, le=LARGEST)]


class Flatten(Layer):
    """Writes all axes one after the other into a single one."""

    category = "Shape"

    start_dim: int = limited(1, -8, 8, "First axis that is flattened; 0 is the batch")
    end_dim: int = limited(-1, -8, 8, "Last axis that is flattened")


class Unflatten(Layer):
    """Splits one axis into several."""

    category = "Shape"

    dim: int = limited(1, -8, 8, "Which axis is split; 0 is the batch")
    unflattened_size: Annotated[list[_Length], Field(min_length=1, max_length=6)] = required(
        [2, -1], "The new sizes; one may be -1"
    )


class Reshape(Layer):
    """Reads the same numbers in other axes; one size may be -1 and is then worked out."""

    category = "Shape"
    home = "rearrange"

    shape: Annotated[list[_Length], Field(min_length=1, max_length=6)] = required(
        [-1], "Size of each axis, the batch not counted; one may be -1"
    )


class Permute(Layer):
    """Puts the axes in another order; axis 0 is the first after the batch."""

    category = "Shape"
    home = "rearrange"

    order: Annotated[list[_Axis], Field(min_length=1, max_length=6)] = required(
        [1, 2, 0], "Which axis comes first, second, ..."
    )


class Slice(Layer):
    """Keeps a part of one axis: from `start` up to, not including, `stop`."""

    category = "Shape"
    home = "rearrange"

    axis: int = limited(0, 0, 8, "Which axis; 0 is the first after the batch")
    start: int = limited(0, -LARGEST, LARGEST, "First place kept; negative counts from the end")
    stop: int | None = limited(None, -LARGEST, LARGEST, "First place not kept; none for the end")
    step: int = limited(1, 1, 10_000, "Keep every how many")


class Select(Layer):
    """Takes one place of an axis and drops the axis, for instance the class token."""

    category = "Shape"
    home = "rearrange"

    axis: int = limited(0, 0, 8, "Which axis; 0 is the first after the batch")
    index: int = limited(0, -LARGEST, LARGEST, "Which place; negative counts from the end")


class Pad(Layer):
    """Adds a frame: `[left, right, top, bottom]`, on each side as wide as you like.

    Negative widths cut off.
    """

    category = "Shape"
    home = "rearrange"

    padding: Annotated[list[_Width], Field(min_length=2, max_length=6)] = required(
        [1, 1, 1, 1], "Left, right, top, bottom"
    )
    mode: Literal["constant", "reflect", "replicate", "circular"] = "constant"
    value: float = limited(0.0, -1e6, 1e6, "What the frame holds")


class Split(Layer):
    """Cuts an axis into equal parts, one an output."""

    category = "Shape"
    home = "rearrange"
    reach = "point"

    parts: int = limited(2, 1, 1_000, "How many parts")
    axis: int = limited(0, 0, 8, "Which axis; 0 is the first after the batch")


class Mean(Layer):
    """Averages over axes, which are dropped; none averages all but the first (the channels).

    Source: Lin, Chen & Yan (2013), Network in network.
    """

    category = "Pooling"
    home = "rearrange"

    axes_to_average: Annotated[list[_Axis], Field(min_length=1, max_length=6)] | None = None

    def arguments(self, shapes: Sequence[Shape]) -> dict[str, Any]:
        """The axes, counted from the first after the batch."""
        axes = self.axes_to_average or list(range(1, len(shapes[0])))
        return {"axes": axes}


class GlobalAvgPool(Layer):
    """Averages everything but the channels: one number a channel.

    Source: Lin, Chen & Yan (2013), Network in network.
    """

    category = "Pooling"
    home = "rearrange"


class GlobalMaxPool(Layer):
    """Keeps the largest value of each channel: one number a channel."""

    category = "Pooling"
    home = "rearrange"


class Upsample(Layer):
    """Makes an image or a sequence larger by repeating or interpolating."""

    category = "Shape"

    size: Sizes | None = None
    scale_factor: float | None = limited(2.0, 0.01, 64.0, "How many times larger, without a size")
    mode: Literal["nearest", "linear", "bilinear", "bicubic", "trilinear"] = "nearest"
    align_corners: bool | None = None

    def arguments(self, shapes: Sequence[Shape]) -> dict[str, Any]:
        """The size where it is given, else the factor."""
        given = super().arguments(shapes)
        return {k: v for k, v in given.items() if k != "scale_factor" or self.size is None}


class PixelShuffle(Layer):
    """Turns channels into a finer grid of pixels.

    Source: Shi et al. (2016), Real-time single image super-resolution.
    """

    category = "Shape"
    axes = ("channels", "rows", "columns")

    upscale_factor: int = limited(2, 1, 64, "How many times larger")


class PixelUnshuffle(Layer):
    """Turns blocks of pixels into channels: the inverse of the pixel shuffle.

    Source: Shi et al. (2016), Real-time single image super-resolution.
    """

    category = "Shape"
    axes = ("channels", "rows", "columns")

    downscale_factor: int = limited(2, 1, 64, "How many times smaller")


class ChannelShuffle(Layer):
    """Mixes the channels of groups so that the next grouped convolution sees all groups.

    Source: Zhang et al. (2018), ShuffleNet.
    """

    category = "Shape"
    home = "rearrange"
    reach = "point"

    groups: int = limited(2, 1, 10_000, "How many groups")


class Identity(Layer):
    """Passes its input on unchanged."""

    category = "Shape"
    reach = "point"
