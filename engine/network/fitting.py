"""A plain network that fits given data, for whoever brings data before a network."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from engine.network.spec import NetworkSpec

HIDDEN = 16
CODE = 8  # numbers that a sample goes through where it shall come back
WIDE = 128  # units before and after them
STATE = 64  # numbers of a recurrent network's state
VECTOR = 32  # numbers of a token's vector

Triple = tuple[str, str, dict[str, Any]]  # id, type, parameters


def fitting(
    shape: Sequence[int],
    outputs: int,
    *,
    vocabulary: int = 0,
    per_place: bool = False,
    parts: Sequence[int] = (),
    kind: str = "",
    per_pixel: bool = False,
    itself: bool = False,
) -> dict[str, Any]:
    """A small network from samples of `shape`, without the batch axis, to `outputs` numbers.

    Pictures, `(channels, rows, columns)`, get two convolutions, sequences a recurrent network,
    pairs of sequences an encoder and a decoder that looks at it, graphs two convolutions over
    neighbours, clouds of points the largest of each feature, all else two hidden layers. What is
    asked for each pixel gets a small U-Net; what is asked for its sample goes through a code.

    Args:
        shape: The shape of one sample.
        outputs: How many numbers it must give, for a sample or for each place.
        vocabulary: How many different tokens a text has; 0 for numbers.
        per_place: Whether every place of a sequence has an answer.
        parts: Lengths of source and target, where a sample is a pair.
        kind: What a sample is, see `engine.data.DataSet.kind`.
        per_pixel: Whether every pixel of a picture has an answer.
        itself: Whether the answer is the sample itself.
    """
    if parts:
        return _pair(parts, outputs, vocabulary)
    if kind == "graph":
        return _graph(shape, outputs)
    if per_pixel:
        return _per_pixel(shape, outputs)
    if itself:
        return _through_a_code(shape)
    if kind == "points":
        return _cloud(shape, outputs)
    if vocabulary or len(shape) == 2:
        return _recurrent(shape, outputs, vocabulary, per_place)
    layers = _convolutions(min(shape[1:])) if len(shape) == 3 else _hidden()
    return _chain(shape, [*layers, ("scores", "Linear", {"out_features": outputs})])


def _graph(shape: Sequence[int], outputs: int) -> dict[str, Any]:
    """Two convolutions over neighbours."""
    first = {"id": "first", "type": "GraphConvolution", "params": {"out_features": HIDDEN}}
    last = {"id": "scores", "type": "GraphConvolution", "params": {"out_features": outputs}}
    nodes = [
        _input("input", shape, 0),
        _input("links", [shape[0], shape[0]], 0),
        first,
        {"id": "relu", "type": "ReLU"},
        {"id": "dropout", "type": "Dropout", "params": {"p": 0.3}},
        last,
    ]
    chain = ["input", "first", "relu", "dropout", "scores"]
    edges = [[a, b] for a, b in itertools.pairwise(chain)]
    return _spec(nodes, [*edges, ["links", "first"], ["links", "scores"]])


def _cloud(shape: Sequence[int], outputs: int) -> dict[str, Any]:
    """The same two layers for each point, and the largest of each feature: order cannot matter."""
    layers: list[Triple] = [
        ("each1", "Linear", {"out_features": 32}),
        ("relu1", "ReLU", {}),
        ("each2", "Linear", {"out_features": 64}),
        ("relu2", "ReLU", {}),
        ("turned", "Permute", {"order": [1, 0]}),
        ("largest", "GlobalMaxPool", {}),
        ("hidden", "Linear", {"out_features": 32}),
        ("relu3", "ReLU", {}),
        ("scores", "Linear", {"out_features": outputs}),
    ]
    return _chain(shape, layers)


def _through_a_code(shape: Sequence[int]) -> dict[str, Any]:
    """Down to a few numbers and back to the sample's own shape."""
    numbers = math.prod(shape)
    width = min(WIDE, 4 * numbers)
    layers: list[Triple] = [
        ("flat", "Flatten", {}),
        ("encode", "Linear", {"out_features": width}),
        ("relu1", "ReLU", {}),
        ("code", "Linear", {"out_features": max(1, min(CODE, numbers // 2))}),
        ("decode", "Linear", {"out_features": width}),
        ("relu2", "ReLU", {}),
        ("numbers", "Linear", {"out_features": numbers}),
        ("scores", "Reshape", {"shape": [*shape]}),
    ]
    return _chain(shape, layers)


def _chain(shape: Sequence[int], layers: Sequence[Triple]) -> dict[str, Any]:
    """An input and layers one behind the other."""
    nodes = [_input("input", shape, 0)]
    nodes += [{"id": id, "type": type, "params": params} for id, type, params in layers]
    return _spec(nodes, [[a["id"], b["id"]] for a, b in itertools.pairwise(nodes)])


def _per_pixel(shape: Sequence[int], outputs: int) -> dict[str, Any]:
    """A U-Net with one level less than there is room for, two at most."""
    nodes = [_input("input", shape, 0)]
    edges: list[list[str]] = []

    def put(id: str, type: str, *before: str, **params: Any) -> str:
        nodes.append({"id": id, "type": type, "params": params})
        edges.extend([one, id] for one in before)
        return id

    def pair(name: str, before: str, width: int) -> str:
        for number in (1, 2):
            wide = {"out_channels": width, "kernel_size": 3, "padding": 1}
            before = put(f"{name}{number}", "Conv2d", before, **wide)
            before = put(f"{name}_relu{number}", "ReLU", before)
        return before

    rows, columns = shape[1:]
    levels = 2 if min(rows, columns) >= 8 else 1 if min(rows, columns) >= 4 else 0
    bridges, last = [], pair("down", "input", HIDDEN)
    for level in range(1, levels + 1):
        bridges.append((last, [rows, columns]))
        rows, columns = rows // 2, columns // 2
        last = put(f"pool{level}", "MaxPool2d", last, kernel_size=2)
        last = pair(f"deeper{level}", last, HIDDEN * 2**level)
    for level, (bridge, size) in enumerate(bridges[::-1], start=1):
        large = put(f"up{level}", "Upsample", last, size=size)
        last = put(f"both{level}", "Concat", bridge, large)
        last = pair(f"back{level}", last, HIDDEN * 2 ** (levels - level))
    put("scores", "Conv2d", last, out_channels=outputs, kernel_size=1)
    return _spec(nodes, edges)


def _recurrent(
    shape: Sequence[int], outputs: int, vocabulary: int, per_place: bool
) -> dict[str, Any]:
    """Gated units along the sequence; its last state answers where one answer is wanted."""
    nodes = [_input("input", shape, vocabulary)]
    chain = ["input"]
    if vocabulary:
        nodes.append(_vectors("vectors", vocabulary))
        chain.append("vectors")
    nodes.append(_gated("memory"))
    edges = [[a, b] for a, b in itertools.pairwise([*chain, "memory"])]
    if per_place:
        edges.append(["memory", "scores"])
    else:
        nodes.append({"id": "flat", "type": "Flatten"})
        edges += [["memory.1", "flat"], ["flat", "scores"]]
    return _spec([*nodes, _scores(outputs)], edges)


def _pair(parts: Sequence[int], outputs: int, vocabulary: int) -> dict[str, Any]:
    """An encoder whose last state begins the decoder, which also looks back at all of it."""
    nodes = [
        _input("source", parts[:1], vocabulary),
        _input("target", parts[1:], vocabulary),
        _vectors("source_vectors", vocabulary),
        _vectors("target_vectors", vocabulary),
        _gated("encoder"),
        _gated("decoder"),
        {"id": "look", "type": "DotAttention", "params": {"score": "general"}},
        {"id": "both", "type": "Concat", "params": {"axis": -1}},
        _scores(outputs),
    ]
    edges = [
        ["source", "source_vectors"],
        ["source_vectors", "encoder"],
        ["target", "target_vectors"],
        ["target_vectors", "decoder"],
        ["encoder.1", "decoder"],
        ["decoder", "look"],
        ["encoder", "look"],
        ["decoder", "both"],
        ["look", "both"],
        ["both", "scores"],
    ]
    return _spec(nodes, edges)


def _spec(nodes: list[dict[str, Any]], edges: list[list[str]]) -> dict[str, Any]:
    spec = {"version": 1, "nodes": nodes, "edges": edges, "outputs": ["scores"]}
    return NetworkSpec.parse(spec).to_json()


def _input(id: str, shape: Sequence[int], vocabulary: int) -> dict[str, Any]:
    reads = {"dtype": "token", "vocabulary": vocabulary} if vocabulary else {}
    return {"id": id, "type": "Input", "params": {"shape": [*shape], **reads}}


def _vectors(id: str, vocabulary: int) -> dict[str, Any]:
    params = {"num_embeddings": vocabulary, "embedding_dim": VECTOR}
    return {"id": id, "type": "Embedding", "params": params}


def _gated(id: str) -> dict[str, Any]:
    return {"id": id, "type": "GRU", "params": {"hidden_size": STATE}}


def _scores(outputs: int) -> dict[str, Any]:
    return {"id": "scores", "type": "Linear", "params": {"out_features": outputs}}


def _hidden() -> list[Triple]:
    return [
        ("hidden1", "Linear", {"out_features": HIDDEN}),
        ("tanh1", "Tanh", {}),
        ("hidden2", "Linear", {"out_features": HIDDEN}),
        ("tanh2", "Tanh", {}),
    ]


def _convolutions(smallest: int) -> list[Triple]:
    """Two convolutions that keep the size, with pooling where there is room for it."""
    layers: list[Triple] = []
    for number, channels in ((1, 16), (2, 32)):
        layers.append(
            (f"conv{number}", "Conv2d", {"out_channels": channels, "kernel_size": 3, "padding": 1})
        )
        layers.append((f"relu{number}", "ReLU", {}))
        if smallest >= 2:
            layers.append((f"pool{number}", "MaxPool2d", {"kernel_size": 2}))
            smallest //= 2
    return [*layers, ("flat", "Flatten", {})]
