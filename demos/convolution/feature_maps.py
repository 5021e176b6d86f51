"""What a convolutional network learns to see.

Each channel of a layer answers to one kind of thing. Three ways to ask what: look at its *map* on
a picture; collect the *pictures* that excite it most; or climb with the gradient,
`x ← x + η ∂a(x)/∂x`, to a picture that excites it more than any real one. A linear probe on 2 × 2
averages of every layer tells how much of the meaning has become easy to read off.

**Try:** click a map. The first block likes strokes, the second parts of digits.

Source: Zeiler & Fergus (2014), Visualizing and Understanding Convolutional Networks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from demos.kit import (
    Claim,
    Drawing,
    Frames,
    Pick,
    Question,
    Slider,
    above,
    interactive,
    lab,
    near,
)
from engine.data.shipped import digits
from engine.views import Bars, Frame, Tiles, View

FIRST, SECOND = 12, 24  # channels of the two blocks
PROBES = ("pixels", "block 1", "block 2")
EMPTY: list[float] = []


class Net(nn.Module):
    """Two blocks and a dense layer, from `(n, 1, 8, 8)` to scores `(n, 10)`."""

    def __init__(self) -> None:
        super().__init__()
        self.block1 = nn.Sequential(nn.Conv2d(1, FIRST, 3, padding=1), nn.ReLU())
        self.block2 = nn.Sequential(nn.Conv2d(FIRST, SECOND, 3, padding=1), nn.ReLU())
        self.scores = nn.Linear(SECOND * 4, 10)

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The feature maps of both blocks: `(n, 12, 8, 8)`, `(n, 24, 4, 4)`."""
        first = self.block1(x)
        return first, self.block2(F.max_pool2d(first, 2))

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        scores: Tensor = self.scores(F.max_pool2d(self.maps(x)[1], 2).flatten(1))
        return scores


def data() -> tuple[Tensor, Tensor]:
    """All 1,797 digits, `(n, 1, 8, 8)` in [0, 1], and their classes."""
    images, labels = digits()
    order = np.random.default_rng(0).permutation(len(labels))
    x = torch.tensor(images[order, None], dtype=torch.float32)
    return x, torch.tensor(labels[order])


def probe(features: Tensor, y: Tensor, learn: int = 1297) -> float:
    """Accuracy of a linear read-out of `(n, c, h, w)`, pooled to 2 × 2, on what it did not see."""
    x = F.adaptive_avg_pool2d(features, 2).flatten(1)
    x = torch.cat([(x - x.mean(0)) / (x.std(0) + 1e-6), torch.ones(len(x), 1)], 1).double()
    seen, target = x[:learn], F.one_hot(y[:learn], 10).double()
    ridge = torch.eye(x.shape[1], dtype=x.dtype)
    weights = torch.linalg.solve(seen.T @ seen + ridge, seen.T @ target)
    return float(((x[learn:] @ weights).argmax(1) == y[learn:]).float().mean())


def climb(
    excitement: Callable[[Tensor], Tensor], n: int, steps: int = 60, rate: float = 0.1
) -> Tensor:
    """Pictures `(n, 1, 8, 8)` in [0, 1] that raise `excitement`, which maps them to `(n,)`."""
    x = torch.full((n, 1, 8, 8), 0.3)
    for _ in range(steps):
        x.requires_grad_()
        (slope,) = torch.autograd.grad(excitement(x).sum() - 0.02 * x.square().sum(), x)
        scale = slope.flatten(1).abs().amax(1)[:, None, None, None] + 1e-8
        x = (x.detach() + rate * slope / scale).clamp(0, 1)
    return x


def channel(net: Net, index: int, x: Tensor) -> Tensor:
    """Mean answer of channel `index`, counted through both blocks: `(n,)`."""
    first, second = net.maps(x)
    return (first[:, index] if index < FIRST else second[:, index - FIRST]).mean((1, 2))


def meant(net: Net, x: Tensor) -> Tensor:
    """How surely picture c is a c: ten pictures to `(10,)`."""
    sure: Tensor = net(x).log_softmax(1).diagonal()
    return sure


def train(net: Net, x: Tensor, y: Tensor, epochs: int) -> Iterator[None]:
    """Adam over batches of 64; stops after each epoch."""
    optimizer = torch.optim.Adam(net.parameters(), lr=4e-3)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            F.cross_entropy(net(x[batch]), y[batch]).backward()
            optimizer.step()
        yield


@lab(
    covers=["feature-maps"],
    seconds=4,
    quick={"epochs": 1},
    tries={"First block, channel 3": {"unit": 3}, "Second block, channel 5": {"unit": 17}},
    question=Question(
        "Where can a linear model read the class best, from equally many places?",
        ("From the pixels", "After the first block", "After the second block"),
        2,
        "Every block turns what the classes share or differ in into channels of its own.",
    ),
    needs=["convolution-2d", "pooling"],
)
def run(
    unit: Annotated[int, Pick(FIRST + SECOND, "maps", help="Which channel to ask")] = 3,
    drawing: Annotated[list[float], Drawing(8, 8, help="Your picture instead")] = EMPTY,
    digit: Annotated[int, Slider(0, 9, live=True, help="Which digit it looks at")] = 3,
    epochs: Annotated[int, Slider(1, 20, help="Longer training")] = 8,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train; then every click asks another channel."""
    torch.manual_seed(seed)
    net, (x, y) = Net(), data()

    def picture(epoch: int, unit: int, drawing: list[float], digit: int) -> Frame:
        seen = (
            torch.tensor(drawing).view(1, 1, 8, 8) if drawing else x[1297:][y[1297:] == digit][:1]
        )
        with torch.no_grad():
            first, second = net.maps(seen)
            large = F.interpolate(second, size=(8, 8))
            answers = net(seen).softmax(1)[0].numpy()
            best = channel(net, unit, x).topk(7).indices
            rates = np.array([probe(level, y) for level in (x, *net.maps(x))])
        dream = climb(partial(channel, net, unit), 1)
        tiles = torch.cat([first[0], large[0]]).numpy()
        words = tuple(f"{block}.{c}" for block, n in ((1, FIRST), (2, SECOND)) for c in range(n))
        examples = torch.cat([seen, dream, x[best]])[:, 0].numpy()
        names = ("looked at", "made by climbing", *(f"a {y[i]}" for i in best))
        views: dict[str, View] = {
            "maps": Tiles(tiles, words, across=12, marks={unit: "asked"}, title="click a channel"),
            "exciting": Tiles(examples, names, across=9, title=f"what excites {words[unit]}"),
            "answers": Bars(tuple("0123456789"), {"network": answers}, "class", "probability"),
            "probe": Bars(PROBES, {"linear probe": rates}, "read from", "accuracy on 500 others"),
        }
        facts = {f"probe on {name}": rate for name, rate in zip(PROBES, rates, strict=True)}
        return Frame(epoch, epochs, views, facts)

    shown: dict[str, Any] = {"unit": unit, "drawing": drawing, "digit": digit}
    for epoch, _ in enumerate(train(net, x[:1297], y[:1297], epochs), 1):
        shown.update((yield partial(picture, epoch, **shown)) or {})
    yield from interactive(partial(picture, epochs), **shown)


def check() -> Iterator[Claim]:
    """Meaning becomes linear with depth; made pictures are read as they were meant."""
    x, y = data()
    for seed in (0, 1):
        torch.manual_seed(seed)
        net = Net()
        list(train(net, x[:1297], y[:1297], 15))
        with torch.no_grad():
            rates = [probe(level, y) for level in (x, *net.maps(x))]
        if seed == 0:
            yield near("Linear probe on 2 × 2 averages of the pixels", rates[0], 0.43, 0.06)
        yield above(f"Probe after block 1 (seed {seed})", rates[1], 0.88)
        yield above(f"Probe after block 2 (seed {seed})", rates[2], 0.95)
        made = climb(partial(meant, net), 10)
        sure = float(net(made).detach().softmax(1).diagonal().min())
        yield above(f"Least confidence in ten made digits (seed {seed})", sure, 0.95)
