"""Three ways to be wrong by a number.

A loss says how bad a prediction `p` of the target `t` is, and so what the fit cares about.
Squared error `(p − t)²` punishes one large miss more than many small ones; absolute error
`|p − t|` counts every unit alike; Huber's loss is squared up to `δ` and straight beyond.
All three fits are the same weighted least squares: a point's weight is the loss's slope divided
by its residual, so a far point pulls with full weight, `1/|r|`, or `min(1, δ/|r|)`.

**Try:** click far below the line: the outlier goes there, and only one of the fits follows it.

Source: Huber (1964), Robust estimation of a location parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated

import numpy as np

from demos.kit import (
    Claim,
    Frames,
    Place,
    Question,
    Slider,
    below,
    interactive,
    lab,
    near,
)
from engine.views import Array, Curve, Frame, Points, Table, View

EXTENT = (-3.5, 3.5, -32.0, 12.0)
SLOPE, POINTS = 2.0, 60
FAR = [2.6, -28.0]

Weight = Callable[[Array], Array]


def weights(delta: float) -> dict[str, Weight]:
    """Loss -> the weight of a point with residual r, `(n,)` to `(n,)`: its slope over r."""
    return {
        "squared (MSE)": np.ones_like,
        "absolute (MAE)": lambda r: 1 / np.maximum(np.abs(r), 1e-6),
        "Huber": lambda r: np.minimum(1, delta / np.maximum(np.abs(r), 1e-9)),
    }


def losses(r: Array, delta: float) -> dict[str, Array]:
    """Loss -> its height at residuals r, `(n,)`."""
    size = np.abs(r)
    return {
        "squared (MSE)": r**2,
        "absolute (MAE)": size,
        "Huber": np.where(size <= delta, 0.5 * r**2, delta * (size - 0.5 * delta)),
    }


def fit(x: Array, t: Array, weight: Weight) -> Array:
    """Slope and intercept that minimise the loss: weighted least squares until weights rest."""
    design = np.stack([x, np.ones_like(x)], axis=1)  # (n, 2)
    line = np.zeros(2)
    for _ in range(100):
        w = weight(design @ line - t)
        before, line = line, np.linalg.solve((design.T * w) @ design, design.T @ (w * t))
        if np.abs(line - before).max() < 1e-8:
            break
    return line


def data(seed: int, corrupted: float) -> tuple[Array, Array]:
    """Synthetic points on `t = 2 x` with noise 0.5; the rightmost share is set to about −25."""
    generator = np.random.default_rng(seed)
    x = np.linspace(-3, 3, POINTS)
    t = SLOPE * x + 0.5 * generator.standard_normal(POINTS)
    bad = round(corrupted * POINTS)
    t[POINTS - bad :] = -25 + generator.standard_normal(bad)
    return x, t


def picture(outlier: list[float], corrupted: float, delta: float) -> Frame:
    """The three fits with the outlier where it was put."""
    x, t = data(0, corrupted)
    x, t = np.append(x, outlier[0]), np.append(t, outlier[1])
    fits = {name: fit(x, t, weight) for name, weight in weights(delta).items()}
    ends = np.array(EXTENT[:2])
    constant = np.linspace(-30, 12, 169)
    costs = {name: np.array([losses(c - t, delta)[name].mean() for c in constant]) for name in fits}
    residual = np.linspace(-4, 4, 161)
    views: dict[str, View] = {
        "fit": Points(
            np.stack([x, t], axis=1),
            np.append(np.zeros(POINTS, np.int32), 1),
            ("points", "outlier"),
            {name: np.stack([ends, a * ends + b], axis=1) for name, (a, b) in fits.items()},
            EXTENT,
            "x",
            "target t",
            title="three fits of one line; click to move the outlier",
        ),
        "loss": Curve(residual, losses(residual, delta), "residual p − t", "loss", title="losses"),
        "constant": Curve(
            constant,
            {name: cost / cost.max() for name, cost in costs.items()},
            "one constant prediction for all points",
            "mean loss / its maximum",
            marks={"mean": t.mean(), "median": float(np.median(t))},
            title="where each loss is lowest",
        ),
        "chooser": Table(
            ("task", "loss that suits it"),
            (
                ("large misses cost far more: a bridge's load", "squared"),
                ("typing errors in the targets, the typical case matters", "absolute"),
                ("small noise and a few wild values: sensors", "Huber"),
                ("a class, not a number", "none of these: cross-entropy"),
            ),
            title="which loss for which task",
        ),
    }
    facts = {f"slope by {name}": line[0] for name, line in fits.items()}
    return Frame(1, 1, views, facts)


@lab(
    covers=["regression-losses"],
    seconds=4,
    tries={
        "One outlier, far away": {"outlier": [3.0, -31.0]},
        "A tenth is corrupted": {"corrupted": 0.1},
        "Huber as absolute error": {"corrupted": 0.1, "delta": 0.05},
    },
    question=Question(
        "Delivery times have a few typing errors of a thousand hours. "
        "Which loss predicts the typical delivery?",
        ("Squared error", "Absolute error", "Cross-entropy"),
        1,
        "The constant with the least squared error is the mean, which the errors drag away; the "
        "one with the least absolute error is the median, which they hardly move.",
    ),
    needs=["gradients-hessian", "statistical-inference"],
)
def run(
    outlier: Annotated[list[float], Place(EXTENT, "fit", help="Where the outlier lies")] = FAR,
    corrupted: Annotated[
        float, Slider(0.0, 0.3, help="A larger share of wrong targets", live=True)
    ] = 0.0,
    delta: Annotated[
        float, Slider(0.05, 5.0, log=True, help="Huber stays squared for longer", live=True)
    ] = 1.0,
) -> Frames:
    """Fit a line by three losses, again at every change."""
    yield from interactive(picture, outlier=outlier, corrupted=corrupted, delta=delta)


def check() -> Iterator[Claim]:
    """Squared error finds the mean, absolute error the median; bad targets part them."""
    t = np.random.default_rng(0).exponential(2.0, 501)
    grid = np.arange(0, 6, 0.005)
    best = {
        name: grid[np.argmin([losses(c - t, 1.0)[name].mean() for c in grid])]
        for name in weights(1.0)
    }
    yield near(
        "Constant of least squared error against the mean", best["squared (MSE)"], t.mean(), 0.01
    )
    yield near(
        "Constant of least absolute error against the median",
        best["absolute (MAE)"],
        float(np.median(t)),
        0.01,
    )
    found = {
        name: np.array([fit(*data(seed, 0.1), weight)[0] for seed in range(5)])
        for name, weight in weights(1.0).items()
    }
    yield below(
        "True slope 2, a tenth corrupted: largest slope by squared error, 5 seeds",
        found["squared (MSE)"].max(),
        -1e-9,
    )
    for name, limit in (("absolute (MAE)", 0.3), ("Huber", 0.5)):
        gap = np.abs(found[name] - SLOPE).max()
        yield below(f"Largest distance from slope 2 by {name}, 5 seeds", gap, limit)
