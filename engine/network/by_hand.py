"""Weights by hand: what a spec says of single weights, held against the layer they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.network.registry import Shape, words
from engine.network.spec import Block, First, Graph, Index, NetworkSpec, Node
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
    id = [part for part in path.split(".") if not part.isdigit()]
    graph: Graph = spec
    name = ""
    for part in id[:-1]:
        name = str(graph.node(part).params.get("block", ""))
        graph = spec.blocks[name]
    node = graph.node(id[-1])
    kept = {
        "cut": tuple(one for one in node.cut if not stray([one], [], sizes)),
        "start": tuple(one for one in node.start if not stray([], [one], sizes)),
    }
    return _replaced(spec, name, node.model_copy(update=kept))


def _replaced(spec: NetworkSpec, block: str, node: Node) -> NetworkSpec:
    """The spec with another node of that id, in a block or (with no block) at the top."""
    graph: Graph = spec.blocks[block] if block else spec
    nodes = tuple(node if one.id == node.id else one for one in graph.nodes)
    if not block:
        return spec.model_copy(update={"nodes": nodes})
    changed: Block = spec.blocks[block].model_copy(update={"nodes": nodes})
    return spec.model_copy(update={"blocks": {**spec.blocks, block: changed}})
