"""Normalisation: values brought to mean 0 and variance 1, then scaled as is learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.network.registry import Layer, Shape, follows, limited


class _Batch(Layer):
    category = "Normalisation"
    reach = "point"

    num_features: int | None = follows(0, "Channels; found from the input")
    eps: float = limited(1e-5, 0.0, 1.0, "Added to the variance")
    momentum: float = limited(0.1, 0.0, 1.0, "How fast the running mean follows")
    affine: bool = True
    track_running_stats: bool = True


class BatchNorm1d(_Batch):
    """Normalises each feature over the batch.

    Source: Ioffe & Szegedy (2015), Batch normalization.
    """

    example = ((8,),)


class BatchNorm2d(_Batch):
    """Normalises each channel of images over the batch.

    Source: Ioffe & Szegedy (2015), Batch normalization.
    """

    axes = ("channels", "rows", "columns")


class BatchNorm3d(_Batch):
    """Normalises each channel of volumes over the batch.

    Source: Ioffe & Szegedy (2015), Batch normalization.
    """

    axes = ("channels", "depth", "rows", "columns")


class _Instance(_Batch):
    affine: bool = False
    track_running_stats: bool = False


class InstanceNorm1d(_Instance):
    """Normalises each channel of each sequence by itself.

    Source: Ulyanov, Vedaldi & Lempitsky (2016), Instance normalization.
    """

    axes = ("channels", "length")


class InstanceNorm2d(_Instance):
    """Normalises each channel of each image by itself: takes contrast away.

    Source: Ulyanov, Vedaldi & Lempitsky (2016), Instance normalization.
    """

    axes = ("channels", "rows", "columns")


class InstanceNorm3d(_Instance):
    """Normalises each channel of each volume by itself.

    Source: Ulyanov, Vedaldi & Lempitsky (2016), Instance normalization.
    """

    axes = ("channels", "depth", "rows", "columns")


class GroupNorm(Layer):
    """Normalises groups of channels of each example.

    Source: Wu & He (2018), Group normalization.
    """

    category = "Normalisation"
    reach = "point"

    num_groups: int = limited(help="Into how many groups the channels are split", begin=2)
    num_channels: int | None = follows(0, "Channels; found from the input")
    eps: float = limited(1e-5, 0.0, 1.0, "Added to the variance")
    affine: bool = True


class _Trailing(Layer):
    category = "Normalisation"
    reach = "point"

    normalized_shape: int | list[int] | None = None

    def arguments(self, shapes: Sequence[Shape]) -> dict[str, Any]:
        """The last axis, unless the shape is given."""
        last = shapes[0][-1] if self.normalized_shape is None else self.normalized_shape
        return {"normalized_shape": last, **super().arguments(shapes)}


class LayerNorm(_Trailing):
    """Normalises the last axis of each example: every token by itself.

    Source: Ba, Kiros & Hinton (2016), Layer normalization.
    """

    eps: float = limited(1e-5, 0.0, 1.0, "Added to the variance")
    elementwise_affine: bool = True
    bias: bool = True


class RMSNorm(_Trailing):
    """Divides the last axis by its root mean square, without taking the mean away.

    Source: Zhang & Sennrich (2019), Root mean square layer normalization.
    """

    eps: float | None = limited(None, 0.0, 1.0, "Added to the mean square")
    elementwise_affine: bool = True


class LocalResponseNorm(Layer):
    """Divides each value by those of its neighbouring channels.

    Source: Krizhevsky, Sutskever & Hinton (2012), ImageNet classification with deep CNNs.
    """

    category = "Normalisation"
    reach = "point"

    size: int = limited(help="How many neighbouring channels", begin=5)
    alpha: float = limited(1e-4, 0.0, 1e3, "Weight of the neighbours")
    beta: float = limited(0.75, 0.0, 10.0, "Power of the divisor")
    k: float = limited(1.0, 0.0, 1e3, "Added to the divisor")
