"""Weights by hand: what a spec says of single weights, held against the layer they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.network.edit import graph_of, locate, with_graph
from engine.network.registry import Shape, words
from engine.network.spec import First, Index, NetworkSpec
from engine.network.words import nearest


def stray(cut: Sequence[Index], start: Sequence[First], sizes: Mapping[str, Shape]) -> str:
    """What points outside of a layer with parameters of these sizes, in words; "" for nothing."""
    for index in cut:
        if text := _outside(index, "weight", sizes, whole=False):
            return f"cut {list(index)} {text}"
    for index, _, name in start:
        if text := _outside(index, name, sizes, whole=True):
            return f"start {list(index)} {text}"
    return ""


def _outside(index: Index, name: str, sizes: Mapping[str, Shape], whole: bool) -> str:
    if name not in sizes:
        return f"needs a parameter {name!r:.80}; the layer has none{nearest(name, sizes)}"
    shape = sizes[name]
    fits = len(index) <= len(shape) and all(i < n for i, n in zip(index, shape, strict=False))
    if not fits or (whole and len(index) != len(shape)):
        return f"lies outside of its {name} of {words(shape)}"
    return ""


def without_strays(spec: NetworkSpec, path: str, sizes: Mapping[str, Shape]) -> NetworkSpec:
    """The spec whose node at a path has only weights by hand that lie inside of the layer."""
    block, id = locate(spec, path)
    graph = graph_of(spec, block)
    node = graph.node(id)
    kept = {
        "cut": tuple(one for one in node.cut if not stray([one], [], sizes)),
        "start": tuple(one for one in node.start if not stray([], [one], sizes)),
    }
    kept_node = node.model_copy(update=kept)
    nodes = tuple(kept_node if one.id == id else one for one in graph.nodes)
    return with_graph(spec, block, graph.model_copy(update={"nodes": nodes}))
