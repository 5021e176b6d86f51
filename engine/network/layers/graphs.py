"""Layers on graphs: the first input holds features, the second says who is linked to whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.network.registry import Layer, Shape, follows, limited, words


class _Graph(Layer):
    category = "Graphs"
    home = "graphs"
    inputs = (2, 2)
    axes = ("nodes", "features")
    example = ((5, 8), (5, 5))

    in_features: int | None = follows(-1, "Features that come in; found from the input")
    out_features: int = limited(help="Features that go out", begin=16)
    bias: bool = True

    def arguments(self, shapes: Sequence[Shape]) -> dict[str, Any]:
        """Its parameters, once the adjacency is square in the nodes."""
        given = super().arguments(shapes)
        nodes = shapes[0][0]
        if shapes[1] != (nodes, nodes):
            raise ValueError(
                f"needs who is linked to whom as {nodes} × {nodes}; got {words(shapes[1])}"
            )
        return given


class GraphConvolution(_Graph):
    """Averages each node with its neighbours and maps the result.

    Source: Kipf & Welling (2016), Semi-supervised classification with graph convolutional networks.
    """


class GraphAttention(_Graph):
    """Lets each node weigh its neighbours by how much they matter to it.

    Source: Veličković et al. (2017), Graph attention networks.
    """

    heads: int = limited(1, 1, 1_000, "How many attentions side by side")
    concat: bool = True
    slope: float = limited(0.2, 0.0, 10.0, "Slope below zero of the scores")
    dropout: float = limited(0.0, 0.0, 1.0, "Dropped from the weights")
