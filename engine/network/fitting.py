"""A plain network that fits given data, for whoever brings data before a network."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from engine.network.spec import NetworkSpec

HIDDEN = 16
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
) -> dict[str, Any]:
    """A small network from samples of `shape`, without the batch axis, to `outputs` numbers.

    Pictures, `(channels, rows, columns)`, get two convolutions, sequences a recurrent network,
    pairs of sequences an encoder and a decoder that looks at it, all else two hidden layers.

    Args:
        shape: The shape of one sample.
        outputs: How many numbers it must give, for a sample or for each place.
        vocabulary: How many different tokens a text has; 0 for numbers.
        per_place: Whether every place of a sequence has an answer.
        parts: Lengths of source and target, where a sample is a pair.
    """
    if parts:
        return _pair(parts, outputs, vocabulary)
    if vocabulary or len(shape) == 2:
        return _recurrent(shape, outputs, vocabulary, per_place)
    layers = _convolutions(min(shape[1:])) if len(shape) == 3 else _hidden()
    nodes: list[dict[str, Any]] = [{"id": "input", "type": "Input", "params": {"shape": [*shape]}}]
    nodes += [{"id": id, "type": type, "params": params} for id, type, params in layers]
    nodes.append(_scores(outputs))
    ids = [node["id"] for node in nodes]
    return _spec(nodes, [[a, b] for a, b in itertools.pairwise(ids)])


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
