"""Networks on graphs and on clouds of points."""

from __future__ import annotations

from typing import Any

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template

_GCN = "Kipf & Welling (2016), Semi-supervised classification with graph convolutional networks."
_GAT = "Veličković et al. (2017), Graph attention networks."
_POINTNET = "Qi et al. (2016), PointNet: deep learning on point sets."


def _gcn(nodes: int, features: int, hidden: int, classes: int) -> NetworkSpec:
    net = Sketch(nodes, features)
    links = net.enter("links", nodes, nodes)
    net("GraphConvolution", net.input, links, name="first", out_features=hidden)
    net("ReLU")
    net("Dropout", p=0.5)
    net("GraphConvolution", net.last, links, name="scores", out_features=classes)
    return net.spec()


@template(title="GCN for Cora", family="Graphs and points", parameters=23_063, source=_GCN)
def gcn_cora() -> NetworkSpec:
    """Two graph convolutions for 2,708 papers of 1,433 words, in seven fields."""
    return _gcn(2708, 1433, 16, 7)


@template(title="Small GCN", family="Graphs and points", source=_GCN, data="karate")
def gcn_small() -> NetworkSpec:
    """Two graph convolutions for the 34 members of a karate club."""
    return _gcn(34, 34, 4, 2)


def _gat(
    nodes: int, features: int, heads: int, hidden: int, classes: int, dropped: float
) -> NetworkSpec:
    net = Sketch(nodes, features)
    links = net.enter("links", nodes, nodes)
    drop: dict[str, Any] = {"dropout": dropped}
    net("Dropout", net.input, p=dropped)
    net("GraphAttention", net.last, links, name="first", out_features=hidden, heads=heads, **drop)
    net("ELU")
    net("Dropout", p=dropped)
    net("GraphAttention", net.last, links, name="scores", out_features=classes, **drop)
    return net.spec()


@template(title="GAT for Cora", family="Graphs and points", parameters=92_373, source=_GAT)
def gat_cora() -> NetworkSpec:
    """Eight attentions of eight features, then one with a score for each of seven fields."""
    return _gat(2708, 1433, 8, 8, 7, 0.6)


@template(title="Small GAT", family="Graphs and points", source=_GAT, data="karate")
def gat_small() -> NetworkSpec:
    """Two attentions of four features for the 34 members of a karate club."""
    return _gat(34, 34, 2, 4, 2, 0.1)


def _each(net: Sketch, width: int) -> None:
    """The same map for every point, normed over all of them."""
    net("Conv1d", out_channels=width, kernel_size=1)
    net("BatchNorm1d")
    net("ReLU")


def _turn(net: Sketch, points: str, size: int, widths: tuple[int, ...]) -> str:
    """Points turned by a matrix that a small PointNet finds for them."""
    half = len(widths) // 2 + 1
    net("Permute", points, order=[1, 0])
    for width in widths[:half]:
        _each(net, width)
    net("GlobalMaxPool")
    for width in widths[half:]:
        net("Linear", out_features=width)
        net("BatchNorm1d")
        net("ReLU")
    matrix = net("Linear", name="matrix", out_features=size**2)
    return net("PointTransform", points, matrix)


def _pointnet(
    points: int, turning: tuple[int, ...], widths: tuple[int, ...], full: tuple[int, ...], end: int
) -> NetworkSpec:
    """Points turned, mapped, turned again in the space of features, and the largest of each."""
    net = Sketch(points, 3)
    turned = _turn(net, net.input, 3, turning)
    net("Permute", turned, order=[1, 0])
    for width in widths[:2]:
        _each(net, width)
    inner = net("Permute", order=[1, 0])
    turned = _turn(net, inner, widths[1], turning)
    net("Permute", turned, order=[1, 0])
    for width in widths[2:]:
        _each(net, width)
    net("GlobalMaxPool")
    for place, width in enumerate(full):
        net("Linear", name="full", out_features=width)
        net("BatchNorm1d")
        net("ReLU")
        if place:
            net("Dropout", p=0.3)
    net("Linear", name="scores", out_features=end)
    return net.spec()


@template(title="PointNet", family="Graphs and points", parameters=3_480_049, source=_POINTNET)
def pointnet() -> NetworkSpec:
    """A thousand points of a thing to one of 40 kinds, in whatever order they come."""
    turning = (64, 128, 1024, 512, 256)
    return _pointnet(1024, turning, (64, 64, 64, 128, 1024), (512, 256), 40)


@template(title="Small PointNet", family="Graphs and points", source=_POINTNET, data="clouds")
def pointnet_small() -> NetworkSpec:
    """Sixty-four points to one of four kinds."""
    return _pointnet(64, (16, 32, 16), (16, 16, 32), (16,), 4)
