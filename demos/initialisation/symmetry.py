"""Why weights must start different.

Two neurons with the same weights see the same inputs, give the same outputs and get the same
gradient, `∂L/∂w = δ x`, so they take the same steps and stay the same for ever: 32 clones are one
neuron. Started at zero it is worse: nothing reaches the last layer, no gradient comes back, and
nothing moves. Small random numbers are enough to break the tie; the rank of the weight matrix
counts how many neurons really differ.

**Try:** start from a constant and watch one picture 32 times; then shake the weights. (Left alone
for 600 steps, even rounding errors break the tie: it is balanced on a needle.)

Source: Goodfellow, Bengio & Courville (2016), Deep Learning, section 8.4.
"""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterator
from typing import Annotated, Literal

import numpy as np
import torch
from torch import Tensor

from demos.kit import Claim, Frames, Question, Slider, Toggle, above, below, lab, same, ticks
from engine.data import shipped
from engine.views import Curve, Frame, Points, Tiles, View

HIDDEN, CLASSES, BATCH, RATE = 32, 10, 32, 0.5
DOUBLE = torch.float64  # rounding breaks the tie too: in single precision much sooner


def start(kind: str, seed: int) -> list[Tensor]:
    """Weights and biases of a 64-32-10 network; all zero, all 0.1, or random."""
    generator = torch.Generator().manual_seed(seed)
    shapes = ((64, HIDDEN), (HIDDEN, CLASSES))
    match kind:
        case "zeros":
            weights = [torch.zeros(shape, dtype=DOUBLE) for shape in shapes]
        case "constant":
            weights = [torch.full(shape, 0.1, dtype=DOUBLE) for shape in shapes]
        case _:
            weights = [
                torch.randn(s, generator=generator, dtype=DOUBLE) / s[0] ** 0.5 for s in shapes
            ]
    biases = [torch.zeros(shape[1], dtype=DOUBLE) for shape in shapes]
    return [weights[0], biases[0], weights[1], biases[1]]


def scores(network: list[Tensor], x: Tensor) -> Tensor:
    """Of a hidden tanh layer and a linear one, `(n, 64)` to `(n, 10)`."""
    first, first_bias, second, second_bias = network
    return torch.tanh(x @ first + first_bias) @ second + second_bias


def descend(network: list[Tensor], x: Tensor, y: Tensor) -> list[Tensor]:
    """One step of gradient descent."""
    network = [w.detach().requires_grad_() for w in network]
    loss = torch.nn.functional.cross_entropy(scores(network, x), y)
    slopes = torch.autograd.grad(loss, network)
    return [(w - RATE * g).detach() for w, g in zip(network, slopes, strict=True)]


@functools.cache
def digits() -> tuple[Tensor, Tensor]:
    """Digits, shuffled, and their classes: `(1797, 64)` in [0, 1], and `(1797,)`."""
    images, labels = map(torch.from_numpy, shipped.digits())
    order = np.random.default_rng(0).permutation(len(images))
    return images[order].flatten(1).double(), labels[order]


def train(kind: str, steps: int, seed: int) -> Generator[list[Tensor], bool | None, None]:
    """The network after each step; send True to add a little noise to its first layer."""
    x, y = digits()
    generator = torch.Generator().manual_seed(seed)
    network = start(kind, seed)
    for _ in range(steps):
        batch = torch.randint(1297, (BATCH,), generator=generator)
        network = descend(network, x[batch], y[batch])
        if (yield network):
            noise = 0.01 * torch.randn(64, HIDDEN, generator=generator, dtype=DOUBLE)
            network = [network[0] + noise, *network[1:]]


def accuracy(network: list[Tensor]) -> float:
    """Share of 500 test digits that are recognised."""
    x, y = digits()
    return (scores(network, x[1297:]).argmax(1) == y[1297:]).float().mean().item()


def rank(network: list[Tensor]) -> int:
    """How many independent neurons the first layer has."""
    return int(torch.linalg.matrix_rank(network[0], rtol=1e-4))


@lab(
    covers=["init-symmetry-breaking"],
    seconds=5,
    quick={"steps": 5},
    tries={
        "All zero": {"kind": "zeros"},
        "All alike": {"kind": "constant"},
        "Random": {"kind": "random"},
    },
    question=Question(
        "All weights start at 0.1. After training, how many different neurons has the layer of 32?",
        ("1", "About 10, one a class", "32"),
        0,
        "Equal weights get equal gradients at every step; 32 clones do the work of one.",
    ),
    needs=["mlp", "backpropagation"],
)
def run(
    kind: Literal["zeros", "constant", "random"] = "constant",
    shake: Annotated[bool, Toggle("Add a little noise to the weights, once", live=True)] = False,
    steps: Annotated[int, Slider(5, 1000, help="A longer training")] = 205,
    seed: Annotated[int, Slider(0, 99, help="Other random numbers")] = 0,
) -> Frames:
    """Train from the chosen start; show every neuron's weights, and how many differ."""
    training, seen = train(kind, steps, seed), list[tuple[int, int, float]]()
    network = next(training)
    for step, show in ticks(steps, 60):
        if step > 1:
            network, shake = training.send(shake), False
        if show:
            seen.append((step, rank(network), accuracy(network)))
            changes = (yield picture(steps, network, seen)) or {}
            shake = shake or changes.get("shake") is True


def picture(steps: int, network: list[Tensor], seen: list[tuple[int, int, float]]) -> Frame:
    """Weights of all neurons, their places in the plane of two weights, rank and accuracy."""
    first = network[0].T.numpy()  # (32, 64)
    step, ranks, right = np.array(seen).T
    out = network[2][:, :2].numpy()
    reach = max(0.05, float(np.abs(out).max()) * 1.1)
    views: dict[str, View] = {
        "weights": Tiles(
            first.reshape(HIDDEN, 8, 8), scale="signed", across=8,
            title="incoming weights of the 32 neurons, one picture each",
        ),
        "places": Points(
            out, extent=(-reach, reach, -reach, reach), xlabel="weight to class 0",
            ylabel="weight to class 1", equal=True, title="32 neurons: clones lie on each other",
        ),
        "rank": Curve(
            step, {"different neurons": ranks}, ylabel="rank of the weights", title="rank"
        ),
        "accuracy": Curve(step, {"accuracy": right}, ylabel="accuracy on 500 test digits",
                          title="what it learns"),
    }  # fmt: skip
    return Frame(
        int(step[-1]), steps, views, {"rank": float(ranks[-1]), "accuracy": float(right[-1])}
    )


def check() -> Iterator[Claim]:
    """Zeros stay at chance, clones have rank 1, a random start learns."""
    ends = {
        kind: [list(train(kind, 205, seed))[-1] for seed in range(3)]
        for kind in ("zeros", "constant", "random")
    }
    scored = {kind: [accuracy(network) for network in three] for kind, three in ends.items()}
    yield below("Start at zero: accuracy, best of 3 seeds", max(scored["zeros"]), 0.15)
    yield same("Constant start: rank of the first layer", max(map(rank, ends["constant"])), 1)
    yield below("its accuracy, best of 3 seeds", max(scored["constant"]), 0.35)
    yield same("Random start: rank of the first layer", min(map(rank, ends["random"])), 32)
    yield above("its accuracy, worst of 3 seeds", min(scored["random"]), 0.90)
