"""A residual network is many networks at once.

Multiply out `y = (1 + f₃)(1 + f₂)(1 + f₁) x` and `n` blocks become `2ⁿ` paths: each takes some
blocks and skips the others. Most paths are of middle length, so deleting a block leaves half of
them intact and changes little; a plain network without a layer computes something else. Short
paths carry the gradient too: over fifty layers, branches scaled by `1/√50`, it keeps its size.

**Try:** delete a block. How many paths are left, and how far does the answer move?

Source: Veit et al. (2016), Residual Networks Behave Like Ensembles of Relatively Shallow Networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import combinations
from math import comb
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from demos.kit import Claim, Frames, Question, Slider, below, between, interactive, lab, same
from engine.views import Bars, Curve, Edge, Frame, Graph, Node, View

WIDTH, LAYERS = 32, 50


def blocks(n: int, gain: float, seed: int, width: int = WIDTH) -> list[Tensor]:
    """`n` random matrices that multiply a vector's length by about `gain`, `(width, width)`."""
    random = torch.Generator().manual_seed(seed)
    scale = gain / width**0.5
    return [
        scale * torch.randn(width, width, generator=random, dtype=torch.float64) for _ in range(n)
    ]


def residual(x: Tensor, some: list[Tensor]) -> Tensor:
    """`x ← x + f x`, block after block."""
    for f in some:
        x = x + f @ x
    return x


def plain(x: Tensor, some: list[Tensor]) -> Tensor:
    """`x ← f x`, layer after layer."""
    for f in some:
        x = f @ x
    return x


def paths(n: int) -> list[tuple[int, ...]]:
    """Every choice of blocks to go through, short ones first: 2ⁿ of them."""
    return [path for length in range(n + 1) for path in combinations(range(n), length)]


def jacobians(gain: float, seed: int) -> tuple[list[float], list[float]]:
    """Size of ∂y/∂x after 0 … 50 layers, relative to the identity's: plain, residual."""
    forward, added = torch.eye(WIDTH, dtype=torch.float64), torch.eye(WIDTH, dtype=torch.float64)
    sizes: tuple[list[float], list[float]] = ([1.0], [1.0])
    for f in blocks(LAYERS, gain, seed):
        forward = f @ forward
        added = added + f @ added / LAYERS**0.5  # variances of fifty branches add up to gain²
        for found, matrix in zip(sizes, (forward, added), strict=True):
            found.append(float(matrix.norm() / WIDTH**0.5))
    return sizes


def unrolled(n: int, deleted: int) -> Graph:
    """Every path as a row from left to right; those through a deleted block are faint."""
    rows = paths(n)
    nodes, edges = [Node("x", "x", 0.0, 0.5), Node("y", "sum", 1.0, 0.5)], []
    for row, path in enumerate(rows):
        height = 1 - (row + 0.5) / len(rows)
        alive = deleted - 1 not in path
        before = "x"
        for block in path:
            id = f"p{row}f{block + 1}"
            words = f"f{block + 1}"
            nodes.append(Node(id, words, (block + 1) / (n + 1), height, float(block), kind=words))
            edges.append(Edge(before, id, 1.0 if alive else -0.1))
            before = id
        edges.append(Edge(before, "y", 1.0 if alive else -0.1))
    alive_paths = sum(deleted - 1 not in path for path in rows)
    return Graph(tuple(nodes), tuple(edges), f"{alive_paths} of {len(rows)} paths carry the answer")


@lab(
    covers=["residual-paths"],
    seconds=1,
    quick={"n": 2},
    tries={
        "Three blocks, all paths": {"n": 3, "deleted": 0},
        "Delete the second": {"n": 4, "deleted": 2},
        "Gain 1": {"gain": 1.0},
    },
    question=Question(
        "One of five residual blocks is deleted. How many of the 32 paths survive?",
        ("None", "16", "31"),
        1,
        "Every block is on exactly half of the paths.",
    ),
    needs=["resnet"],
)
def run(
    n: Annotated[
        int, Slider(1, 5, live=True, unit="blocks", help="More blocks, twice the paths")
    ] = 4,
    deleted: Annotated[int, Slider(0, 5, live=True, help="Which block is deleted; 0 for none")] = 0,
    gain: Annotated[float, Slider(0.1, 1.5, live=True, help="Stronger blocks")] = 0.5,
    seed: Annotated[int, Slider(0, 99, live=True)] = 0,
) -> Frames:
    """Unroll the network path by path, then delete what you like."""

    def picture(n: int, deleted: int, gain: float, seed: int) -> Frame:
        gone = min(deleted, n)
        some = blocks(10, gain, seed)
        x = torch.ones(WIDTH, dtype=torch.float64)
        changes: dict[str, list[float]] = {"residual": [], "plain": []}
        for place in range(10):
            left = some[:place] + some[place + 1 :]
            for name, through in (("residual", residual), ("plain", plain)):
                whole = through(x, some)
                changes[name].append(float((through(x, left) - whole).norm() / whole.norm()))
        heights = {name: np.array(values) for name, values in changes.items()}
        one, other = jacobians(gain, seed)
        sizes = {"plain": np.maximum(one, 1e-40), "residual": np.array(other)}
        lengths = np.array([float(comb(n, length)) for length in range(n + 1)])
        views: dict[str, View] = {
            "paths": unrolled(n, gone),
            "deleting": Bars(
                tuple(map(str, range(1, 11))),
                heights,
                "deleted of ten blocks",
                "relative change",
                log=True,
            ),
            "gradient": Curve(np.arange(LAYERS + 1), sizes, "layer", "size of ∂y/∂x", log=True),
            "lengths": Bars(
                tuple(map(str, range(n + 1))), {"paths": lengths}, "blocks on the path", "paths"
            ),
        }
        facts = {
            "paths": 2**n,
            "paths left": 2 ** (n - (gone > 0)),
            "residual: ∂y/∂x over 50 layers": other[-1],
            "plain: ∂y/∂x over 50 layers": one[-1],
        }
        return Frame(n, n, views, facts)

    shown: dict[str, Any] = {"n": n, "deleted": deleted, "gain": gain, "seed": seed}
    for grown in range(1, n):
        shown.update((yield partial(picture, **shown | {"n": grown})) or {})
    yield from interactive(picture, **shown)


def check() -> Iterator[Claim]:
    """The network is the sum of its paths; its gradient survives fifty layers."""
    some, x = blocks(3, 0.5, 0), torch.ones(WIDTH, dtype=torch.float64)
    taken = paths(3)
    yield same("Paths through three blocks", len(taken), 8)
    total = torch.stack([plain(x, [some[i] for i in path]) for path in taken]).sum(0)
    yield below(
        "Network − sum of its 8 paths", float((residual(x, some) - total).abs().max()), 1e-12
    )
    for seed in range(3):
        forward, added = jacobians(0.5, seed)
        yield below(f"Plain: ∂y/∂x over 50 layers of gain 0.5 (seed {seed})", forward[-1], 1e-12)
        yield between(f"Residual: the same (seed {seed})", added[-1], 0.5, 3.0)
