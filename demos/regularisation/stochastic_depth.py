"""A ladder that loses rungs while it learns.

In a residual network each block only adds to what passes by, `x ← x + f(x)`, so it can be left out.
Stochastic depth leaves out block `l` of `L` with a chance that grows with depth: it survives with
`p_l = 1 − (l/L)(1 − p_L)`. Every step trains another, shallower network; for testing all blocks
stay, weighted by `p_l`. With `p_L = ½` the mean number of blocks is `(3L − 1)/4`, and a quarter of
the work is saved. How many survive varies little: a sum of many independent coins.

**Try:** lower the survival of the last block: how short does the ladder get?

Source: Huang et al. (2016), Deep networks with stochastic depth.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any

import numpy as np

from demos.kit import Claim, Frames, Question, Slider, below, interactive, lab, near
from engine.views import Array, Curve, Edge, Frame, Graph, Histogram, Matrix, Node, View

STEPS, ACROSS, WINDOW = 300, 18, 40


def survival(blocks: int, last: float) -> Array:
    """The chance `p_l` of each block, `(blocks,)`: linear decay down to `last`."""
    return np.asarray(1 - np.arange(1, blocks + 1) / blocks * (1 - last))


def ladders(chances: Array, steps: int, seed: int) -> Array:
    """Which blocks are there in each step, `(steps, blocks)` of 0 and 1."""
    random = np.random.default_rng(seed)
    return np.asarray(random.random((steps, len(chances))) < chances, dtype=int)


def depths(chances: Array) -> Array:
    """The chance of 0, 1, … L surviving blocks, `(L + 1,)`: one coin convolved with the next."""
    law = np.ones(1)
    for p in chances:
        law = np.convolve(law, [1 - p, p])
    return law


@lab(
    covers=["stochastic-depth"],
    seconds=1,
    quick={"blocks": 12},
    tries={
        "The paper's ResNet-110": {"blocks": 54, "last": 0.5},
        "Hardly any at the end": {"blocks": 54, "last": 0.05},
        "A short ladder": {"blocks": 9, "last": 0.5},
    },
    question=Question(
        "54 blocks, the last one survives half of the time. How many are there on average?",
        ("27", "About 40", "About 50"),
        1,
        "The chance falls linearly from nearly 1 to ½: on average about ¾ of 54, exactly 40.25.",
    ),
    needs=["dropout"],
)
def run(
    last: Annotated[float, Slider(0.05, 1.0, help="Deeper blocks survive more", live=True)] = 0.5,
    blocks: Annotated[int, Slider(2, 90, help="A longer ladder", live=True)] = 54,
    step: Annotated[int, Slider(1, STEPS, help="Another step of training", live=True)] = STEPS,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Draw a ladder for each training step; count its rungs."""
    live: dict[str, Any] = {"last": last, "blocks": blocks, "step": step}
    changes = None
    for now in range(1, step, 3):
        changes = yield _picture(last, blocks, now, seed)
        if changes:
            break
    yield from interactive(lambda **k: _picture(seed=seed, **k), **live | dict(changes or {}))


def _picture(last: float, blocks: int, step: int, seed: int) -> Frame:
    chances = survival(blocks, last)
    drawn = ladders(chances, STEPS, seed)[:step]
    counts = np.bincount(drawn.sum(1), minlength=blocks + 1) / step
    law, number = depths(chances), np.arange(blocks + 1)
    seen = np.flatnonzero((law > 1e-4) | (counts > 0))
    low, high = int(seen[0]), int(seen[-1])
    edges = np.arange(low, high + 2) - 0.5
    # The law is drawn as a curve over the edges: halfway between its neighbours.
    curve = np.interp(edges, number, law)
    views: dict[str, View] = {
        "ladder": _ladder(drawn[-1], chances, step),
        "depth": Histogram(
            edges, {"steps so far": counts[low : high + 1]}, {"exact": curve},
            "blocks that survive", "share of steps", title="how deep the network was",
        ),
        "rungs": Matrix(
            drawn[-WINDOW:].T, xlabel=f"last {min(step, WINDOW)} steps", ylabel="block",
            scale="grey", title="white: the block was there",
        ),
        "chance": Curve(
            np.arange(1.0, blocks + 1), {"p_l": chances, "measured": drawn.mean(0)}, "block l",
            "chance to survive", title="linear decay",
        ),
    }  # fmt: skip
    facts = {
        "blocks in this step": float(drawn[-1].sum()),
        "mean so far [blocks]": float(drawn.sum(1).mean()),
        "expected [blocks]": float(chances.sum()),
        "block compute saved [%]": 100 * float(1 - chances.mean()),
    }
    return Frame(min(step, STEPS), STEPS, views, facts)


def _ladder(there: Array, chances: Array, step: int) -> Graph:
    """The blocks in rows of 18, read like a text; a missing one is stepped over."""
    rows = -(-len(there) // ACROSS)
    nodes = []
    for i, alive in enumerate(there):
        row, column = divmod(i, ACROSS)
        place = column / (ACROSS - 1), 1 - (row + 0.5) / rows
        value = float(chances[i]) if alive else float("nan")
        kind = "there" if alive else "left out"
        nodes.append(Node(f"{i + 1}", f"{i + 1}" if alive else "–", *place, value, kind))
    steps = [i for i, alive in enumerate(there) if alive]
    wires = [
        Edge(f"{a + 1}", f"{b + 1}", 1.0) for a, b in pairwise(steps) if a // ACROSS == b // ACROSS
    ]
    return Graph(tuple(nodes), tuple(wires), f"step {step}: {len(steps)} of {len(there)} blocks")


def check() -> Iterator[Claim]:
    """The mean depth is (3L − 1)/4, a quarter of the work is saved, the law is exact."""
    chances = survival(54, 0.5)
    drawn = ladders(chances, 20_000, 0).sum(1)
    yield near("54 blocks: expected number that survives, (3L − 1)/4", chances.sum(), 40.25, 1e-10)
    yield near("Mean over 20,000 drawn ladders", drawn.mean(), 40.25, 0.1)
    yield near("Block compute saved [%]", 100 * (1 - chances.mean()), 25.5, 0.05)
    law = depths(chances)
    yield near("Mean of the exact law of depths", float(law @ np.arange(55)), 40.25, 1e-10)
    gap = np.abs(np.bincount(drawn, minlength=55) / 20_000 - law).max()
    yield below("Drawn depths against the exact law, largest gap", gap, 0.01)
