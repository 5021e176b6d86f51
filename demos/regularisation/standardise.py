"""From a ravine to a bowl: put features on one scale.

One wine has 13 % alcohol and 1,065 mg of proline. A step that suits one weight is a thousand times
too long for the other: the loss is a ravine, and its condition number `κ`, the largest curvature
over the smallest, counts how many steps gradient descent needs. *Standardising*, `z = (x − μ)/σ`
with mean and spread of the training data, makes the ravine a bowl. Min-max scaling to [0, 1] helps
less, because the means stay away from zero. For pictures the same is done with one μ and σ.

**Try:** raise the learning rate, as a share of what is stable, on raw data. It does not help.

Source: LeCun, Bottou, Orr & Müller (1998), Efficient BackProp.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np

from demos.kit import Choice, Claim, Frames, Question, Slider, above, below, interactive, lab
from engine.data.shipped import digits, wine
from engine.views import Array, Curve, Field, Frame, Histogram, View

SCALINGS = ("raw", "min-max", "standardised")
NAMES = (
    "alcohol [%]", "malic acid [g/l]", "ash [g/l]", "alkalinity of ash", "magnesium [mg/l]",
    "phenols", "flavanoids", "other phenols", "proanthocyanins", "colour", "hue", "OD280/OD315",
    "proline [mg/l]",
)  # fmt: skip


def scaled(x: Array, how: str) -> Array:
    """The columns of `x`, `(n, features)`, on another scale."""
    if how == "standardised":
        return np.asarray((x - x.mean(0)) / x.std(0))
    return np.asarray((x - x.min(0)) / np.ptp(x, axis=0)) if how == "min-max" else x


def gram(x: Array) -> Array:
    """`XᵀX/n` with a column of ones for the bias: the Hessian of least squares, `(14, 14)`.

    That of softmax regression is at most half of it.
    """
    x = np.column_stack([x, np.ones(len(x))])
    return np.asarray(x.T @ x / len(x))


def condition(x: Array) -> float:
    """The largest curvature over the smallest."""
    curvature = np.linalg.eigvalsh(gram(x))
    return float(curvature[-1] / max(curvature[0], 1e-300))


def softmax_regression(x: Array, y: Array, share: float, steps: int) -> Array:
    """Training accuracy after each step, `(steps,)`; `share` of the largest stable rate 4/l."""
    rate, x = share * 4 / np.linalg.eigvalsh(gram(x))[-1], np.column_stack([x, np.ones(len(x))])
    w, truth, right = np.zeros((x.shape[1], 3)), np.eye(3)[y], np.zeros(steps)
    for step in range(steps):
        score = x @ w
        p = np.exp(score - score.max(1, keepdims=True))
        w -= rate * x.T @ (p / p.sum(1, keepdims=True) - truth) / len(x)
        right[step] = ((x @ w).argmax(1) == y).mean()
    return right


def steps_to(right: Array, aim: float = 0.98) -> float:
    """The first step at which the accuracy is reached; infinite if never."""
    return float(np.argmax(right >= aim) + 1) if (right >= aim).any() else float("inf")


@lab(
    covers=["data-standardization"],
    seconds=1,
    quick={"steps": 20},
    tries={
        "The ravine": {"scaling": "raw"},
        "Min-max": {"scaling": "min-max"},
        "The bowl": {"scaling": "standardised"},
    },
    question=Question(
        "Standardised, softmax regression reads 98 % of the wines right after 15 steps. Raw?",
        ("After 30 steps", "After 300 steps", "Not within 1,000 steps"),
        2,
        "The condition number of the raw data is above 10⁸: some directions hardly move at all.",
    ),
    needs=["gradient-descent-stability"],
)
def run(
    scaling: Annotated[str, Choice(SCALINGS, help="Of the features", live=True)] = "raw",
    feature: Annotated[int, Slider(0, 11, help="Shown against proline", live=True)] = 0,
    share: Annotated[float, Slider(0.05, 0.95, help="Of the largest stable rate")] = 0.5,
    steps: Annotated[int, Slider(10, 1000, log=True, help="A longer walk")] = 200,
) -> Frames:
    """Walk down the loss of two weights; then toggle the scaling."""
    x, y = wine()
    accuracy = {how: 100 * softmax_regression(scaled(x, how), y, share, steps) for how in SCALINGS}

    def picture(scaling: str, feature: int, upto: int = steps) -> Frame:
        new = scaled(x, scaling)
        views: dict[str, View] = {
            "loss": _loss(new[:, [feature, 12]], y, share, upto, (NAMES[feature], scaling)),
            "accuracy": Curve(
                np.arange(1.0, upto + 1), {how: one[:upto] for how, one in accuracy.items()},
                "step", "training accuracy [%]", title="softmax regression on all 13 features",
            ),
            "features": _spread({NAMES[feature]: new[:, feature], NAMES[12]: new[:, 12]}, scaling),
            "pixels": _spread({"all pixels of the digits": _pixels(scaling)}, scaling),
        }  # fmt: skip
        facts = {"condition number κ, 13 features": condition(new)}
        reached = steps_to(accuracy[scaling] / 100)
        facts |= {"accuracy [%]": float(accuracy[scaling][upto - 1])}
        if np.isfinite(reached):
            facts["steps to 98 %"] = reached
        return Frame(upto, steps, views, facts)

    changes = None
    live: dict[str, Any] = {"scaling": scaling, "feature": feature}
    for upto in np.unique(np.geomspace(1, steps, 25).astype(int)).tolist():
        changes = yield picture(**live, upto=upto)
        if changes:
            break
    yield from interactive(picture, **live | dict(changes or {}))


def _loss(x: Array, y: Array, share: float, steps: int, words: tuple[str, str]) -> Field:
    """Least squares for "grown by the first" in two weights, and the walk down."""
    aim = (y == 0).astype(float)
    hessian, pull = x.T @ x / len(x), x.T @ aim / len(x)
    best = np.linalg.solve(hessian, pull)
    reach = 1.5 * float(np.abs(best).max())
    rate = share * 2 / np.linalg.eigvalsh(hessian)[-1]
    walk = [np.array([-0.8 * reach, 0.8 * reach]) + best]
    for _ in range(steps):
        walk.append(walk[-1] - rate * (hessian @ walk[-1] - pull))
    side = np.linspace(-reach, reach, 61)
    away = np.stack(np.meshgrid(side, side), -1)  # (61, 61, 2)
    height = 0.5 * np.einsum("...i,ij,...j->...", away, hessian, away)
    extent = (best[0] - reach, best[0] + reach, best[1] - reach, best[1] + reach)
    title = f"{words[1]}: loss over two weights, κ = {np.linalg.cond(hessian):,.0f}"
    return Field(
        -np.log10(height + 1e-3 * height.max()), tuple(float(one) for one in extent),  # type: ignore[arg-type]
        {"w": np.array(walk)}, title, contours=True,
        xlabel=f"weight of {words[0]}", ylabel=f"weight of {NAMES[12]}",
    )  # fmt: skip


def _pixels(how: str) -> Array:
    """Grey levels 0 to 16, brought to [0, 1], or with one mean and spread for all pixels."""
    grey = 16 * digits()[0].ravel().astype(np.float64)
    return scaled(grey[:, None], how)[:, 0]


def _spread(values: dict[str, Array], how: str) -> Histogram:
    together = np.concatenate(list(values.values()))
    edges = np.linspace(together.min(), together.max(), 41)
    counts = {name: np.histogram(one, edges)[0] / len(one) for name, one in values.items()}
    title = f"{' and '.join(values)}: {how}"
    return Histogram(edges, counts, xlabel="value", ylabel="share", title=title)


def check() -> Iterator[Claim]:
    """Standardising takes seven orders off the condition number, and walks in a few steps."""
    x, y = wine()
    yield above("Condition number of the Hessian, raw", condition(x), 1e8)
    yield below("Condition number, standardised", condition(scaled(x, "standardised")), 100)
    new = steps_to(softmax_regression(scaled(x, "standardised"), y, 0.5, 100))
    yield below("Standardised: steps to 98 % training accuracy", new, 19)
    best = max(softmax_regression(x, y, share, 1000).max() for share in (0.25, 0.5, 0.95))
    yield below("Raw: best training accuracy in 1,000 steps, three rates", best, 0.9)
