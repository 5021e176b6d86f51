"""A plain network that fits given data, for whoever brings data before a network."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from engine.network.spec import NetworkSpec

HIDDEN = 16


def fitting(shape: Sequence[int], outputs: int) -> dict[str, Any]:
    """A small network from samples of `shape`, without the batch axis, to `outputs` numbers.

    Pictures, `(channels, rows, columns)`, get two convolutions, all else two hidden layers.
    """
    layers = _convolutions(min(shape[1:])) if len(shape) == 3 else _hidden(len(shape) > 1)
    nodes: list[dict[str, Any]] = [{"id": "input", "type": "Input", "params": {"shape": [*shape]}}]
    nodes += [{"id": id, "type": type, "params": params} for id, type, params in layers]
    nodes.append({"id": "scores", "type": "Linear", "params": {"out_features": outputs}})
    ids = [node["id"] for node in nodes]
    edges = [[a, b] for a, b in itertools.pairwise(ids)]
    spec = {"version": 1, "nodes": nodes, "edges": edges, "outputs": ["scores"]}
    return NetworkSpec.parse(spec).to_json()


def _hidden(several_axes: bool) -> list[tuple[str, str, dict[str, Any]]]:
    flat: list[tuple[str, str, dict[str, Any]]] = [("flat", "Flatten", {})] if several_axes else []
    return [
        *flat,
        ("hidden1", "Linear", {"out_features": HIDDEN}),
        ("tanh1", "Tanh", {}),
        ("hidden2", "Linear", {"out_features": HIDDEN}),
        ("tanh2", "Tanh", {}),
    ]


def _convolutions(smallest: int) -> list[tuple[str, str, dict[str, Any]]]:
    """Two convolutions that keep the size, with pooling where there is room for it."""
    layers: list[tuple[str, str, dict[str, Any]]] = []
    for number, channels in ((1, 16), (2, 32)):
        layers.append(
            (f"conv{number}", "Conv2d", {"out_channels": channels, "kernel_size": 3, "padding": 1})
        )
        layers.append((f"relu{number}", "ReLU", {}))
        if smallest >= 2:
            layers.append((f"pool{number}", "MaxPool2d", {"kernel_size": 2}))
            smallest //= 2
    return [*layers, ("flat", "Flatten", {})]
