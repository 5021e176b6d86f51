"""Hinge loss: good enough is good enough.

A linear classifier says `f(x) = w·x + b`; with targets `t = ±1` the product `t f` is the margin by
which a point is right. Hinge loss `max(0, 1 − t f)` asks for a margin of 1 and then is silent, so
most points have no gradient at all; the few that have carry the line and are called support
vectors. The support-vector machine minimises `½‖w‖² + C Σ max(0, 1 − t f)`: a wide band against
few trespassers, weighed by `C`.

**Try:** while it trains, click a place far inside the band: the moved point starts to pull.

Source: Cortes & Vapnik (1995), Support-vector networks.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Annotated

import numpy as np

from demos.kit import Claim, Frames, Place, Question, Slider, below, lab, same, ticks
from engine.views import Array, Curve, Frame, Histogram, Points, View

EXTENT = (-9.0, 6.0, -5.0, 8.0)
HOME = [-2.19342599, -0.23087409]  # where the movable point, the last one, belongs
CLASSES = ("class −1", "class +1", "class −1, support", "class +1, support")


def margins(w: Array, b: float, x: Array, t: Array) -> Array:
    """How far each point is on its own side, `t (w·x + b)`, `(n,)`."""
    return np.asarray(t * (x @ w + b))


def objective(w: Array, b: float, x: Array, t: Array, c: float) -> float:
    """`½‖w‖² + C Σ max(0, 1 − t f)`."""
    return float(0.5 * w @ w + c * np.maximum(0, 1 - margins(w, b, x, t)).sum())


def descend(w: Array, b: float, x: Array, t: Array, c: float, rate: float) -> tuple[Array, float]:
    """One subgradient step; only points with a margin below 1 take part."""
    share = 1 / (c * len(t))  # of the objective divided by C n, so that rates suit every C
    pull = t * (margins(w, b, x, t) < 1) / len(t)
    return w - rate * (share * w - pull @ x), b + rate * pull.sum()


def train(x: Array, t: Array, c: float) -> Iterator[tuple[Array, float]]:
    """Subgradient descent with falling rate, for ever; yields a mean over the later steps."""
    w, b, mean_w, mean_b = np.zeros(2), 0.0, np.zeros(2), 0.0
    for step in itertools.count(1):
        w, b = descend(w, b, x, t, c, rate=1 / (1 + step / (c * len(t))))
        weight = min(1.0, 3 / (step + 2))  # later steps count more
        mean_w, mean_b = mean_w + weight * (w - mean_w), mean_b + weight * (b - mean_b)
        yield mean_w, mean_b


@functools.cache
def blobs() -> tuple[Array, Array]:
    """Two clouds of 100 points that overlap a little, `(200, 2)` and targets ±1, `(200,)`."""
    from sklearn.datasets import make_blobs

    x, y = make_blobs(200, centers=2, cluster_std=1.4, random_state=3)[:2]
    return np.asarray(x), 2.0 * np.asarray(y) - 1


def exact(x: Array, t: Array, c: float) -> tuple[Array, float, int]:
    """Weights, bias and number of support vectors by a quadratic-programming solver."""
    from sklearn.svm import SVC

    machine = SVC(kernel="linear", C=c, tol=1e-6).fit(x, t)
    return machine.coef_[0], float(machine.intercept_[0]), len(machine.support_)


def picture(
    x: Array, t: Array, w: Array, b: float, costs: list[float], best: float, steps: int
) -> Frame:
    """The band, the margins of all points, and the objective so far."""
    m = margins(w, b, x, t)
    support = m < 1.01
    across = np.array(EXTENT[:2])
    slope = w[1] if abs(w[1]) > 1e-6 else 1e-6
    lines = {
        name: np.stack([across, (level - b - w[0] * across) / slope], axis=1)
        for name, level in (("f = 0", 0), ("f = 1", 1), ("f = −1", -1))
    }
    edges = np.linspace(-4, 12, 65)
    views: dict[str, View] = {
        "band": Points(
            x, ((t > 0) + 2 * support).astype(np.int32), CLASSES, lines, EXTENT,
            "x₁", "x₂", equal=True, title="the band; click to move one point",
        ),
        "margins": Histogram(
            edges,
            {"points": np.histogram(np.clip(m, -4, 12), edges)[0]},
            {"hinge loss × 5": 5 * np.maximum(0, 1 - edges)},
            "margin t f", "points", title="who still has a loss?",
        ),
        "objective": Curve(
            np.arange(1, len(costs) + 1),
            {"subgradient": np.array(costs), "exact solver": np.full(len(costs), best)},
            ylabel="½‖w‖² + C Σ hinge", log=True, title="training",
        ),
    }  # fmt: skip
    facts = {
        "points with a gradient": int(support.sum()),
        "points without": int((~support).sum()),
        "width of the band": 2 / max(float(np.linalg.norm(w)), 1e-9),
    }
    return Frame(len(costs), steps, views, facts)


@lab(
    covers=["hinge-loss"],
    seconds=3,
    quick={"steps": 200},
    tries={
        "A wide, tolerant band": {"c": 0.01},
        "Hardly any trespass": {"c": 100.0},
        "One point on the wrong side": {"moved": [1.0, 3.0]},
    },
    question=Question(
        "200 points, two clouds that overlap a little. How many take part in the gradient at the "
        "end of training?",
        ("All 200", "About a hundred", "About a dozen"),
        2,
        "Only points inside the band or on its edge: 12. The other 188 could move about, or be "
        "left out, and the line would stay.",
    ),
    needs=["regression-losses", "perceptron"],
)
def run(
    c: Annotated[
        float, Slider(0.01, 100.0, log=True, help="Trespassers cost more", live=True)
    ] = 1.0,
    moved: Annotated[list[float], Place(EXTENT, "band", help="Where one point lies")] = HOME,
    steps: Annotated[int, Slider(100, 20_000, log=True, help="A longer training")] = 4000,
) -> Frames:
    """Train by subgradient; `C` and the movable point may change on the way."""
    x, t = blobs()
    x, costs = np.vstack([x[:-1], moved]), list[float]()
    walk, best = train(x, t, c), exact(x, t, c)
    limit = objective(best[0], best[1], x, t, c)
    for _, show in ticks(steps, 100):
        w, b = next(walk)
        costs.append(objective(w, b, x, t, c))
        if not show:
            continue
        changes = yield picture(x, t, w, b, costs, limit, steps)
        if changes:
            c = float(changes.get("c", c))  # type: ignore[arg-type]
            x = np.vstack([x[:-1], changes.get("moved", x[-1])])
            walk, best = train(x, t, c), exact(x, t, c)
            limit = objective(best[0], best[1], x, t, c)


def check() -> Iterator[Claim]:
    """Subgradient descent finds the exact machine; most points are silent."""
    x, t = blobs()
    w_best, b_best, supports = exact(x, t, 1.0)
    w, b = next(itertools.islice(train(x, t, 1.0), 20_000, None))
    gap = float(np.linalg.norm(w - w_best) / np.linalg.norm(w_best))
    yield below("Weights: distance to the exact solver's, relative", gap, 0.01)
    yield below("Bias: distance to the exact solver's, relative", abs(b / b_best - 1), 0.01)
    m = margins(w, b, x, t)
    yield same("Support vectors of the exact solver", supports, 12)
    yield same("Points inside the band or on its edge", int((m < 1.001).sum()), 12)
    silent = m >= 1.001
    alone, _ = descend(w, b, x[silent], t[silent], 1.0, rate=1.0)
    pull = alone - w + w / silent.sum()  # without the part of ½‖w‖²
    yield same("Points beyond the margin", int(silent.sum()), 188)
    yield below("Their share of the gradient", np.abs(pull).max(), 1e-15)
