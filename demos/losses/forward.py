"""Through the network, number by number.

A network computes by multiplying and adding, nothing else. A neuron takes the activations `a` of
the layer before it, multiplies each with a weight, adds a bias and bends the sum:
`z = b + w₁ a₁ + w₂ a₂ + …`, `a = tanh(z)`. Neuron after neuron, layer after layer, the inputs
become scores, and softmax turns scores into the probabilities of a prediction.

**Try:** go back to step 1 and move through the sums one multiply-add at a time; then change one
input and see which numbers to its right change.

Source: Goodfellow, Bengio & Courville (2016), Deep Learning, chapter 6.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch

from demos.kit import Claim, Frames, Numbers, Question, Slider, below, interactive, lab, same
from engine.views import Bars, Edge, Frame, Graph, Node, Table, View, layered

SIZES = (4, 5, 3)
INPUTS = [1.0, -0.5, 0.8, 0.2]
# one neuron a line: its weights, and last its bias
HIDDEN = [
    *(0.6, -0.4, 0.9, 0.1, 0.0),
    *(-0.8, 0.5, 0.3, 0.7, 0.2),
    *(0.2, 1.1, -0.6, -0.3, -0.1),
    *(1.0, 0.3, 0.4, -0.9, 0.1),
    *(-0.5, -0.7, 0.2, 0.8, 0.3),
]
OUTPUT = [
    *(0.9, -0.6, 0.2, 0.7, -0.3, 0.1),
    *(-0.4, 0.8, 0.9, -0.5, 0.3, 0.0),
    *(0.3, 0.1, -0.7, -0.2, 1.0, -0.1),
]


@dataclass(frozen=True, slots=True)
class MultiplyAdd:
    """One step of the work: `total` is the sum after `weight · activation` was added."""

    layer: int
    neuron: int
    source: int
    weight: float
    activation: float
    total: float


def forward(inputs: Sequence[float], layers: Sequence[Sequence[float]]) -> Iterator[MultiplyAdd]:
    """All multiply-adds of the network in order; `layers` hold rows of weights and a bias."""
    activations = list(inputs)
    for layer, numbers in enumerate(layers):
        width = len(activations) + 1
        sums = []
        for neuron, start in enumerate(range(0, len(numbers), width)):
            *weights, total = numbers[start : start + width]  # the sum begins at the bias
            for source, (weight, activation) in enumerate(zip(weights, activations, strict=True)):
                total = total + weight * activation
                yield MultiplyAdd(layer, neuron, source, weight, activation, total)
            sums.append(total)
        activations = [math.tanh(z) for z in sums]


def softmax(scores: Sequence[float]) -> list[float]:
    """Scores as probabilities that add up to 1."""
    powers = [math.exp(z - max(scores)) for z in scores]
    return [power / sum(powers) for power in powers]


def scores(inputs: Sequence[float], *layers: Sequence[float]) -> list[float]:
    """What the last layer's neurons add up to, before softmax."""
    ends = {(op.layer, op.neuron): op.total for op in forward(inputs, layers)}
    return [total for (layer, _), total in ends.items() if layer == len(layers) - 1]


def picture(step: int, inputs: list[float], hidden: list[float], output: list[float]) -> Frame:
    """The network after `step` multiply-adds."""
    work = list(forward(inputs, (hidden, output)))
    now = work[step - 1]
    terms = [op for op in work[:step] if (op.layer, op.neuron) == (now.layer, now.neuron)]
    before = softmax(scores(INPUTS, HIDDEN, OUTPUT))
    after = softmax(scores(inputs, hidden, output))
    views: dict[str, View] = {
        "network": network(inputs, work, step),
        "sum": Table(
            ("input", "weight × activation", "sum so far"),
            tuple(
                (f"{op.source + 1}", f"{op.weight:.3g} × {op.activation:.3g}", round(op.total, 4))
                for op in terms
            ),
            f"neuron {now.neuron + 1} of {'hidden' if now.layer == 0 else 'output'} layer",
        ),
        "prediction": Bars(
            ("class 1", "class 2", "class 3"),
            {"as it was": np.array(before), "with your numbers": np.array(after)},
            xlabel="prediction",
            ylabel="probability",
            title="prediction, once all sums are done",
        ),
    }
    facts = {"multiply-adds done": step, "parameters": len(hidden) + len(output)}
    return Frame(step, len(work), views, facts)


def network(inputs: Sequence[float], work: Sequence[MultiplyAdd], step: int) -> Graph:
    """Nodes say their activation once it is known; the edges of the current sum say theirs."""
    now, done = work[step - 1], work[:step]
    ids = [[f"{'xhy'[layer]}{i + 1}" for i in range(size)] for layer, size in enumerate(SIZES)]
    value = dict(zip(ids[0], inputs, strict=True))
    for op in done:
        if op.source == SIZES[op.layer] - 1:  # the neuron's sum is complete
            z = op.total
            value[ids[op.layer + 1][op.neuron]] = math.tanh(z) if op.layer == 0 else z
    places = layered(ids)
    return Graph(
        tuple(
            Node(id, f"{id} {value[id]:.2f}" if id in value else id, *places[id], value.get(id, 0))
            for column in ids
            for id in column
        ),
        tuple(
            Edge(
                ids[op.layer][op.source],
                ids[op.layer + 1][op.neuron],
                op.weight * op.activation if op in done else math.nan,
                f"{op.weight:.2g}·{op.activation:.2g}"
                if op in done and (op.layer, op.neuron) == (now.layer, now.neuron)
                else "",
            )
            for op in work
        ),
        "a 4-5-3 network: values on nodes, weight · activation on edges",
    )


@lab(
    covers=["forward-propagation"],
    seconds=1,
    quick={"step": 5},
    tries={
        "One neuron only": {"step": 4},
        "Switch off input 1": {"inputs": [0.0, -0.5, 0.8, 0.2]},
        "The first output sum": {"step": 25},
    },
    question=Question(
        "4 inputs, 5 hidden neurons, 3 outputs: how many multiply-adds make a prediction?",
        ("12", "35", "43", "60"),
        1,
        "4 · 5 + 5 · 3 = 35, one for each edge. The 43 parameters are those 35 weights and "
        "8 biases.",
    ),
    needs=["linalg-transform", "mlp"],
)
def run(
    step: Annotated[int, Slider(1, 35, help="More multiply-adds done", live=True)] = 35,
    inputs: Annotated[list[float], Numbers(4, -2, 2, ("x1", "x2", "x3", "x4"), live=True)] = INPUTS,
    hidden: Annotated[
        list[float], Numbers(25, -2, 2, across=5, help="A neuron a row, bias last", live=True)
    ] = HIDDEN,
    output: Annotated[
        list[float], Numbers(18, -2, 2, across=6, help="A neuron a row, bias last", live=True)
    ] = OUTPUT,
) -> Frames:
    """Play the multiply-adds up to `step`, then answer to every change."""
    for done in range(1, step):
        yield picture(done, inputs, hidden, output)
    yield from interactive(picture, step=step, inputs=inputs, hidden=hidden, output=output)


def check() -> Iterator[Claim]:
    """The loop equals the library's forward pass, and the counts are exact."""
    first, last = torch.nn.Linear(4, 5), torch.nn.Linear(5, 3)
    model = torch.nn.Sequential(first, torch.nn.Tanh(), last)
    generator, gaps = torch.Generator().manual_seed(0), []
    for _ in range(20):
        x = torch.randn(4, generator=generator)
        rows = [torch.cat([m.weight, m.bias[:, None]], 1) for m in (first, last)]
        ours = scores(x.tolist(), *(row.flatten().tolist() for row in rows))
        gaps.append((torch.tensor(ours) - model(x)).abs().max().item())
    yield below("Largest difference to torch over 20 random inputs", max(gaps), 1e-6)
    yield same("Multiply-adds", len(list(forward(INPUTS, (HIDDEN, OUTPUT)))), 35)
    yield same("Parameters", sum(p.numel() for p in model.parameters()), 43)
    yield same("Parameters in the lab's own lists", len(HIDDEN) + len(OUTPUT), 43)
