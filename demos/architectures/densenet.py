"""DenseNet: every layer reads all before it.

A layer of a dense block takes the channels of *all* earlier layers side by side and adds `k` new
ones, its growth rate: `x_l = H([x_0, …, x_{l−1}])`, so layer `l` reads `k_0 + k (l − 1)` channels.
`L` layers have `L (L + 1)/2` connections instead of `L`. Nothing is computed twice: features are
kept and read again, and the network gets by with few new channels a layer.

**Try:** raise the growth rate and watch the channels pile up; then train and see who reads whom.

Source: Huang et al. (2017), Densely Connected Convolutional Networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from demos.kit import Claim, Frames, Question, Slider, lab, same
from engine.data.shipped import digits
from engine.network.describe import describe
from engine.network.templates import find
from engine.views import Array, Curve, Edge, Frame, Graph, Matrix, Node, View

STEM = 8  # channels that come into the block
PUBLISHED = {"densenet121": 7_978_856, "densenet169": 14_149_480, "densenet201": 20_013_928}


class Block(nn.Module):
    """A stem, a dense block, the mean of every channel, and scores, for `(n, 1, 8, 8)`."""

    def __init__(self, layers: int, growth: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, STEM, 3, padding=1)
        widths = [STEM + growth * layer for layer in range(layers)]
        self.layers = nn.ModuleList(nn.Conv2d(w, growth, 3, padding=1) for w in widths)
        self.scores = nn.Linear(STEM + growth * layers, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Each layer reads everything so far, and writes `growth` channels behind it."""
        x = self.stem(x)
        for layer in self.layers:
            x = torch.cat([x, layer(x.relu())], 1)
        scores: Tensor = self.scores(F.adaptive_max_pool2d(x.relu(), 1).flatten(1))
        return scores


def wires(layers: int) -> list[tuple[int, int]]:
    """(who is read, who reads): source 0 is the stem."""
    return [(source, layer) for layer in range(1, layers + 1) for source in range(layer)]


def reuse(net: Block, growth: int) -> Array:
    """Mean size of the weights with which layer (row) reads source (column); NaN: it cannot."""
    readers = [weight for name, weight in net.named_parameters() if name.endswith("weight")][1:]
    found = np.full((len(readers), len(readers)), np.nan)
    for row, weight in enumerate(readers):
        sizes = (
            weight.detach().abs().flatten(2).sum(2) if weight.ndim == 4 else weight.detach().abs()
        )
        share = sizes.mean(0)  # one number for each channel that is read
        parts = [share[:STEM], *share[STEM:].split(growth)]
        found[row, : len(parts)] = [float(part.mean()) for part in parts]
    share_of_row: Array = found / np.nanmax(found, axis=1, keepdims=True)
    return share_of_row


def drawn(layers: int, growth: int, weights: Array) -> Graph:
    """The block; every wire as thick as it is used."""
    nodes = [Node("0", f"stem\n{STEM}", 0.0, 0.5)]
    for layer in range(1, layers + 1):
        height = 0.5 + 0.32 * np.sin(2.4 * layer)
        nodes.append(Node(str(layer), f"layer {layer}\n+{growth}", layer / layers, float(height)))
    edges = tuple(Edge(str(a), str(b), float(weights[b - 1, a])) for a, b in wires(layers))
    return Graph(tuple(nodes), edges, f"{len(edges)} connections for {layers} layers")


def data() -> tuple[Tensor, Tensor]:
    """The 1,797 digits, `(n, 1, 8, 8)`, shuffled, and their classes."""
    images, labels = digits()
    order = np.random.default_rng(0).permutation(len(labels))
    x = torch.tensor(images[order, None], dtype=torch.float32)
    return x, torch.tensor(labels[order])


@lab(
    covers=["densenet"],
    seconds=1,
    quick={"epochs": 1, "layers": 3, "growth": 4},
    tries={
        "Five layers, 15 wires": {"layers": 5, "growth": 8},
        "Thin and deep": {"layers": 10, "growth": 4},
        "Fat and shallow": {"layers": 3, "growth": 16},
    },
    question=Question(
        "Five layers in a dense block: how many connections?",
        ("5", "10", "15", "25"),
        2,
        "Layer l reads l sources, the stem among them: 1 + 2 + 3 + 4 + 5 = 5 · 6/2.",
    ),
    needs=["resnet"],
    network="densenet121",
)
def run(
    layers: Annotated[int, Slider(2, 10, help="A longer block")] = 5,
    growth: Annotated[int, Slider(2, 16, unit="channels", help="More new channels a layer")] = 8,
    epochs: Annotated[int, Slider(1, 15, help="Longer training")] = 6,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train the block; its wires grow with use."""
    torch.manual_seed(seed)
    net, (x, y) = Block(layers, growth), data()
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    score: list[float] = []
    names = ("stem", *(f"layer {i}" for i in range(1, layers + 1)))

    def picture(epoch: int) -> Frame:
        weights = reuse(net, growth)
        depth = np.arange(layers + 1)
        piled = {"dense": STEM + growth * depth, "residual, as wide": np.full(layers + 1, STEM)}
        views: dict[str, View] = {
            "block": drawn(layers, growth, weights),
            "reuse": Matrix(
                weights, (*names[1:], "scores"), names, "source", "reader", title="who reads whom"
            ),
            "channels": Curve(
                depth, piled, "layer", "channels", dots=True, title="channels pile up"
            ),
            "accuracy": Curve(
                np.arange(1, epoch + 1), {"digits": np.array(score)}, "epoch", "accuracy"
            ),
        }
        facts = {
            "accuracy on 400 others": score[-1],
            "connections": len(wires(layers)),
            "channels at the end": STEM + growth * layers,
        }
        return Frame(epoch, epochs, views, facts)

    for epoch in range(1, epochs + 1):
        for batch in torch.randperm(1397).split(64):
            optimizer.zero_grad()
            F.cross_entropy(net(x[batch]), y[batch]).backward()
            optimizer.step()
        with torch.no_grad():
            score.append(float((net(x[1397:]).argmax(1) == y[1397:]).float().mean()))
        yield partial(picture, epoch)


def check() -> Iterator[Claim]:
    """L(L + 1)/2 wires, and the published counts."""
    for layers in (2, 5, 12):
        count = layers * (layers + 1) // 2
        yield same(f"Connections of {layers} layers", len(wires(layers)), count)
    read = [w.shape[1] for w in Block(5, 8).parameters() if w.ndim == 4][1:]
    yield same("Layers read k₀ + k (l − 1) channels", read == [8 + 8 * i for i in range(5)], True)
    for name, published in PUBLISHED.items():
        told = describe(find(name).spec.to_json())
        yield same(f"{name}: parameters", told["totals"]["parameters"], published)
        if name == "densenet121":
            yield same(
                "densenet121: features before the scores",
                told["nodes"]["scores"]["inputs"][0][0],
                1_024,
            )
