"""ResNet: deeper, and still it learns.

Stack plain layers and beyond some depth even the *training* error rises: the gradient that reaches
the first layers says little. A residual block computes what is to be *added*, `y = x + F(x)`, so
that doing nothing is easy and the gradient has an open road back, `∂y/∂x = 1 + ∂F/∂x`. Here a plain
and a residual network of the same depth and width learn the same digits side by side.

**Try:** cut shortcuts one after the other while it learns, then train 6 layers instead of 34.

Source: He et al. (2016), Deep Residual Learning for Image Recognition.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from demos.kit import Claim, Frames, Question, Slider, above, below, interactive, lab, same
from engine.data.shipped import digits
from engine.network.describe import describe
from engine.network.templates import find
from engine.views import Array, Bars, Curve, Edge, Frame, Graph, Node, View

WIDTH = 8
PUBLISHED = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
}


class Stack(nn.Module):
    """A stem, `(depth − 2)/2` blocks of two convolutions, and a dense layer."""

    def __init__(self, depth: int, residual: bool) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, WIDTH, 3, padding=1)
        blocks = (depth - 2) // 2
        self.first = nn.ModuleList(nn.Conv2d(WIDTH, WIDTH, 3, padding=1) for _ in range(blocks))
        self.second = nn.ModuleList(nn.Conv2d(WIDTH, WIDTH, 3, padding=1) for _ in range(blocks))
        self.scores = nn.Linear(WIDTH * 4, 10)
        self.shortcuts = blocks if residual else 0  # how many still stand

    def forward(self, x: Tensor) -> Tensor:
        """`(n, 1, 8, 8)` to `(n, 10)`; the last blocks lose their shortcuts first."""
        x = F.max_pool2d(self.stem(x).relu(), 2)
        for place, (first, second) in enumerate(zip(self.first, self.second, strict=True)):
            branch = second(first(x).relu())
            x = (x + branch if place < self.shortcuts else branch).relu()
        scores: Tensor = self.scores(F.avg_pool2d(x, 2).flatten(1))
        return scores


def data() -> tuple[Tensor, Tensor]:
    """The 1,797 digits, `(n, 1, 8, 8)` around 0, and their classes."""
    images, labels = digits()
    x = torch.tensor(images[:, None], dtype=torch.float32)
    return (x - x.mean()) / x.std(), torch.tensor(labels)


def slopes(net: Stack) -> Array:
    """Size of the gradient at the first convolution of each block, `(blocks,)`."""
    grads = [first.get_parameter("weight").grad for first in net.first]
    return np.array([0.0 if g is None else float(g.norm()) for g in grads]) + 1e-12


def drawn(net: Stack) -> Graph:
    """The residual network; an arc for every shortcut that stands."""
    count = len(net.first)
    nodes = [Node("in", "", 0.0, 0.35)]
    edges = []
    for place in range(count):
        x = (place + 0.5) / max(count, 1)
        nodes += [Node(f"f{place}", "F" if count < 12 else "", x, 0.35)]
        nodes += [
            Node(f"a{place}", "+" if place < net.shortcuts else "", (place + 1) / count, 0.35)
        ]
        before = f"a{place - 1}" if place else "in"
        edges += [Edge(before, f"f{place}", 0.4), Edge(f"f{place}", f"a{place}", 0.4)]
        if place < net.shortcuts:
            nodes.append(Node(f"s{place}", "", x, 0.75, kind="shortcut"))
            edges += [Edge(before, f"s{place}", 1.0), Edge(f"s{place}", f"a{place}", 1.0)]
    return Graph(tuple(nodes), tuple(edges), f"{net.shortcuts} of {count} shortcuts stand")


@lab(
    covers=["resnet"],
    seconds=6,
    quick={"epochs": 1, "depth": 6},
    tries={
        "34 layers": {"depth": 34},
        "6 layers": {"depth": 6},
        "34 layers, half the shortcuts": {"depth": 34, "shortcuts": 8},
    },
    question=Question(
        "34 layers without shortcuts, after five epochs: what is the training loss?",
        ("As with 6 layers", "A little worse", "Near that of guessing"),
        2,
        "Near ln 10 = 2.3: it is not overfitting, the deep plain stack cannot even be fitted.",
    ),
    needs=["vanishing-exploding-gradients", "vgg"],
    network="resnet18",
)
def run(
    depth: Annotated[int, Slider(6, 34, unit="layers", help="Deeper networks")] = 34,
    shortcuts: Annotated[int, Slider(0, 16, live=True, help="How many still stand")] = 16,
    rate: Annotated[float, Slider(1e-4, 1e-2, log=True, help="Longer steps")] = 4e-3,
    epochs: Annotated[int, Slider(1, 10, help="Longer training")] = 5,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train the plain and the residual one on the same batches."""
    torch.manual_seed(seed)
    x, y = data()
    nets = {"plain": Stack(depth, False), "residual": Stack(depth, True)}
    optimizers = [torch.optim.Adam(net.parameters(), lr=rate, fused=True) for net in nets.values()]
    history: dict[str, list[float]] = {name: [] for name in nets}
    steps = 28 * epochs
    mean = dict.fromkeys(nets, 0.0)

    def picture(step: int, **_: Any) -> Frame:
        lines = {name: np.array(losses) for name, losses in history.items()}
        sizes = {name: slopes(net) for name, net in nets.items()}
        names = tuple(str(i + 1) for i in range(len(sizes["plain"])))
        views: dict[str, View] = {
            "loss": Curve(np.arange(step), lines, "batch", "training loss [nat]", log=True),
            "network": drawn(nets["residual"]),
            "gradient": Bars(names, sizes, "block", "size of the gradient", log=True),
        }
        return Frame(
            step, steps, views, {f"{name}: training loss [nat]": m for name, m in mean.items()}
        )

    shown: dict[str, Any] = {"shortcuts": shortcuts}
    for step in range(1, steps + 1):
        if step % 28 == 1:
            order = torch.randperm(len(x))
        batch = order[step % 28 * 64 :][:64]
        nets["residual"].shortcuts = min(shown["shortcuts"], len(nets["residual"].first))
        for (name, net), optimizer in zip(nets.items(), optimizers, strict=True):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            history[name].append(max(loss.item(), 1e-6))
            mean[name] = float(np.mean(history[name][-28:]))
        shown.update((yield partial(picture, step)) or {})
    yield from interactive(partial(picture, steps), **shown)


def check() -> Iterator[Claim]:
    """Depth stops the plain network, not the residual one; the published counts."""
    for name, count in PUBLISHED.items():
        told = describe(find(name).spec.to_json())["totals"]
        yield same(f"{name}: parameters", told["parameters"], count)
    loss = "training loss [nat]"
    shallow, deep = run.last(depth=6).facts, run.last(depth=34).facts
    for name in ("plain", "residual"):
        yield below(f"6 layers, {name}: {loss} in epoch 5", shallow[f"{name}: {loss}"], 0.5)
    yield above(f"34 layers, plain: {loss} in epoch 5", deep[f"plain: {loss}"], 1.2)
    yield below(f"34 layers, residual: {loss} in epoch 5", deep[f"residual: {loss}"], 0.6)
