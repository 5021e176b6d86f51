"""A network untangles two spirals.

A multilayer perceptron bends the plane layer by layer: `h = φ(W₁x + b₁)`, then again, then a linear
score for each class. Every hidden unit is a soft half-plane, or a combination of the half-planes
before it; training turns and shifts them all at once, down the slope of the loss. A linear model
has one line for two spirals, and can do little better than guess.

**Try:** shrink the layers until it fails; or turn the learning rate up while it runs.

Source: Rumelhart, Hinton & Williams (1986), Learning representations by back-propagating errors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
import torch
from torch import nn

from demos.kit import Claim, Frames, Question, Slider, above, below, lab, same
from engine.data import load
from engine.one_step import one_step
from engine.optimisers import Memory
from engine.views import Array, Curve, Field, Frame, Matrix, Points, Tiles, View

EXTENT = (-1.5, 1.5, -1.5, 1.5)
GRID = torch.linspace(-1.5, 1.5, 60)
PLANE = torch.stack(torch.meshgrid(GRID, GRID, indexing="xy"), dim=-1).view(-1, 2)  # (3600, 2)
BATCH = 80
EXTRA = {"blobs": "&centres=2", "spirals": "&turns=2"}  # settings of these data sets
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def network(layers: int, width: int, activation: str) -> nn.Sequential:
    """Two inputs, some hidden layers of one width, two scores."""
    sizes, parts = [2, *[width] * layers], []
    for before, after in pairwise(sizes):
        parts += [nn.Linear(before, after), ACTIVATIONS[activation]()]
    return nn.Sequential(*parts, nn.Linear(sizes[-1], 2))


def epoch(
    net: nn.Module, memory: Memory, x: torch.Tensor, y: torch.Tensor, rate: float
) -> tuple[Memory, float]:
    """Once through the data in random batches; what Adam remembers, and the mean loss."""
    total = 0.0
    for pick in torch.randperm(len(x)).split(BATCH):
        loss = nn.functional.cross_entropy(net(x[pick]), y[pick])
        memory = one_step(net, loss, memory, learning_rate=rate)
        total += loss.item() * len(pick)
    return memory, total / len(x)


def accuracy(net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Share of points on their own side."""
    with torch.no_grad():
        return float((net(x).argmax(1) == y).double().mean())


@lab(
    covers=["mlp"],
    seconds=2,
    quick={"epochs": 10, "width": 8},
    tries={
        "No hidden layer": {"layers": 0},
        "Eight units only": {"layers": 1, "width": 8},
        "Moons, tanh": {"data": "moons", "activation": "tanh", "width": 8, "epochs": 60},
    },
    question=Question(
        "How well does a network without hidden layer separate two spirals?",
        ("Not at all: 50 %", "Somewhat: 55 to 75 %", "Well: over 90 %"),
        1,
        "Its only line cuts both spirals; it gains a little because their ends lie apart.",
    ),
    needs=["xor-problem"],
)
def run(
    data: Literal["spirals", "circles", "moons", "blobs"] = "spirals",
    layers: Annotated[int, Slider(0, 3, help="More hidden layers")] = 2,
    width: Annotated[int, Slider(2, 64, log=True, help="More units in each")] = 64,
    activation: Literal["relu", "tanh", "sigmoid"] = "relu",
    learning_rate: Annotated[
        float, Slider(1e-4, 0.3, log=True, help="Longer steps", live=True)
    ] = 0.01,
    epochs: Annotated[int, Slider(5, 400, help="Train longer")] = 200,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train on 400 synthetic points, test on 134 others; show surface, units, weights and loss."""
    torch.manual_seed(seed)
    made = load(f"{data}?size=534&seed={seed}{EXTRA.get(data, '')}")
    x, y, test = made.train_x, made.train_y, (made.valid_x, made.valid_y)
    net = network(layers, width, activation)
    memory = Memory()
    losses: list[float] = []
    for number in range(1, epochs + 1):
        memory, loss = epoch(net, memory, x, y, learning_rate)
        losses.append(min(loss, 1e3) if math.isfinite(loss) else 1e3)
        changes = yield lambda number=number: _frame(number, epochs, net, x, y, test, losses)  # type: ignore[misc]
        learning_rate = float((changes or {}).get("learning_rate", learning_rate))  # type: ignore[arg-type]


def _frame(
    number: int,
    epochs: int,
    net: nn.Sequential,
    x: torch.Tensor,
    y: torch.Tensor,
    test: tuple[torch.Tensor, torch.Tensor],
    losses: list[float],
) -> Frame:
    with torch.no_grad():
        score = net(PLANE).softmax(1)[:, 0].view(60, 60).nan_to_num(0.5).numpy()
        coarse = PLANE.view(60, 60, 2)[::3, ::3].reshape(-1, 2)  # (400, 2)
        units, names = [], []
        for place, part in enumerate(net):
            coarse = part(coarse)
            if not isinstance(part, nn.Linear) or place == len(net) - 1:
                units.append(coarse.T.reshape(-1, 20, 20).flip(1)[:16].nan_to_num(0.0))
                names += [f"{place // 2 + 1}.{i + 1}" for i in range(len(units[-1]))]
    weights = [part.weight for part in net if isinstance(part, nn.Linear)]
    middle = weights[len(weights) // 2].detach().nan_to_num(0.0).clamp(-9, 9).numpy()
    reached = 100 * accuracy(net, *test)
    points = Points(x.numpy(), y.numpy(), ("A", "B"))
    parameters = sum(weight.numel() for weight in net.parameters())
    views: dict[str, View] = {
        "plane": Field(
            2 * score - 1,
            EXTENT,
            {},
            f"epoch {number}: which class where",
            points,
            "signed",
            True,
            "x",
            "y",
        ),
        "units": Tiles(
            _each_to_its_own_scale(torch.cat(units)),
            tuple(names),
            "signed",
            shared=False,
            across=8,
            title="the plane as units see it: layer.unit",
        ),
        "loss": Curve(
            np.arange(1, number + 1),
            {"training loss": np.maximum(losses, 1e-6)},
            "epoch",
            "cross-entropy [nat]",
            log=True,
            title="loss",
        ),
        "weights": Matrix(
            middle,
            scale="signed",
            xlabel="from unit",
            ylabel="to unit",
            title="weights between the middle layers",
        ),
    }
    return Frame(
        number,
        epochs,
        views,
        {"test accuracy [%]": reached, "loss [nat]": losses[-1], "parameters": float(parameters)},
    )


def _each_to_its_own_scale(maps: torch.Tensor) -> Array:
    """Every unit's map over its own largest size, so that faint units are seen too."""
    sizes: Array = (maps / maps.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-9)).numpy()
    return sizes


def check() -> Iterator[Claim]:
    """Two hidden layers separate the spirals, a line does not."""
    net = network(2, 64, "relu")
    yield same("Parameters of 2-64-64-2", sum(w.numel() for w in net.parameters()), 4482)
    deep = run.last(epochs=200).facts["test accuracy [%]"]
    yield above("Two spirals, accuracy on new points after 200 epochs [%]", deep, 97)
    flat = run.last(layers=0, epochs=60).facts["test accuracy [%]"]
    yield below("Linear model on the same spirals [%]", flat, 75)
