"""Backpropagation, node by node.

How much does each weight add to the loss `L`? The chain rule answers locally: a node that knows
`∂L/∂(itself)` multiplies it with its own local slope and hands the product to its parents, and
paths that meet add up. One walk from the loss back to the weights gives every `∂L/∂w`; then
`w ← w − η ∂L/∂w` makes the loss smaller, and that, over and over, is learning. The number in a
node is its value, `∂` is its gradient; the number on an edge is the local slope.

**Try:** walk the backward pass from 0 %; then teach a node a wrong slope and see who notices.

Source: Rumelhart, Hinton & Williams (1986), Learning representations by back-propagating errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Annotated

import numpy as np
import torch

from demos.kit import (
    Choice,
    Claim,
    Frames,
    Numbers,
    Question,
    Slider,
    above,
    below,
    interactive,
    lab,
    same,
)
from engine.autograd import Value, backward, drawn, network_loss, ordered
from engine.views import Curve, Frame, Table, View

NETWORKS = {"2-1-1": (2, 1, 1), "2-2-1": (2, 2, 1), "3-4-4-2": (3, 4, 4, 2)}
INPUTS, TARGETS = [0.8, -0.5, 0.3], (0.9, -0.4)
MISTAKES = {
    "none": ("", ()),
    "tanh has slope 1": ("tanh", (1.0,)),
    "× hands on 1 to both": ("×", (1.0, 1.0)),
    "² has slope 1": ("²", (1.0,)),
}


def start(sizes: Sequence[int], seed: int = 3) -> list[float]:
    """Random first weights and biases."""
    count = sum((a + 1) * b for a, b in pairwise(sizes))
    return [float(w) for w in np.random.default_rng(seed).normal(0, 0.7, count).round(2)]


def by_differences(sizes: Sequence[int], numbers: list[float], inputs: list[float]) -> list[float]:
    """`(L(w + h) − L(w − h)) / 2h`, one parameter at a time: slow, and needs no calculus."""
    h, slopes = 1e-5, []
    for i, w in enumerate(numbers):
        high, low = (
            network_loss(sizes, [*numbers[:i], w + step, *numbers[i + 1 :]], inputs, TARGETS)[
                0
            ].data
            for step in (h, -h)
        )
        slopes.append((high - low) / (2 * h))
    return slopes


def graded(
    sizes: Sequence[int], numbers: list[float], inputs: list[float], mistake: str
) -> tuple[Value, list[Value]]:
    """The network with the slopes of one kind of node replaced by a wrong one."""
    loss, weights = network_loss(sizes, numbers, inputs, TARGETS)
    op, slopes = MISTAKES[mistake]
    for value in ordered(loss):
        if op and value.op == op:
            value.slopes = slopes
    return loss, weights


def picture(
    done: float, shape: str, mistake: str, updates: int, rate: float, inputs: list[float]
) -> Frame:
    """The graph with `done` per cent of the backward pass behind it, after some updates."""
    sizes = NETWORKS[shape]
    numbers, losses = start(sizes), list[float]()
    for _ in range(updates + 1):
        loss, weights = graded(sizes, numbers, inputs, mistake)
        losses.append(min(loss.data, 1e6))
        backward(loss)
        before = numbers
        numbers = [float(np.clip(w.data - rate * w.gradient, -50, 50)) for w in weights]
    truth = by_differences(sizes, before, inputs)
    rows = [
        (w.name, round(w.gradient, 6), round(t, 6), "yes" if same_slope(w.gradient, t) else "NO")
        for w, t in zip(weights, truth, strict=True)
    ]
    order = ordered(loss)
    visited = round(done / 100 * len(order))
    backward(loss, visited)
    reached = (v for node in order[::-1][:visited] for v in (node, *node.parents))
    known = {id(loss): 1.0} | {id(v): v.gradient for v in reached}
    views: dict[str, View] = {
        "graph": drawn(loss, known, "values, gradients ∂L/∂·, local slopes"),
        "check": Table(
            ("parameter", "backpropagation", "finite differences", "agree"), tuple(rows),
            "gradient check of the whole pass",
        ),
        "loss": Curve(
            np.arange(updates + 1), {"loss": np.array(losses)}, "updates w ← w − η ∂L/∂w",
            "loss L", dots=True, title="learning",
        ),
    }  # fmt: skip
    failing = sum(row[-1] == "NO" for row in rows)
    facts = {"loss": losses[-1], "nodes": len(order), "parameters that fail the check": failing}
    return Frame(visited, len(order), views, facts)


def same_slope(ours: float, truth: float) -> bool:
    """Whether two slopes agree to the accuracy of a finite difference."""
    return abs(ours - truth) <= 1e-6 * max(1, abs(truth))


@lab(
    covers=["backpropagation"],
    seconds=1,
    quick={"done": 30.0},
    tries={
        "Two paths meet": {"shape": "2-2-1", "done": 60.0},
        "A wrong slope": {"mistake": "tanh has slope 1"},
        "Fifty updates": {"updates": 50},
    },
    question=Question(
        "A value is used twice further on. What is its gradient?",
        ("The larger of the two", "Their sum", "Their product"),
        1,
        "A small change goes along both paths at once, and both effects reach the loss.",
    ),
    needs=["derivatives-chain-rule", "forward-propagation"],
)
def run(
    done: Annotated[
        float, Slider(0, 100, unit="%", help="More of the backward pass done", live=True)
    ] = 100.0,
    shape: Annotated[str, Choice(tuple(NETWORKS), help="Layer sizes", live=True)] = "2-1-1",
    mistake: Annotated[str, Choice(tuple(MISTAKES), help="A wrong slope", live=True)] = "none",
    updates: Annotated[int, Slider(0, 50, help="More steps of learning", live=True)] = 0,
    rate: Annotated[float, Slider(0.01, 1.0, log=True, help="Longer steps", live=True)] = 0.1,
    inputs: Annotated[
        list[float], Numbers(3, -2, 2, ("x1", "x2", "x3"), across=3, live=True)
    ] = INPUTS,
) -> Frames:
    """Play the backward pass up to `done`, then answer to every change."""
    now = {"shape": shape, "mistake": mistake, "updates": updates, "rate": rate, "inputs": inputs}
    loss, _ = network_loss(NETWORKS[shape], start(NETWORKS[shape]), inputs, TARGETS)
    nodes = len(ordered(loss))
    for visited in range(round(done / 100 * nodes)):
        yield partial(picture, 100 * visited / nodes, **now)  # type: ignore[arg-type]
    yield from interactive(picture, done=done, **now)  # type: ignore[arg-type]


def check() -> Iterator[Claim]:
    """Every gradient of a 3-4-4-2 network equals torch's; a wrong slope is noticed."""
    sizes, gaps = NETWORKS["3-4-4-2"], []
    for seed in range(5):
        numbers = start(sizes, seed)
        loss, weights = network_loss(sizes, numbers, INPUTS, TARGETS)
        backward(loss)
        flat = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
        activation, used = torch.tensor(INPUTS, dtype=torch.float64), 0
        for depth, (a, b) in enumerate(pairwise(sizes)):
            matrix = flat[used : used + (a + 1) * b].reshape(b, a + 1)
            activation, used = matrix[:, :a] @ activation + matrix[:, a], used + (a + 1) * b
            activation = activation if depth == len(sizes) - 2 else activation.tanh()
        targets = torch.tensor(TARGETS, dtype=torch.float64)
        (truth,) = torch.autograd.grad((activation - targets).square().sum(), flat)
        ours = torch.tensor([w.gradient for w in weights], dtype=torch.float64)
        gaps.append((ours - truth).abs().max().item())
    yield below("3-4-4-2: largest difference to torch, 46 parameters, 5 seeds", max(gaps), 1e-12)
    yield same("Nodes of its graph", len(ordered(loss)), 136)
    for mistake in list(MISTAKES)[1:]:
        facts = run.last(mistake=mistake, shape="2-2-1").facts
        yield above(
            f"Parameters that fail when {mistake}", facts["parameters that fail the check"], 1
        )
    facts = run.last(shape="3-4-4-2").facts
    yield same(
        "Parameters that fail when nothing is wrong", facts["parameters that fail the check"], 0
    )
