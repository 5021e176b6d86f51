"""DropConnect: cut wires, not units.

Dropout silences an input for every output at once; DropConnect cuts each connection on its own,
`y = (M ∘ W) x` with `M` of independent ones (probability `p`) and zeros. Over all masks the mean is
the same, `p W x`. The spread is not: cut wires give outputs with variance `p(1 − p) Σ (W x)²` that
know nothing of each other, a silenced unit moves all its outputs together. Here both fit on one
screen, 4 inputs and 3 outputs: 2¹² masks of wires, 2⁴ of units.

**Try:** make one input large, and see which of the two clouds becomes a line.

Source: Wan et al. (2013), Regularization of neural networks using DropConnect.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np

from demos.kit import Claim, Frames, Numbers, Question, Slider, above, below, interactive, lab
from engine.views import Array, Edge, Frame, Graph, Matrix, Node, Points, View, layered

INPUTS, OUTPUTS, DRAWS = ("x1", "x2", "x3", "x4"), ("y1", "y2", "y3"), 400
W = np.array([[0.9, -0.6, 0.8, 0.4], [0.7, 0.8, -0.5, 0.9], [-0.8, 0.5, 0.9, -0.7]])
X = [1.0, 0.8, -0.6, 1.2]
KINDS = ("cut wires (DropConnect)", "silenced inputs (dropout)")


def all_masks(count: int) -> Array:
    """Every mask of `count` zeros and ones, `(2^count, count)`."""
    return np.asarray((np.arange(2**count)[:, None] >> np.arange(count)) & 1)


def outputs(masks: Array, w: Array, x: Array) -> Array:
    """`(M ∘ W) x` for each mask: of wires `(n, 12)` or of inputs `(n, 4)`, to `(n, 3)`."""
    wires = masks.reshape(len(masks), -1, w.shape[1])  # (n, 3, 4), or (n, 1, 4): the same for all
    return np.asarray((wires * w) @ x)


def mean_and_covariance(masks: Array, w: Array, x: Array, keep: float) -> tuple[Array, Array]:
    """Exactly, over all masks weighted by their chance: `(3,)` and `(3, 3)`."""
    chance = np.prod(np.where(masks == 1, keep, 1 - keep), axis=1)
    y = outputs(masks, w, x)
    mean = chance @ y
    return mean, (y - mean).T @ (chance[:, None] * (y - mean))


@lab(
    covers=["dropconnect"],
    seconds=1,
    quick={},
    tries={
        "One large input": {"x": [2.0, 0.2, 0.2, 0.2]},
        "Keep nearly all": {"keep": 0.9},
        "Keep a few": {"keep": 0.2},
    },
    question=Question(
        "Which way of dropping makes two outputs move together?",
        ("Cutting single wires", "Silencing inputs", "Both alike"),
        1,
        "A silenced input is missing in every output at once; wires are cut independently.",
    ),
    needs=["dropout"],
)
def run(
    keep: Annotated[float, Slider(0.05, 0.95, help="More survives (p)", live=True)] = 0.5,
    x: Annotated[list[float], Numbers(4, -2.0, 2.0, names=INPUTS, help="The input", live=True)] = X,
    mask: Annotated[int, Slider(0, DRAWS - 1, help="Another mask", live=True)] = DRAWS - 1,
) -> Frames:
    """Draw mask after mask; each leaves a point in its cloud."""
    changes = None
    for now in range(7, mask, 8):
        changes = yield _picture(keep, x, now)
        if changes:
            break
    start: dict[str, Any] = {"keep": keep, "x": x, "mask": mask}
    yield from interactive(_picture, **start | dict(changes or {}))


def _picture(keep: float, x: list[float], mask: int) -> Frame:
    random, at = np.random.default_rng(0), np.array(x)
    wires = (random.random((DRAWS, 12)) < keep).astype(int)
    units = (random.random((DRAWS, 4)) < keep).astype(int)
    clouds = [outputs(masks[: mask + 1], W, at) for masks in (wires, units)]
    exact = [mean_and_covariance(all_masks(count), W, at, keep) for count in (12, 4)]
    labels = np.repeat([0, 1], mask + 1)
    y1, y2 = exact[0][0][:2]
    cross = {"mean p W x": np.array([[y1 - 0.15, y2], [y1 + 0.15, y2]])}
    reach = float(np.abs(W[:2] * at).sum(1).max()) + 0.3
    views: dict[str, View] = {
        "wires": _diagram(wires[mask].reshape(3, 4) * W, at, np.ones(4), KINDS[0]),
        "clouds": Points(
            np.concatenate(clouds)[:, :2], labels, KINDS, cross, (-reach, reach, -reach, reach),
            "output y1", "output y2", True, "two of the outputs, a point a mask",
        ),
        "units": _diagram(units[mask] * W, at, units[mask], KINDS[1]),
        "covariance": Matrix(
            np.concatenate([exact[0][1], exact[1][1]], 1).round(12),
            OUTPUTS, tuple(f"{y} {how}" for how in ("wires", "inputs") for y in OUTPUTS),
            scale="signed", numbers=True, title="exact covariance: wires cut | inputs silenced",
        ),
    }  # fmt: skip
    facts = {
        "mean of y1": float(exact[0][0][0]),
        "covariance y1, y2: wires": float(exact[0][1][0, 1].round(12)),
        "covariance y1, y2: inputs": float(exact[1][1][0, 1]),
    }
    return Frame(mask, DRAWS - 1, views, facts)


def _diagram(w: Array, x: Array, kept: Array, title: str) -> Graph:
    at, y = layered([INPUTS, OUTPUTS]), w @ x
    nodes = [
        Node(name, name if alive else f"{name} ×", *at[name], float(value * alive))
        for name, value, alive in zip(INPUTS, x, kept, strict=True)
    ]
    nodes += [Node(name, name, *at[name], float(y[i])) for i, name in enumerate(OUTPUTS)]
    edges = [
        Edge(INPUTS[j], OUTPUTS[i], float(w[i, j])) for i in range(3) for j in range(4) if w[i, j]
    ]
    return Graph(tuple(nodes), tuple(edges), f"{title}: what is left")


def check() -> Iterator[Claim]:
    """Means, variances and covariances over every mask there is, for 20 random layers."""
    random = np.random.default_rng(0)
    gaps, together = np.zeros((20, 4)), []
    for trial in range(20):
        w, x, p = (
            random.standard_normal((3, 4)),
            random.standard_normal(4),
            random.uniform(0.2, 0.8),
        )
        mean, cov = mean_and_covariance(all_masks(12), w, x, p)
        unit_mean, unit_cov = mean_and_covariance(all_masks(4), w, x, p)
        variance = p * (1 - p) * ((w * x) ** 2).sum(1)
        off = cov - np.diag(np.diag(cov))
        gaps[trial] = [
            np.abs(mean - p * w @ x).max(),
            np.abs(np.diag(cov) - variance).max(),
            np.abs(unit_mean - mean).max(),
            np.abs(off).max(),
        ]
        together.append(np.abs(unit_cov - np.diag(np.diag(unit_cov))).max())
    worst = gaps.max(0)
    yield below("DropConnect, mean over all 2¹² masks against p W x, gap", worst[0], 1e-12)
    yield below("Its variance against p(1 − p) Σ (W x)², gap", worst[1], 1e-12)
    yield below("Dropout, mean over all 2⁴ masks against DropConnect's, gap", worst[2], 1e-12)
    yield below("DropConnect: largest covariance between outputs", worst[3], 1e-12)
    yield above(
        "Dropout: largest covariance, median of the layers", float(np.median(together)), 0.1
    )
    _, cov = mean_and_covariance(all_masks(4), W, np.array(X), 0.5)
    largest = float(np.abs(cov[np.triu_indices(3, 1)]).max())
    yield above("Dropout, the layer shown: |covariance| of two outputs", largest, 0.1)
