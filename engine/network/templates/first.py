"""The networks that everybody begins with."""

from __future__ import annotations

import itertools
from typing import Any

from engine.network.spec import NetworkSpec
from engine.network.templates import template


def chain(*layers: tuple[str, str, dict[str, Any]]) -> NetworkSpec:
    """A network whose layers, `(id, type, parameters)`, follow one another."""
    nodes = [{"id": id, "type": kind, "params": params} for id, kind, params in layers]
    ids = [id for id, _, _ in layers]
    edges = [list(pair) for pair in itertools.pairwise(ids)]
    return NetworkSpec.parse({"nodes": nodes, "edges": edges, "outputs": ids[-1:]})


@template(
    title="LeNet",
    family="Images",
    parameters=61_706,
    source="LeCun et al. (1998), Gradient-based learning applied to document recognition.",
    data="mnist",
)
def lenet() -> NetworkSpec:
    """LeNet-5 as it is built today: full connections between the maps, ReLU, max pooling."""
    return chain(
        ("image", "Input", {"shape": [1, 28, 28]}),
        ("conv1", "Conv2d", {"out_channels": 6, "kernel_size": 5, "padding": 2}),
        ("relu1", "ReLU", {}),
        ("pool1", "MaxPool2d", {"kernel_size": 2}),
        ("conv2", "Conv2d", {"out_channels": 16, "kernel_size": 5}),
        ("relu2", "ReLU", {}),
        ("pool2", "MaxPool2d", {"kernel_size": 2}),
        ("flat", "Flatten", {}),
        ("full1", "Linear", {"out_features": 120}),
        ("relu3", "ReLU", {}),
        ("full2", "Linear", {"out_features": 84}),
        ("relu4", "ReLU", {}),
        ("scores", "Linear", {"out_features": 10}),
    )


@template(
    title="LeNet for small digits",
    family="Images",
    source="LeCun et al. (1998), Gradient-based learning applied to document recognition.",
    data="digits",
)
def lenet_digits() -> NetworkSpec:
    """A LeNet cut down to the 8 × 8 digits that come with the playground."""
    return chain(
        ("image", "Input", {"shape": [1, 8, 8]}),
        ("conv1", "Conv2d", {"out_channels": 8, "kernel_size": 3, "padding": 1}),
        ("relu1", "ReLU", {}),
        ("pool1", "MaxPool2d", {"kernel_size": 2}),
        ("conv2", "Conv2d", {"out_channels": 16, "kernel_size": 3, "padding": 1}),
        ("relu2", "ReLU", {}),
        ("pool2", "MaxPool2d", {"kernel_size": 2}),
        ("flat", "Flatten", {}),
        ("full1", "Linear", {"out_features": 32}),
        ("relu3", "ReLU", {}),
        ("scores", "Linear", {"out_features": 10}),
    )


@template(
    title="Small multilayer perceptron",
    family="Perceptrons",
    source="Rumelhart, Hinton & Williams (1986), Learning representations by back-propagation.",
    data="spirals",
)
def mlp_2d() -> NetworkSpec:
    """Two hidden layers of eight neurons that part the points of a plane into two classes."""
    return chain(
        ("point", "Input", {"shape": [2]}),
        ("hidden1", "Linear", {"out_features": 8}),
        ("tanh1", "Tanh", {}),
        ("hidden2", "Linear", {"out_features": 8}),
        ("tanh2", "Tanh", {}),
        ("scores", "Linear", {"out_features": 2}),
    )
