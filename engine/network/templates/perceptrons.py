"""One neuron, three neurons, and why the step between them took thirty years."""

from __future__ import annotations

from typing import Any

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template

_RUMELHART = "Rumelhart, Hinton & Williams (1986), Learning representations by back-propagation."
_FIRST = {  # layer -> what XOR needs: how many inputs are on, at least one and both
    "hidden": [
        *([[0, 0], 20], [[0, 1], 20], [[0], -10, "bias"]),
        *([[1, 0], 20], [[1, 1], 20], [[1], -30, "bias"]),
    ],
    "xor": [[[0, 0], 20], [[0, 1], -20], [[0], -10, "bias"]],
}


@template(
    title="Perceptron",
    family="Perceptrons",
    source="Rosenblatt (1958), The perceptron: a probabilistic model for information storage.",
    data="gauss",
)
def perceptron() -> NetworkSpec:
    """One layer of weights: a straight line between two classes of points."""
    net = Sketch(2)
    net("Linear", name="scores", out_features=2)
    return net.spec()


@template(
    title="Perceptron for digits",
    family="Perceptrons",
    parameters=650,
    source="Rosenblatt (1958), The perceptron; 64 pixels · 10 classes + 10, by hand.",
    data="digits",
)
def perceptron_digits() -> NetworkSpec:
    """One template a digit: every weight is a pixel, so the weights can be looked at."""
    net = Sketch(1, 8, 8)
    net("Flatten")
    net("Linear", name="scores", out_features=10)
    return net.spec()


@template(title="XOR network", family="Perceptrons", source=_RUMELHART, data="xor")
def xor_mlp() -> NetworkSpec:
    """Four hidden neurons that part what no line can part."""
    net = Sketch(2)
    net("Linear", name="hidden", out_features=4)
    net("Tanh")
    net("Linear", name="scores", out_features=2)
    return net.spec()


@template(title="XOR by hand", family="Perceptrons", parameters=9, source=_RUMELHART)
def xor_by_hand() -> NetworkSpec:
    """Two hidden neurons with weights set by hand, an OR and an AND; nothing is learned."""
    net = Sketch(2)
    net("Linear", name="hidden", out_features=2)
    net("Sigmoid")
    net("Linear", name="xor", out_features=1)
    net("Sigmoid")
    spec = net.spec().to_json()
    nodes: list[dict[str, Any]] = spec["nodes"]
    for node in nodes:
        if node["id"] in _FIRST:
            node |= {"start": _FIRST[node["id"]], "frozen": True}
    return NetworkSpec.parse(spec)


@template(
    title="Multilayer perceptron for digits",
    family="Perceptrons",
    source=_RUMELHART,
    data="digits",
)
def mlp_digits() -> NetworkSpec:
    """Two hidden layers of 32 neurons for 8 × 8 pixels."""
    net = Sketch(1, 8, 8)
    net("Flatten")
    for _ in range(2):
        net("Linear", name="hidden", out_features=32)
        net("ReLU")
    net("Linear", name="scores", out_features=10)
    return net.spec()
