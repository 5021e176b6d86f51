"""What each layer sees: circles pulled apart.

A ring inside a ring cannot be cut by a line. A hidden layer `h = ReLU(W x + b)` places the points
in a new space, one axis a unit, in which a plane may do. Random units already help by chance;
training turns them until the classes come apart, and the output layer is nothing but that plane.
Input layer: take the data as they are. Hidden layers: make features. Output layer: one flat cut.

**Try:** slide from the input to the hidden layer, for random and for trained units.

Source: Bengio, Courville & Vincent (2013), Representation learning: a review and new perspectives.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Literal

import numpy as np
import torch
from torch import nn

from demos.kit import Claim, Frames, Question, Slider, above, between, interactive, lab, near
from engine.one_step import one_step
from engine.optimisers import Memory
from engine.views import Array, Bars, Field, Frame, Points, Tiles, View

GRID = torch.linspace(-1.3, 1.3, 50)
PLANE = torch.stack(torch.meshgrid(GRID, GRID, indexing="xy"), dim=-1).view(-1, 2)
LAYERS = ("input", "hidden", "output")
EXTENT, RATE = (-1.3, 1.3, -1.3, 1.3), 0.02


def circles(seed: int, count: int = 500) -> tuple[torch.Tensor, torch.Tensor]:
    """Two synthetic rings, radius 1 and 0.7, a little noisy: `(n, 2)`, and which, `(n,)`."""
    random = np.random.default_rng(seed)
    angle, y = random.uniform(0, 2 * np.pi, count), np.arange(count) % 2
    ring = np.stack([np.cos(angle), np.sin(angle)], 1) * np.where(y, 0.7, 1.0)[:, None]
    return torch.from_numpy(ring + random.normal(0, 0.04, ring.shape)).float(), torch.from_numpy(y)


def best_cut(h: torch.Tensor, y: torch.Tensor, rounds: int = 10) -> tuple[torch.Tensor, float]:
    """The flat cut that logistic regression finds in a space `(n, features)`, by Newton's method.

    Returns:
        Weights and offset, `(features + 1,)`, and the share of points on their own side.
    """
    x = torch.cat([h, torch.ones(len(h), 1)], dim=1).double()
    w = torch.zeros(x.shape[1], dtype=torch.float64)
    for _ in range(rounds):
        p = torch.sigmoid(x @ w)
        curve = x.T @ (x * (p * (1 - p))[:, None]) + 1e-3 * torch.eye(len(w), dtype=torch.float64)
        w = w - torch.linalg.solve(curve, x.T @ (p - y) + 1e-3 * w)
    return w.float(), float(((x @ w > 0) == (y > 0)).double().mean())


def network(units: int, seed: int) -> nn.Sequential:
    """Two inputs, one hidden layer of ReLU units, one score."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, units), nn.ReLU(), nn.Linear(units, 1))


def learn(net: nn.Module, memory: Memory, x: torch.Tensor, y: torch.Tensor) -> Memory:
    """One step of Adam on all points; what Adam remembers."""
    loss = nn.functional.binary_cross_entropy_with_logits(net(x)[:, 0], y.float())
    return one_step(net, loss, memory, learning_rate=RATE)


@lab(
    covers=["layer-roles"],
    seconds=1,
    quick={"steps": 20},
    tries={
        "Random units": {"hidden": "random"},
        "Three units suffice?": {"hidden": "trained", "units": 3},
        "Back at the input": {"where": 0.0},
    },
    question=Question(
        "Eight random ReLU units, never trained. How well does a flat cut part rings then?",
        ("Only by chance, 50 %", "Mostly 70 to 90 %", "Always 100 %"),
        1,
        "Folding the plane at random lines already helps; training makes the folds fit.",
    ),
    needs=["mlp"],
)
def run(
    hidden: Literal["trained", "random"] = "trained",
    units: Annotated[int, Slider(2, 16, help="More hidden units")] = 8,
    where: Annotated[
        float, Slider(0, 1, help="0 is the input, 1 the hidden space", live=True)
    ] = 1.0,
    steps: Annotated[int, Slider(10, 400, help="Train longer")] = 300,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Show the points in every layer's space, with the best flat cut of each."""
    (x, y), net = circles(seed), network(units, seed)
    memory = Memory()
    for step in range(1, steps + 1 if hidden == "trained" else 1):
        memory = learn(net, memory, x, y)
        if step % 4 == 0:
            changes = yield partial(_frame, step, steps, net, x, y, where)
            where = float((changes or {}).get("where", where))  # type: ignore[arg-type]
    yield from interactive(lambda where: _frame(steps, steps, net, x, y, where), where=where)


def _frame(
    step: int, of: int, net: nn.Sequential, x: torch.Tensor, y: torch.Tensor, where: float
) -> Frame:
    with torch.no_grad():
        h, units = net[1](net[0](x)), net[1](net[0](PLANE)).T.view(-1, 50, 50).flip(1)
        cut, at_hidden = best_cut(h, y)
        at_input, score = best_cut(x, y)[1], net(x)[:, 0]
        surface = (net[1](net[0](PLANE)) @ cut[:-1] + cut[-1]).view(50, 50)
    flat = _seen_along(h, cut)
    moved = (1 - where) * x.numpy() + where * flat  # a straight slide from one space to the other
    shares = 100 * np.array([at_input, at_hidden, float(((score > 0) == (y > 0)).double().mean())])
    line = {"best flat cut": np.array([[0.0, -1.3], [0.0, 1.3]])} if where == 1 else {}
    names = ("outer ring", "inner ring")
    ring = Points(x.numpy(), y.numpy(), names)
    labels = ("across the cut", "widest other direction")
    folded, cutting = np.tanh(-surface.numpy()), "the flat cut, seen from the input"
    captions = tuple(f"unit {i + 1}" for i in range(len(units)))
    views: dict[str, View] = {
        "space": Points(moved, y.numpy(), names, line, EXTENT, *labels, title="input to hidden"),
        "plane": Field(folded, EXTENT, {}, cutting, ring, "signed", True, "x", "y"),
        "units": Tiles(units.numpy(), captions, "signed", across=8, title="where each unit is on"),
        "shares": Bars(
            ("input", "hidden", "output"),
            {"right": shares},
            "layer",
            "parted [%]",
            title="how well",
        ),
    }
    facts = {f"parted at {n} [%]": s for n, s in zip(LAYERS, shares.tolist(), strict=True)}
    return Frame(step, of, views, facts)


def _seen_along(h: torch.Tensor, cut: torch.Tensor) -> Array:
    """The hidden space seen across the cut and along its widest other direction, `(n, 2)`."""
    side = h @ cut[:-1] + cut[-1]
    normal = cut[:-1] / cut[:-1].norm().clamp(min=1e-9)
    rest = h - h.mean(0) - ((h - h.mean(0)) @ normal)[:, None] * normal
    widest = torch.linalg.svd(rest, full_matrices=False).Vh[0]
    both = torch.stack([side / side.abs().quantile(0.95).clamp(min=1e-6), rest @ widest], dim=1)
    both[:, 1] /= both[:, 1].abs().max().clamp(min=1e-6)
    return np.asarray(both.clamp(-1.25, 1.25).numpy())


def check() -> Iterator[Claim]:
    """How well a flat cut parts the rings at the input, after random and trained units."""
    shares: dict[str, list[float]] = {"input": [], "random": [], "trained": []}
    for seed in range(20):
        (x, y), net = circles(seed), network(8, seed)
        shares["input"].append(best_cut(x, y)[1])
        with torch.no_grad():
            shares["random"].append(best_cut(net[1](net[0](x)), y)[1])
        if seed < 3:
            memory = Memory()
            for _ in range(300):
                memory = learn(net, memory, x, y)
            with torch.no_grad():
                shares["trained"].append(best_cut(net[1](net[0](x)), y)[1])
    yield near("Parted at the input, mean of 20 draws", float(np.mean(shares["input"])), 0.50, 0.06)
    yield between(
        "After 8 random ReLU units, mean of 20", float(np.mean(shares["random"])), 0.70, 0.90
    )
    yield above("After training them, worst of 3", min(shares["trained"]), 0.99)
