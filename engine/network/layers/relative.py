"""Attention that knows distances: T5's, and Swin's in windows of an image."""

from __future__ import annotations

from typing import ClassVar

from engine.network.registry import Layer, follows, limited


class _Distances(Layer):
    category = "Attention"
    home = "relative"
    axes: ClassVar[tuple[str, ...] | None] = ("length", "features")


class RelativeBias(_Distances):
    """Learns what to add to attention's scores for each distance; for `RelativeAttention`.

    Source: Raffel et al. (2019), Exploring the limits of transfer learning (T5).
    """

    category = "Positions"

    heads: int = limited(high=1_000, help="How many attentions side by side", begin=2)
    buckets: int = limited(32, 4, 10_000, "How many distances are told apart")
    farthest: int = limited(128, 8, 1_000_000, "From where on all distances are one")
    causal: bool = False


class RelativeAttention(_Distances):
    """Attention without biases and scaling; takes a memory, and a bias for each distance.

    Source: Raffel et al. (2019), Exploring the limits of transfer learning (T5).
    """

    inputs = (1, 3)

    features: int | None = follows(-1, "Features; found from the input")
    heads: int = limited(high=1_000, help="How many attentions side by side", begin=2)
    size: int | None = limited(None, 1, 10_000, "Features of a head; none to share them evenly")


class WindowAttention(_Distances):
    """Lets places of an image look at others in their window, which may be shifted.

    Source: Liu et al. (2021), Swin transformer.
    """

    axes = ("rows", "columns", "features")
    example = ((8, 8, 8),)

    features: int | None = follows(-1, "Features; found from the input")
    heads: int = limited(high=1_000, help="How many attentions side by side", begin=2)
    window: int = limited(high=256, help="Places of a window, either way", begin=4)
    shift: int = limited(0, 0, 256, "By how much the windows are shifted")
