"""ReLUs can die, and leaky ones come back.

A unit `max(0, w · x + b)` whose bias is so negative that it is off for every example has slope 0
everywhere: no gradient reaches it, and no training can wake it. A careless step can push units over
that edge. Leaky ReLU (slope 0.01 below zero), PReLU (a learned slope) and ELU (`eˣ − 1`) keep a
trickle of gradient, and climb back.

**Try:** lower the biases of a living ReLU network while it trains, and raise them again.

Source: Maas, Hannun & Ng (2013), Rectifier nonlinearities improve neural network acoustic models;
He et al. (2015), Delving deep into rectifiers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from demos.kit import Claim, Frames, Question, Slider, above, below, lab, same
from engine.data.shipped import digits
from engine.one_step import one_step
from engine.optimisers import Memory
from engine.views import Curve, Frame, Histogram, Matrix, Tiles, View

WIDTH, BATCH, TRAIN = 128, 64, 1437  # of 1,797 digits
KINDS = {"ReLU": nn.ReLU, "leaky ReLU": nn.LeakyReLU, "PReLU": nn.PReLU, "ELU": nn.ELU}


class Network(nn.Module):
    """64 pixels, 128 units of one kind with all biases alike, 10 scores."""

    def __init__(self, kind: str, bias: float, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)  # the same weights for every kind
        self.hidden, self.scores = nn.Linear(64, WIDTH), nn.Linear(WIDTH, 10)
        self.activation = KINDS[kind]()
        nn.init.constant_(self.hidden.bias, bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores `(n, 10)` of pixels `(n, 64)`."""
        scores: torch.Tensor = self.scores(self.activation(self.hidden(x)))
        return scores


def dead(net: Network, x: torch.Tensor) -> torch.Tensor:
    """Which units are below zero for every example of `x`, `(128,)`."""
    with torch.no_grad():
        return torch.all(net.hidden(x) <= 0, dim=0)


@torch.no_grad()
def accuracy(net: Network, x: torch.Tensor, y: torch.Tensor) -> float:
    """Share of digits read right."""
    return float((net(x).argmax(1) == y).double().mean())


def split() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Shuffled digits: training pixels `(1437, 64)` and labels, then 360 for the test."""
    images, labels = digits()
    order = np.random.default_rng(0).permutation(len(labels))
    x, y = torch.from_numpy(images[order]).flatten(1), torch.from_numpy(labels[order])
    return x[:TRAIN], y[:TRAIN], x[TRAIN:], y[TRAIN:]


@lab(
    covers=["dying-relu"],
    seconds=2,
    quick={"epochs": 2},
    tries={
        "All dead at birth": {"bias": -4.0},
        "Half alive": {"bias": -0.6},
        "A careless step": {"bias": 0.0, "learning_rate": 0.3},
    },
    question=Question(
        "All biases start at −4, and every ReLU is off for every digit. What will training do?",
        ("Wake them slowly", "Nothing, ever", "Wake half of them"),
        1,
        "Where ReLU is off its slope is exactly 0, so no weight below it ever gets a gradient.",
    ),
    needs=["activations-gallery"],
)
def run(
    bias: Annotated[float, Slider(-6, 1, help="Start nearer to life")] = -4.0,
    push: Annotated[float, Slider(-4, 4, help="Added to all biases, now", live=True)] = 0.0,
    learning_rate: Annotated[
        float, Slider(1e-4, 0.5, log=True, help="Larger steps", live=True)
    ] = 0.01,
    epochs: Annotated[int, Slider(1, 40, help="Train longer")] = 12,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train four networks that differ only in the activation; map their dead units in grey."""
    x, y, test_x, test_y = split()
    nets = {kind: Network(kind, bias, seed) for kind in KINDS}
    memory = {kind: Memory() for kind in KINDS}
    shares: dict[str, list[float]] = {kind: [] for kind in KINDS}
    scores: dict[str, list[float]] = {kind: [] for kind in KINDS}
    per_epoch, number = -(-TRAIN // BATCH), 0
    for _ in range(epochs):
        for pick in torch.randperm(TRAIN).split(BATCH):
            for kind, net in nets.items():
                loss = cross_entropy(net(x[pick]), y[pick])
                memory[kind] = one_step(net, loss, memory[kind], learning_rate=learning_rate)
            number += 1
            if number % 4 and number != epochs * per_epoch:
                continue
            for kind, net in nets.items():
                scores[kind].append(100 * accuracy(net, test_x, test_y))
                shares[kind].append(100 * float(dead(net, x).double().mean()))
            changes = (yield _frame(number, epochs * per_epoch, nets, x, shares, scores)) or {}
            moved = float(changes.get("push", push)) - push  # type: ignore[arg-type]
            push += moved
            learning_rate = float(changes.get("learning_rate", learning_rate))  # type: ignore[arg-type]
            for net in nets.values():
                net.hidden.bias.data += moved


def _frame(
    number: int,
    of: int,
    nets: dict[str, Network],
    x: torch.Tensor,
    shares: dict[str, list[float]],
    scores: dict[str, list[float]],
) -> Frame:
    at = np.linspace(number / len(shares["ReLU"]), number, len(shares["ReLU"]))
    with torch.no_grad():
        sums = {kind: net.hidden(x[:300]) for kind, net in nets.items()}
    on = np.stack([(part > 0).double().mean(0).numpy() for part in sums.values()])  # (4, 128)
    edges = np.linspace(-8, 8, 65)
    counts = {k: np.histogram(h.clamp(-7.99, 7.99).numpy(), edges)[0] for k, h in sums.items()}
    weights = nets["ReLU"].hidden.weight.detach().view(-1, 8, 8)[:16].nan_to_num(0.0).numpy()
    lines = [{k: np.array(v) for k, v in one.items()} for one in (shares, scores)]
    title = "how often each unit is on [%]; darkest: dead"
    where = "w · x + b: right of 0 is on (ends collect the rest)"
    views: dict[str, View] = {
        "units": Matrix(100 * on, tuple(nets), xlabel="unit", title=title),
        "dead": Curve(at, lines[0], "step", "dead units [%]", title="dead units"),
        "accuracy": Curve(at, lines[1], "step", "test accuracy [%]", title="can they learn?"),
        "sums": Histogram(edges, counts, xlabel=where, ylabel="units", title="where units stand"),
        "weights": Tiles(weights, (), "signed", across=8, title="weights of 16 ReLU units"),
    }
    facts = {f"{kind}: dead [%]": shares[kind][-1] for kind in ("ReLU", "leaky ReLU")}
    return Frame(number, of, views, facts | {f"{k} [%]": score[-1] for k, score in scores.items()})


def check() -> Iterator[Claim]:
    """From biases of −4, ReLU stays dead for ever; its three cousins recover."""
    x, y, test_x, test_y = split()
    born = dead(Network("ReLU", -4.0, 0), x)
    yield same("Biases at −4: dead units of 128 before training", int(born.sum()), WIDTH)
    for kind in KINDS:
        net = Network(kind, -4.0, 0)
        memory = Memory()
        for _ in range(12):
            for pick in torch.randperm(TRAIN).split(BATCH):
                memory = one_step(
                    net, cross_entropy(net(x[pick]), y[pick]), memory, learning_rate=0.01
                )
        score = accuracy(net, test_x, test_y)
        if kind == "ReLU":
            yield same("ReLU after 12 epochs: dead units of 128", int(dead(net, x).sum()), WIDTH)
            yield below("ReLU: test accuracy", score, 0.15)
        else:
            yield above(f"{kind}: test accuracy", score, 0.90)
