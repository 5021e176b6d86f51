"""Build a CNN and watch it learn.

The classic recipe stacks *convolution → activation → pooling*: the convolution looks, the
activation decides, the pooling shrinks; dropout switches numbers off at random so that none is
relied upon, and a dense layer reads the answer. The loss is the cross entropy `−ln p(class)`. About
six thousand parameters read handwritten digits, whichever of the usual activations decides.

**Try:** another activation, then no pooling at all: what happens to the parameters?

Source: LeCun et al. (1998), Gradient-based learning applied to document recognition.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from demos.kit import Claim, Frames, Question, Slider, above, between, interactive, lab
from engine.data.shipped import digits
from engine.views import Array, Curve, Edge, Frame, Graph, Matrix, Node, Tiles, View

ACTIVATIONS = {"relu": nn.ReLU, "leaky relu": nn.LeakyReLU, "elu": nn.ELU, "gelu": nn.GELU}
POOLS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}


def build(activation: str, width: int, pooling: str, dropout: float) -> nn.Sequential:
    """Two blocks of convolution, activation, pooling; then dropout and a dense layer."""
    decide = ACTIVATIONS[activation]
    shrink = [POOLS[pooling](2)] if pooling in POOLS else []
    side = 2 if shrink else 8
    return nn.Sequential(
        *(nn.Conv2d(1, width, 3, padding=1), decide(), *shrink),
        *(nn.Conv2d(width, 2 * width, 3, padding=1), decide(), *shrink),
        *(nn.Flatten(), nn.Dropout(dropout), nn.Linear(2 * width * side**2, 10)),
    )


def data() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Handwritten digits, `(n, 1, 8, 8)`, and classes: 1,397 to learn from, 400 to test with."""
    images, labels = digits()
    order = np.random.default_rng(0).permutation(len(labels))
    x = torch.tensor(images[order, None], dtype=torch.float32)
    y = torch.tensor(labels[order])
    return x[:1397], y[:1397], x[1397:], y[1397:]


def plan(net: nn.Sequential, x: Tensor) -> Graph:
    """The layers in a row, each with the shape that leaves it and its parameters."""
    nodes = [Node("input", f"picture\n{' × '.join(map(str, x.shape[1:]))}", 0.0, 0.5)]
    for i, layer in enumerate(net, 1):
        x = layer(x)
        count = sum(p.numel() for p in layer.parameters())
        words = f"{type(layer).__name__}\n{' × '.join(map(str, x.shape[1:]))}"
        height = 0.5 + 0.25 * (-1) ** i
        detail = f"{count:,} parameters"
        nodes.append(Node(f"layer{i}", words, i / len(net), height, float(count), "", detail))
    edges = [Edge(a.id, b.id) for a, b in pairwise(nodes)]
    return Graph(tuple(nodes), tuple(edges), "the network")


def confusion(answers: Tensor, y: Tensor) -> Array:
    """How often class (row) was called class (column), `(10, 10)`."""
    return torch.bincount(10 * y + answers, minlength=100).view(10, 10).numpy()


@lab(
    covers=["cnn-builder"],
    seconds=5,
    quick={"epochs": 1, "width": 4},
    tries={
        "ELU, average pooling": {"activation": "elu", "pooling": "average"},
        "No pooling": {"pooling": "none"},
        "Half of it switched off": {"dropout": 0.5},
    },
    question=Question(
        "Without the two poolings, how does the number of parameters change?",
        ("It falls: two layers fewer", "It stays: pooling has none", "It more than triples"),
        2,
        "Pooling itself has none, but 32 maps of 8 × 8 reach the dense layer instead of 2 × 2.",
    ),
    needs=["convolution-2d", "pooling"],
    network="cnn-digits",
)
def run(
    activation: Literal["relu", "leaky relu", "elu", "gelu"] = "relu",
    pooling: Literal["max", "average", "none"] = "max",
    width: Annotated[int, Slider(2, 24, help="More channels")] = 16,
    dropout: Annotated[float, Slider(0.0, 0.8, help="More numbers switched off")] = 0.0,
    epochs: Annotated[int, Slider(1, 30, help="Longer training")] = 15,
    rate: Annotated[float, Slider(1e-4, 3e-2, log=True, live=True, help="Longer steps")] = 5e-3,
    digit: Annotated[int, Slider(0, 399, live=True, help="Which test digit is shown")] = 0,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train the network; its plan, its errors and its maps are shown all the while."""
    torch.manual_seed(seed)
    net = build(activation, width, pooling, dropout)
    x, y, x_test, y_test = data()
    size = sum(p.numel() for p in net.parameters())
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    history: dict[str, list[float]] = {"training loss": [], "test error": []}

    def picture(epoch: int, digit: int, **_: Any) -> Frame:
        net.eval()
        with torch.no_grad():
            graph, answers = plan(net, x_test[:1]), net(x_test).argmax(1)
            maps = net[0](x_test[digit : digit + 1])[0]
        net.train()
        lines = {name: np.array(values) for name, values in history.items()}
        said = f"test digit {digit} is a {y_test[digit]}, read as {answers[digit]}"
        views: dict[str, View] = {
            "network": graph,
            "learning": Curve(
                np.arange(1, epoch + 1), lines, "epoch", "loss [nat], error", log=True
            ),
            "maps": Tiles(
                torch.cat([x_test[digit], maps]).numpy(),
                scale="signed",
                shared=False,
                across=9,
                title=said,
            ),
            "confusion": Matrix(
                confusion(answers, y_test),
                xlabel="read as",
                ylabel="is",
                numbers=True,
                title="400 test digits",
            ),
        }
        facts = {"test accuracy": 1 - history["test error"][-1], "parameters": size}
        return Frame(epoch, epochs, views, facts)

    shown: dict[str, Any] = {"digit": digit, "rate": rate}
    for epoch in range(1, epochs + 1):
        optimizer.param_groups[0]["lr"] = shown["rate"]
        losses = []
        for batch in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        net.eval()
        with torch.no_grad():
            wrong = (net(x_test).argmax(1) != y_test).float().mean().item()
        net.train()
        history["training loss"].append(max(float(np.mean(losses)), 1e-6))
        history["test error"].append(max(wrong, 1e-3))
        shown.update((yield partial(picture, epoch, **shown)) or {})
    yield from interactive(partial(picture, epochs), **shown)


def check() -> Iterator[Claim]:
    """Six thousand parameters read 95 % of the digits with every usual activation."""
    for activation in ACTIVATIONS:
        facts = run.last(activation=activation).facts
        if activation == "relu":
            yield between("Parameters of the network", facts["parameters"], 5_500, 6_500)
        yield above(
            f"Test accuracy after 15 epochs with {activation}", facts["test accuracy"], 0.95
        )
