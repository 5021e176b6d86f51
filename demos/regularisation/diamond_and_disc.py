"""The diamond and the disc: L1 and L2.

Regularisation adds the size of the weights to the loss: L1 `λ Σ|w|` or L2 `λ/2 Σ w²`. Where the
bowl of the loss first touches the diamond of equal `Σ|w|`, it mostly meets a corner, and there a
weight is exactly zero; the disc of equal `Σ w²` has no corners. With orthonormal features both are
solved by a formula: L1 takes `λ` off every weight (*soft-thresholding*), `sign(w) max(|w| − λ, 0)`,
L2 divides every weight by `1 + λ`.

**Try:** click near an axis to put the bottom of the bowl there, then turn λ and count the zeros.

Source: Tibshirani (1996), Regression shrinkage and selection via the lasso; Hoerl & Kennard
(1970), Ridge regression.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np

from demos.kit import Claim, Frames, Place, Question, Slider, below, interactive, lab, same
from engine.views import Array, Bars, Curve, Field, Frame, View

EXTENT = (-3.0, 3.0, -3.0, 3.0)
GRID = np.stack(np.meshgrid(np.linspace(-3, 3, 61), np.linspace(-3, 3, 61)), -1)  # (61, 61, 2)
TRUE = np.array([3.0, -2.0, 1.5] + 9 * [0.0])  # the weights behind the synthetic data
LAMBDAS = np.linspace(0, 4, 41)
TURN = np.linspace(0, 2 * np.pi, 81)


def soft_threshold(w: Array, amount: float) -> Array:
    """Move every weight towards zero by `amount`, and stop there; any shape."""
    return np.asarray(np.sign(w) * np.maximum(np.abs(w) - amount, 0))


def lasso(gram: Array, target: Array, penalty: float, steps: int = 300) -> Array:
    """The least of `w·Gw/2 − w·t + λ Σ|w|` by proximal steps: down the slope, then threshold.

    gram: `XᵀX`, `(p, p)`; target: `Xᵀy`, `(p,)`. It is least squares with an L1 penalty.
    """
    w, rate = np.zeros(len(target)), 0.9 / float(np.linalg.norm(gram, 2))
    for _ in range(steps):
        w = soft_threshold(w - rate * (gram @ w - target), rate * penalty)
    return w


def ridge(gram: Array, target: Array, penalty: float) -> Array:
    """The least of `w·Gw/2 − w·t + λ/2 Σ w²`: the slope is zero where `(G + λ) w = t`."""
    return np.asarray(np.linalg.solve(gram + penalty * np.eye(len(target)), target))


def examples(seed: int) -> tuple[Array, Array]:
    """60 synthetic examples: 12 orthonormal features `(60, 12)` and answers `(60,)`."""
    random = np.random.default_rng(seed)
    x, _ = np.linalg.qr(random.standard_normal((60, 12)))
    return x, x @ TRUE + 0.15 * random.standard_normal(60)


@lab(
    covers=["l1-l2-regularization"],
    seconds=1,
    quick={},
    tries={
        "Nearly on an axis": {"bottom": [2.2, 0.4], "penalty": 0.5},
        "Features that look alike": {"alike": 0.9, "bottom": [2.0, 1.2], "penalty": 1.0},
        "A strong penalty": {"penalty": 2.5},
    },
    question=Question(
        "12 weights, 3 of them matter. How many does an L2 penalty of 1 set exactly to zero?",
        ("None", "The 9 that do not matter", "All 12"),
        0,
        "L2 divides every weight by 1 + λ: small ones become smaller, never zero. L1 zeroes the 9.",
    ),
    needs=["gradients-hessian"],
)
def run(
    penalty: Annotated[float, Slider(0.0, 4.0, help="Smaller weights", live=True)] = 1.0,
    alike: Annotated[
        float, Slider(-0.95, 0.95, help="Correlation of the two features", live=True)
    ] = 0.0,
    bottom: Annotated[list[float], Place(EXTENT, "plane", help="Bottom of the bowl")] = [2.4, 0.9],  # noqa: B006
    seed: Annotated[int, Slider(0, 99, help="Other examples", live=True)] = 0,
) -> Frames:
    """Let λ rise from zero, then stand where the learner puts it."""
    changes = None
    for now in np.linspace(0, penalty, 16):
        changes = yield _picture(float(now), alike, bottom, seed)
        if changes:
            break
    start: dict[str, Any] = {"penalty": penalty, "alike": alike, "bottom": bottom, "seed": seed}
    yield from interactive(_picture, **start | dict(changes or {}))


def _picture(penalty: float, alike: float, bottom: list[float], seed: int) -> Frame:
    gram, free = np.array([[1.0, alike], [alike, 1.0]]), np.array(bottom)
    away = GRID - free
    loss = 0.5 * np.einsum("...i,ij,...j->...", away, gram, away)
    w1, w2 = lasso(gram, gram @ free, penalty), ridge(gram, gram @ free, penalty)
    round_ = np.stack([np.cos(TURN), np.sin(TURN)], 1)
    diamond = np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [1, 0]]) * np.abs(w1).sum()
    paths = {"same Σ|w|": diamond, "same Σw²": round_ * np.linalg.norm(w2)}
    walk = LAMBDAS[penalty >= LAMBDAS]
    paths["L1 from λ = 0"] = np.array([*(lasso(gram, gram @ free, one) for one in walk), w1])
    paths["L2 from λ = 0"] = np.array([*(ridge(gram, gram @ free, one) for one in walk), w2])

    x, y = examples(seed)
    ols = x.T @ y  # least squares without penalty: the features are orthonormal
    l1, l2 = soft_threshold(ols, penalty), ols / (1 + penalty)
    shrink = [
        np.stack([soft_threshold(ols, one) for one in LAMBDAS], 1),  # (12, 41)
        ols[:, None] / (1 + LAMBDAS),
    ]
    names = tuple(f"w{i + 1}" for i in range(12))
    views: dict[str, View] = {
        "plane": Field(
            -loss, EXTENT, paths, "two weights: the bowl meets the diamond and the disc",
            contours=True, xlabel="weight w1", ylabel="weight w2",
        ),
        "weights": Bars(
            names, {"no penalty": ols, "L1": l1, "L2": l2}, ylabel="weight",
            title="twelve weights, three that matter",
        ),
        "L1": Curve(
            LAMBDAS, dict(zip(names, shrink[0], strict=True)), "λ", "weight",
            marks={"λ": penalty}, title="L1: one weight after the other becomes zero",
        ),
        "L2": Curve(
            LAMBDAS, dict(zip(names, shrink[1], strict=True)), "λ", "weight",
            marks={"λ": penalty}, title="L2: all shrink, none is zero",
        ),
    }  # fmt: skip
    facts = {
        "L1: weights that are exactly zero, of 12": float((l1 == 0).sum()),
        "L2: weights that are exactly zero, of 12": float((l2 == 0).sum()),
        "L1 in the plane: w2": float(w1[1]),
    }
    return Frame(1, 1, views, facts)


def check() -> Iterator[Claim]:
    """The proximal walk and the linear system give the two formulas, on five data sets."""
    gaps, kept = np.zeros((2, 5)), []
    for seed in range(5):
        x, y = examples(seed)
        l1, l2 = lasso(x.T @ x, x.T @ y, 0.7), ridge(x.T @ x, x.T @ y, 0.7)
        gaps[0, seed] = np.abs(l1 - soft_threshold(x.T @ y, 0.7)).max()
        gaps[1, seed] = np.abs(l2 - (x.T @ y) / 1.7).max()
        kept.append((np.flatnonzero(l1).tolist(), int(np.count_nonzero(l2))))
    yield below("Proximal L1 against soft-thresholding, largest gap", gaps[0].max(), 1e-10)
    yield below("L2 against least squares/(1 + λ), largest gap", gaps[1].max(), 1e-10)
    right = all(ones == [0, 1, 2] for ones, _ in kept)
    yield same("L1 keeps exactly the 3 true weights of 12, on all 5 sets", right, True)
    yield same("Weights that L2 keeps, fewest", min(count for _, count in kept), 12)
