"""Positions, patches and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.network.registry import Layer, Shape, Sizes, follows, limited, required


class _Positions(Layer):
    category = "Positions"
    home = "positions"
    axes = ("length", "features")


class SinusoidalPositions(_Positions):
    """Adds waves of many lengths, so that a place can be told from its neighbours.

    Source: Vaswani et al. (2017), Attention is all you need.
    """

    scale: bool = False


class LearnedPositions(_Positions):
    """Adds a learned vector to each place.

    Source: Gehring et al. (2017), Convolutional sequence to sequence learning.
    """

    length: int | None = limited(None, help="How many places; found from the input")
    features: int | None = follows(-1, "Features; found from the input")

    def arguments(self, shapes: Sequence[Shape]) -> dict[str, Any]:
        """As many places as come in, unless more are asked for."""
        return {"length": shapes[0][0], **super().arguments(shapes)}


class ClassToken(_Positions):
    """Puts a learned token before a sequence, which gathers what the whole says.

    Source: Devlin et al. (2018), BERT; Dosovitskiy et al. (2020), An image is worth 16x16 words.
    """

    features: int | None = follows(-1, "Features; found from the input")
    tokens: int = limited(1, 1, 1_000, "How many")


class PatchEmbedding(Layer):
    """Cuts an image into patches and makes each a vector: a sequence.

    Source: Dosovitskiy et al. (2020), An image is worth 16x16 words.
    """

    category = "Positions"
    home = "positions"
    axes = ("channels", "rows", "columns")

    in_channels: int | None = follows(0, "Channels that come in; found from the input")
    features: int = limited(help="Numbers of each vector", begin=32)
    patch: Sizes = required(4, "Pixels of a patch, one number or rows and columns")
    bias: bool = True
