"""Dropout: a different thin network at every step.

While it learns, every hidden unit is dropped with probability `p`; those kept are scaled up,
`h ← h · m/(1 − p)`, so that the mean stays what it was. No unit can rely on another one being
there, and memorising one odd example takes many. For testing all units stay: for a linear unit that
is exactly the average over all `2^n` thin networks, for deeper ones nearly. Here 40 % of the
training labels are wrong; a network without dropout learns them by heart.

**Try:** compare "one mask" with the mean of 100 for a digit that is hard to read.

Source: Srivastava et al. (2014), Dropout: a simple way to prevent neural networks from overfitting.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn

from demos import kit
from demos.kit import Choice, Claim, Frames, Pick, Question, Slider, above, below, near
from engine.data.shipped import digits
from engine.views import Bars, Curve, Edge, Frame, Graph, Node, Tiles, View, layered

EXAMPLES, NOISE, WIDTH, SHOWN = 600, 0.4, 128, 14
LOOKS = ("one mask", "all units, scaled")
NAMES = tuple("0123456789")


def dropout(h: Tensor, p: float, random: torch.Generator) -> Tensor:
    """Inverted dropout: zero with probability p, else `h/(1 − p)`; any shape."""
    kept = torch.rand(h.shape, generator=random) >= p
    return h * kept / (1 - p)


class Network(nn.Module):
    """64 pixels, 128 ReLU units that may be dropped, 10 scores."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.hidden, self.scores = nn.Linear(64, WIDTH), nn.Linear(WIDTH, 10)
        self.adam = torch.optim.Adam(self.parameters(), lr=5e-3, fused=True)
        self.random = torch.Generator().manual_seed(seed)

    def forward(self, x: Tensor, p: float = 0.0, random: torch.Generator | None = None) -> Tensor:
        """Scores `(n, 10)` of images `(n, 64)`, units dropped with probability p."""
        h = torch.relu(self.hidden(x))
        return torch.as_tensor(self.scores(dropout(h, p, random or self.random) if p else h))

    def epoch(self, x: Tensor, y: Tensor, p: float) -> None:
        """Once through the data in random batches of 100."""
        for pick in torch.randperm(len(x), generator=self.random).split(100):
            self.adam.zero_grad()
            nn.functional.cross_entropy(self(x[pick], p), y[pick]).backward()
            self.adam.step()


def noisy_digits(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """600 digits to learn, labels (40 % wrong) and which are wrong; the other 1,197 to test."""
    random = torch.Generator().manual_seed(seed)
    images, labels = digits()
    order = torch.randperm(len(labels), generator=random)
    x, y = torch.from_numpy(images).flatten(1)[order], torch.from_numpy(labels)[order]
    wrong = torch.rand(EXAMPLES, generator=random) < NOISE
    shift = torch.randint(1, 10, (EXAMPLES,), generator=random)
    told = torch.where(wrong, (y[:EXAMPLES] + shift) % 10, y[:EXAMPLES])
    return x[:EXAMPLES], told, wrong, x[EXAMPLES:], y[EXAMPLES:]


@torch.no_grad()
def hit(net: Network, x: Tensor, y: Tensor) -> float:
    """Share of labels that the whole network gives [%]."""
    return 100 * float((net(x).argmax(1) == y).double().mean())


@kit.lab(
    covers=["dropout"],
    seconds=9,
    quick={"epochs": 6},
    tries={
        "No dropout": {"rate": 0.0},
        "Half of all units": {"rate": 0.5},
        "Nine of ten": {"rate": 0.9},
    },
    question=Question(
        "40 % of the training labels are wrong. What does dropout do to the test accuracy?",
        ("Lowers it: half the units are missing", "Nothing", "Raises it by several points"),
        2,
        "Wrong labels are learnt one by one, by many units together; dropout spoils just that.",
    ),
    needs=["overfitting-capacity"],
)
def run(
    rate: Annotated[float, Slider(0.0, 0.95, help="More units are dropped", live=True)] = 0.5,
    look: Annotated[str, Choice(LOOKS, help="What the diagram shows", live=True)] = LOOKS[0],
    image: Annotated[int, Pick(24, "images", help="The test digit to read")] = 0,
    mask: Annotated[int, Slider(0, 99, help="Another random mask", live=True)] = 0,
    epochs: Annotated[int, Slider(5, 200, help="Train longer")] = 100,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train two twins, one with dropout, a new mask each frame; then play with the masks."""
    x, told, wrong, *test = noisy_digits(seed)
    twins = Network(seed), Network(seed)
    rows: list[list[float]] = []
    live: dict[str, Any] = {"rate": rate, "look": look, "image": image, "mask": mask}

    def picture(rate: float, look: str, image: int, mask: int) -> Frame:
        chosen = test[0][image]
        views = _views(twins[0], rate, chosen, mask if len(rows) == epochs else len(rows), look)
        names = ("dropout, test", "plain, test", "dropout, wrong labels", "plain, wrong labels")
        views["curves"] = Curve(
            np.arange(1, len(rows) + 1), dict(zip(names, np.array(rows).T, strict=True)),
            "epoch", "labels given [%]", title="true labels of new digits, wrong ones of old",
        )  # fmt: skip
        views["images"] = Tiles(test[0][:24].view(-1, 8, 8).numpy(), across=12, title="test digits")
        facts = dict(zip((f"{name} [%]" for name in names), rows[-1], strict=True))
        return Frame(len(rows), epochs, views, facts)

    for _ in range(epochs):
        for net, p in zip(twins, (float(live["rate"]), 0.0), strict=True):
            net.epoch(x, told, p)
        learnt = [hit(net, x[wrong], told[wrong]) for net in twins]
        rows.append([*(hit(net, *test) for net in twins), *learnt])
        live.update((yield partial(picture, **live)) or {})
    yield from kit.interactive(picture, **live)


@torch.no_grad()
def _views(net: Network, p: float, x: Tensor, mask: int, look: str) -> dict[str, View]:
    one = torch.Generator().manual_seed(mask)
    h = torch.relu(net.hidden(x))
    masked = dropout(h, p, one)
    thin = masked if look == LOOKS[0] else h
    score = net.scores(thin).softmax(0)
    rows = x.view(8, 8).mean(1)
    units = h.argsort(descending=True)[:SHOWN].sort().values  # those that answer most
    columns = [[f"row {i}" for i in range(8)], [f"u{i}" for i in units], [f"d{i}" for i in NAMES]]
    at = layered(columns)
    nodes = [Node(id, id, *at[id], float(rows[i]), "kept") for i, id in enumerate(columns[0])]
    for id, i in zip(columns[1], units.tolist(), strict=True):
        gone = bool(h[i] > 0 and thin[i] == 0)
        words = ("×", *at[id], float("nan")) if gone else (f"{i}", *at[id], float(thin[i]))
        nodes.append(Node(id, *words, "dropped" if gone else "kept"))
    nodes += [Node(f"d{i}", f"{i}", *at[f"d{i}"], float(score[int(i)]), "kept") for i in NAMES]
    into = net.hidden.weight[units].view(-1, 8, 8).mean(2) * (thin[units] > 0)[:, None]  # (14, 8)
    out = net.scores.weight[:, units] * thin[units]  # (10, 14): what flows
    edges = _strongest(into.T, columns[0], columns[1]) + _strongest(out.T, columns[1], columns[2])
    many = net.scores(dropout(h.expand(100, -1), p, one)).softmax(1)
    guess = {
        "one mask": net.scores(masked).softmax(0).numpy(),
        "mean of 100 masks": many.mean(0).numpy(),
        "all units, scaled": net.scores(h).softmax(0).numpy(),
    }
    title = f"{SHOWN} of {WIDTH} units: {look}, p = {p:.2g}"
    return {
        "network": Graph(tuple(nodes), tuple(edges), title),
        "guess": Bars(NAMES, guess, "digit", "probability", title="what the network says"),
    }


def _strongest(flow: Tensor, sources: list[str], targets: list[str]) -> list[Edge]:
    best = flow.abs().flatten().topk(min(60, flow.numel())).indices.tolist()
    places = [divmod(i, len(targets)) for i in best]
    return [Edge(sources[a], targets[b], float(flow[a, b])) for a, b in places if flow[a, b]]


def check() -> Iterator[Claim]:
    """The mean is kept, masks average to the scaled unit, and wrong labels are learnt less."""
    h = dropout(torch.ones(1_000_000), 0.3, torch.Generator().manual_seed(0))
    yield near("Mean of a million ones after dropout with p = 0.3", float(h.mean()), 1.0, 0.01)
    yield near("The value of those kept", float(h.max()), 1 / 0.7, 1e-6)
    random = np.random.default_rng(0)
    w, x = random.standard_normal((2, 10))
    masks = (np.arange(1024)[:, None] >> np.arange(10)) & 1  # (1024, 10): every one there is
    chance = np.prod(np.where(masks == 1, 0.7, 0.3), axis=1)
    gap = abs(chance @ (masks * x / 0.7 @ w) - x @ w)
    yield below("Linear unit: mean over all 2¹⁰ masks against no mask, gap", float(gap), 1e-12)
    gains, learnt = [], []
    for seed in range(5):
        end = run.last(seed=seed, rate=0.5, epochs=100).facts
        gains.append(end["dropout, test [%]"] - end["plain, test [%]"])
        learnt.append(end["dropout, wrong labels [%]"] - end["plain, wrong labels [%]"])
    yield above("Gain in test accuracy, least of 5 seeds [points]", min(gains), 5)
    yield below("Wrong labels learnt: with dropout minus without, most [points]", max(learnt), -10)
