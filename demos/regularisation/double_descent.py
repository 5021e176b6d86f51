"""Overfitting, and the second descent.

A model with as many weights `p` as there are examples `n` can thread through every noisy point, and
pays for it in between: training error falls, test error explodes. Two cures. *Ridge* asks for small
weights, `min |Φw − y|² + λ|w|²`. And, oddly, *more* weights: beyond `p = n` many solutions fit
exactly, least squares takes the shortest, and the more it may choose from the calmer that one is.
What 50 data sets disagree about is the variance, what their average misses is the bias.

**Try:** watch the fan at p = n = 40, then switch to polynomials of degree 15 and turn up the ridge.

Source: Belkin et al. (2019), Reconciling modern machine-learning practice and the classical
bias-variance trade-off; Bishop (2006), Pattern Recognition and Machine Learning, section 3.2.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from demos.kit import Choice, Claim, Frames, Question, Slider, above, below, interactive, lab, same
from engine.views import Array, Bars, Curve, Frame, Points, View

DIMENSIONS = 5  # inputs of the random features
SIZES = {
    "polynomial": tuple(range(20)),
    "random features": (
        *(1, 2, 4, 7, 10, 14, 20, 26, 32, 36, 40, 44, 50),
        *(60, 75, 100, 150, 250, 400, 650, 1000),
    ),
}
MODELS = tuple(SIZES)
LINE = np.linspace(-1, 1, 121)


def truth(x: Array) -> Array:
    """The curve behind the synthetic data: inputs `(n, dimensions)` to `(n,)`."""
    if x.shape[1] == 1:
        return np.asarray(np.sin(np.pi * x[:, 0]))
    return np.asarray(x.sum(1) / np.sqrt(DIMENSIONS) + x[:, 0] * x[:, 1] / 2)


def features(x: Array, model: str, size: int, random: np.random.Generator) -> Array:
    """Powers 1, x, … x^size, or `size` ReLUs of random directions: `(n, p)`."""
    if model == "polynomial":
        return np.asarray(x ** np.arange(size + 1))
    directions = random.standard_normal((DIMENSIONS, size))
    shifts = random.uniform(-1, 1, size) * np.linalg.norm(directions, axis=0)
    return np.asarray(np.maximum(x @ directions + shifts, 0))


def fit(phi: Array, y: Array, ridge: float) -> Array:
    """Weights `(p,)` of least squares with penalty `λ|w|²`; the shortest ones where many fit."""
    left, s, right = np.linalg.svd(phi, full_matrices=False)
    scale = np.where(s > 1e-11 * s[0], s / np.maximum(s**2 + ridge, 1e-300), 0.0)
    return np.asarray(right.T @ (scale * (left.T @ y)))


@dataclass(frozen=True)
class Refits:
    """One model fitted to many data sets: errors `(sets,)` and curves `(sets, 121)`."""

    train: Array
    test: Array
    curves: Array
    true: Array


@functools.lru_cache(maxsize=256)
def refits(model: str, size: int, n: int, noise: float, ridge: float, sets: int = 20) -> Refits:
    """Fit `sets` draws of `n` points; test each on 300 new points without noise."""
    wide = 1 if model == "polynomial" else DIMENSIONS
    line = np.zeros((len(LINE), wide))  # the first input varies, the others stay 0
    line[:, 0] = LINE
    train, test, curves = [], [], []
    for seed in range(sets):
        random = np.random.default_rng(seed)
        x, new = random.uniform(-1, 1, (n, wide)), random.uniform(-1, 1, (300, wide))
        y = truth(x) + noise * random.standard_normal(n)
        phi = features(np.concatenate([x, new, line]), model, size, random)
        guess = phi @ fit(phi[:n], y, ridge)
        train.append(((guess[:n] - y) ** 2).mean())
        test.append(((guess[n:-121] - truth(new)) ** 2).mean())
        curves.append(guess[-121:])
    return Refits(np.array(train), np.array(test), np.array(curves), truth(line))


@lab(
    covers=["overfitting-capacity"],
    seconds=8,
    quick={"model": "polynomial"},
    tries={
        "Degree 15 through 20 points": {"model": "polynomial", "degree": 15, "points": 20},
        "… cured by ridge": {"model": "polynomial", "degree": 15, "points": 20, "ridge": 0.01},
        "Random features, no noise": {"model": "random features", "noise": 0.0},
    },
    question=Question(
        "40 examples. Which model has the largest error on new ones: 20, 40 or 1,000 weights?",
        ("20: too simple", "40: as many as examples", "1,000: far too many"),
        1,
        "With 40 there is exactly one way through all points, however wild. With 1,000 there are "
        "many, and the shortest is calm.",
    ),
)
def run(
    model: Annotated[str, Choice(MODELS, help="What is fitted", live=True)] = "random features",
    degree: Annotated[int, Slider(0, 19, help="Polynomial: more bends", live=True)] = 15,
    weights: Annotated[
        int, Slider(1, 1000, log=True, help="Random features: more of them", live=True)
    ] = 40,
    points: Annotated[int, Slider(5, 60, help="More examples", live=True)] = 40,
    noise: Annotated[float, Slider(0.0, 1.0, help="Noisier examples", live=True)] = 0.2,
    ridge: Annotated[float, Slider(0.0, 0.2, help="Smaller weights", live=True)] = 0.0,
) -> Frames:
    """Grow the model size by size; then let every control be turned."""
    controls: dict[str, Any] = {"model": model, "degree": degree, "weights": weights}
    controls |= {"points": points, "noise": noise, "ridge": ridge}
    changes = None
    for upto, size in enumerate(SIZES[model], 1):
        changes = yield _picture(**controls | {"degree": size, "weights": size, "upto": upto})
        if changes:
            break
    yield from interactive(_picture, **controls | dict(changes or {}))


def _picture(
    model: str, degree: int, weights: int, points: int, noise: float, ridge: float, upto: int = 99
) -> Frame:
    powers, sizes = model == "polynomial", np.array(SIZES[model][:upto], dtype=float)
    sweep = [refits(model, size, points, noise, ridge) for size in SIZES[model][:upto]]
    now = refits(model, degree if powers else weights, points, noise, ridge, 50)
    test, train = (
        np.array([np.median(error) for error in errors])
        for errors in ([one.test for one in sweep], [one.train for one in sweep])
    )
    gap = np.full((50, 1), np.nan)  # lifts the pen between two refits
    x = np.concatenate([np.tile(LINE, (50, 1)), gap], 1).ravel()
    y, mean = np.concatenate([now.curves, gap], 1).ravel(), now.curves.mean(0)
    fan = {"50 refits": np.stack([x, np.clip(y, -9, 9)], 1)}
    fan["their mean"] = np.stack([LINE, np.clip(mean, -9, 9)], 1)
    fan["truth"] = np.stack([LINE, now.true], 1)
    title = f"degree {degree}" if powers else f"{weights} random features"
    title += f", fitted to 50 draws of {points} points"
    errors = {"test error": np.clip(test, 1e-5, 1e6)}
    errors["training error"] = np.where(train > 1e-5, train, np.nan)  # a perfect fit leaves a gap
    marks = {"p = n": float(points), "shown": float(degree + 1 if powers else weights)}
    parts = np.array([((mean - now.true) ** 2).mean(), now.curves.var(0).mean()])
    wide = (-1.0, 1.0, -2.5, 2.5)
    views: dict[str, View] = {
        "fan": Points(
            np.zeros((0, 2)), lines=fan, extent=wide, xlabel="input x", ylabel="y", title=title
        ),
        "descent": Curve(
            sizes + powers, errors, "weights p", "squared error", True, not powers, marks, True,
            "error against size (median of 20 draws)",
        ),
        "parts": Bars(
            ("bias²", "variance"), {"part": np.clip(parts, 1e-5, 1e6)}, ylabel="squared error",
            log=True, title="what the test error is made of",
        ),
    }  # fmt: skip
    facts = {"training error (median)": float(np.median(now.train))}
    facts |= {
        "test error (median)": float(min(np.median(now.test), 1e9)),
        "weights p": marks["shown"],
    }
    return Frame(len(sizes), len(SIZES[model]), views, facts)


def check() -> Iterator[Claim]:
    """Polynomials overfit and ridge cures them; random features peak at p = n and descend again."""
    three, fifteen, cured = (
        refits("polynomial", degree, 20, 0.2, ridge, 200)
        for degree, ridge in ((3, 0.0), (15, 0.0), (15, 0.01))
    )
    test = [float(np.median(one.test)) for one in (fifteen, three, cured)]
    yield below("Degree 15, 20 points: training error (0.04 · 4/20)", fifteen.train.mean(), 0.012)
    yield above("Degree 3: training error (expected 0.04 · 16/20)", three.train.mean(), 0.028)
    yield above("Median test error of degree 15 over that of degree 3", test[0] / test[1], 100)
    yield below("Degree 15 with ridge 0.01: median test error", test[2], 0.3)
    sizes = SIZES["random features"]
    error = {p: float(np.median(refits("random features", p, 40, 0.2, 0.0).test)) for p in sizes}
    yield above("40 points: test error at p = 40 over that at p = 20", error[40] / error[20], 5)
    yield same("Size p at which the test error peaks", max(error, key=lambda p: error[p]), 40)
    yield below("Test error at p = 1,000 over that at p = 20", error[1000] / error[20], 1.0)
