"""Forward or backward through the graph?

Every computation is a graph of small steps with known slopes. Forward mode carries
`∂(node)/∂x` along from one input: one sweep an input. Reverse mode carries `∂y/∂(node)` back from
one output: one sweep an output, so a loss of a million weights needs just one. Neither ever
lists the paths, though their number may grow like `2ⁿ`: it adds up at every node. The price of
going back is memory for all values on the way; checkpoints keep a few and recompute the rest.

**Try:** set 50 inputs and 1 output, then 1 and 50: which mode would you take?

Source: Griewank & Walther (2008), Evaluating Derivatives;
Chen et al. (2016), Training deep nets with sublinear memory cost.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    below,
    interactive,
    lab,
    same,
)
from engine.autograd import Value, backward, checkpointed, drawn, forward, ordered
from engine.views import Bars, Curve, Frame, View

START = [1.5, 0.5]
LAYERS = 64
MODES = ("reverse from the output", "forward from x", "forward from y")


def example(x: Value, y: Value) -> Value:
    """`sin(x y) + x exp(y)`: x and y are used twice each, so paths meet."""
    return (x * y).sin() + x * y.exp()


def doubled(x: Value, levels: int) -> Value:
    """A chain of diamonds: each level adds the last one to itself, so paths double."""
    for _ in range(levels):
        x = x + x
    return x


def sweep(mode: str, done: float, at: list[float]) -> tuple[Value, dict[int, float], int]:
    """The example with derivatives known after `done` per cent of a sweep, and the steps made."""
    x, y = Value(at[0], name="x"), Value(at[1], name="y")
    out = example(x, y)
    order = ordered(out)
    steps = round(done / 100 * len(order))
    if mode == "reverse from the output":
        backward(out, steps)
        reached = (v for visited in order[::-1][:steps] for v in (visited, *visited.parents))
        known = {id(out): 1.0} | {id(v): v.gradient for v in reached}
        return out, known, steps
    return out, forward(out, x if mode == "forward from x" else y, steps), steps


def picture(
    done: float, mode: str, at: list[float], inputs: int, outputs: int, levels: int, every: int
) -> Frame:
    """A sweep half done, and what sweeps, paths and checkpoints cost."""
    out, known, steps = sweep(mode, done, at)
    depth, spacing = np.arange(1, 41), np.arange(1, LAYERS + 1)
    w, a = np.ones((LAYERS, 1)), np.ones(1)
    costs = [checkpointed(w, a, int(each))[1:] for each in spacing]
    views: dict[str, View] = {
        "graph": drawn(
            out, known, f"sin(x y) + x exp(y), {mode}", "∂y/∂" if mode[0] == "r" else "∂/∂input"
        ),
        "sweeps": Bars(
            ("forward mode", "reverse mode"), {"sweeps": np.array([inputs, outputs])},
            xlabel=f"{inputs} inputs, {outputs} outputs", ylabel="sweeps for all derivatives",
            title="which mode is cheaper?",
        ),
        "paths": Curve(
            depth,
            {"paths through the graph": 2.0**depth, "additions in reverse mode": 2.0 * depth},
            "levels of doubling", "count", log=True, marks={"levels": levels},
            title="paths are many, nodes are few",
        ),
        "memory": Curve(
            spacing,
            {
                "activations held": np.array([most for most, _ in costs]),
                "layers evaluated": np.array([evaluated for _, evaluated in costs]),
            },
            "layers from checkpoint to checkpoint",
            "count, of 64 layers",
            marks={"here": every},
            title="checkpoints: memory against work",
        ),
    }  # fmt: skip
    facts = {
        "values visited": steps,
        "paths": 2.0**levels,
        "activations held": costs[every - 1][0],
        "layers evaluated": costs[every - 1][1],
    }
    return Frame(steps, len(ordered(out)), views, facts)


@lab(
    covers=["computational-graph"],
    seconds=1,
    quick={"done": 20.0},
    tries={
        "Forward from x": {"mode": "forward from x"},
        "A network's loss: 50 inputs, 1 output": {"inputs": 50, "outputs": 1},
        "Fewest activations": {"every": 8},
    },
    question=Question(
        "A function has 50 inputs and 1 output. How many sweeps give its gradient?",
        ("Forward 50, reverse 1", "Forward 1, reverse 50", "Both 50"),
        0,
        "Forward mode answers 'what does this input change?', reverse mode 'what changes this "
        "output?'. A loss is one output.",
    ),
    needs=["backpropagation"],
)
def run(
    done: Annotated[
        float, Slider(0, 100, unit="%", help="More of the sweep done", live=True)
    ] = 100.0,
    mode: Annotated[str, Choice(MODES, help="Which way the sweep goes", live=True)] = MODES[0],
    at: Annotated[list[float], Numbers(2, -2, 2, ("x", "y"), across=2, live=True)] = START,
    inputs: Annotated[int, Slider(1, 50, help="More inputs", live=True)] = 50,
    outputs: Annotated[int, Slider(1, 50, help="More outputs", live=True)] = 1,
    levels: Annotated[int, Slider(1, 40, help="More levels of doubling", live=True)] = 30,
    every: Annotated[int, Slider(1, LAYERS, help="Fewer checkpoints", live=True)] = 8,
) -> Frames:
    """Play the sweep up to `done`, then answer to every change."""
    now = {
        "mode": mode, "at": at, "inputs": inputs,
        "outputs": outputs, "levels": levels, "every": every,
    }  # fmt: skip
    for percent in range(0, int(done), 14):
        yield partial(picture, float(percent), **now)  # type: ignore[arg-type]
    yield from interactive(picture, done=done, **now)  # type: ignore[arg-type]


def check() -> Iterator[Claim]:
    """Both modes agree, paths are counted exactly, and checkpoints change nothing."""
    numbers = np.random.default_rng(0).normal(size=50)
    xs = [Value(float(x)) for x in numbers]
    out = xs[0].squared()
    for x, following in pairwise(xs):
        out = out + (x * following).sin() * following.exp()
    sweeps = [forward(out, x)[id(out)] for x in xs]
    backward(out)
    reverse = np.array([x.gradient for x in xs])

    at = torch.tensor(numbers, requires_grad=True)
    y = at[0] ** 2 + (torch.sin(at[:-1] * at[1:]) * at[1:].exp()).sum()
    (truth,) = torch.autograd.grad(y, at)
    yield same("50 inputs: forward sweeps, against 1 reverse sweep", len(sweeps), 50)
    gap = float(np.abs(np.array(sweeps) - reverse).max())
    yield below("Largest difference of the two modes", gap, 1e-12)
    yield below(
        "Largest difference of reverse mode to torch",
        float(np.abs(reverse - truth.numpy()).max()),
        1e-12,
    )
    x = Value(1.0)
    backward(doubled(x, 30))
    yield same("30 levels of doubling: gradient by reverse mode", x.gradient, 2.0**30)
    w, a = np.random.default_rng(1).normal(1.05, 0.1, (LAYERS, 8)), np.full(8, 0.1)
    (plain, all_kept, once), (spare, few, again) = checkpointed(w, a, 1), checkpointed(w, a, 8)
    weights = torch.tensor(w, requires_grad=True)
    h = torch.tensor(a)
    for weight in weights:
        h = torch.tanh(weight * h)
    (truth_w,) = torch.autograd.grad(h.sum(), weights)
    for name, other in (("ones without checkpoints", plain), ("torch's", truth_w.numpy())):
        gap = float(np.abs(spare - other).max() / np.abs(other).max())
        yield below(f"Checkpointed gradients against {name}, relative", gap, 1e-12)
    yield below(f"Activations held: {few} of {all_kept}, at work", again / once, 2)
