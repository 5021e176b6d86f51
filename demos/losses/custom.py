"""Write your own loss.

Any formula in the prediction `p` and the target `t` is a loss, if it has a slope to follow. Type
one: it is plotted, differentiated by the rules of calculus, checked against differences of itself
(`(L(p + h) − L(p − h)) / 2h`), and used to train at once. The loss decides what a prediction
means: the pinball loss `max(q (t − p), (q − 1)(t − p))` is least at the value below which a share
`q` of the targets lie, so one network can predict a median, and another the worst tenth.

**Try:** set q to 0.9, then 0.1: the line moves until nine tenths, or one tenth, lie below it.

Source: Koenker & Bassett (1978), Regression quantiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated

import numpy as np

from demos.kit import Claim, Frames, Question, Slider, Text, below, lab, near, ticks
from engine.views import Array, Curve, Frame, Note, Points

PINBALL = "max(q*(t - p), (q - 1)*(t - p))"
LOG_COSH = "log(cosh(p - t))"
ASYMMETRIC = "max(p - t, 0)**2 + 5*max(t - p, 0)**2"
Loss = Callable[[Array, Array], Array]


def differentiated(text: str, q: float) -> tuple[Loss, Loss, str]:
    """The loss, its slope by p, and the slope in words.

    Raises:
        ValueError: It is no formula, or not a finite number everywhere it is needed.
    """
    from engine.maths import formula  # sympy takes half a second to load

    typed = formula.read(text, "pt", {"q": q})
    by_hand = formula.derivative(typed, "p")
    loss, slope = formula.function(typed, "pt"), formula.function(by_hand, "pt")
    p, t = (axis.ravel() for axis in np.meshgrid(np.linspace(-6, 6, 41), np.linspace(-6, 6, 40)))
    if not (np.isfinite(loss(p, t)).all() and np.isfinite(slope(p, t)).all()):
        raise ValueError(
            "custom loss: the formula and its slope must be finite for p and t between −6 and 6; "
            f"got {text!r:.60}"
        )
    return loss, slope, str(by_hand)


def gradient_check(loss: Loss, slope: Loss) -> float:
    """Largest distance of the slope to a central difference, relative, at 200 random places."""
    p, t = np.random.default_rng(0).uniform(-3, 3, (2, 200))
    h = 1e-5
    difference = (loss(p + h, t) - loss(p - h, t)) / (2 * h)
    return float((np.abs(slope(p, t) - difference) / np.maximum(1, np.abs(difference))).max())


def data(n: int, seed: int) -> tuple[Array, Array]:
    """Synthetic targets whose spread grows with x: `t = 2x − 1 + (0.2 + 0.8 x) noise`."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(0, 1, n)
    return x, 2 * x - 1 + (0.2 + 0.8 * x) * generator.standard_normal(n)


def train(slope: Loss, x: Array, t: Array) -> Iterator[Array]:
    """Gradient descent on `p = a + b x`; yields (a, b). Slopes are cut off at ±10."""
    design = np.stack([np.ones_like(x), x - 0.5], axis=1)  # (n, 2)
    line = np.zeros(2)
    for step in range(100_000):
        pull = np.clip(np.nan_to_num(slope(design @ line, t)), -10, 10)
        line = line - 0.5 / (1 + step / 100) * np.array([1.0, 4.0]) * (pull @ design) / len(x)
        yield np.array([line[0] - 0.5 * line[1], line[1]])


@lab(
    covers=["custom-loss"],
    seconds=1,
    quick={"steps": 10},
    tries={
        "Nine tenths below": {"loss": PINBALL, "q": 0.9},
        "Log-cosh": {"loss": LOG_COSH},
        "Too low costs five times more": {"loss": ASYMMETRIC},
    },
    question=Question(
        "You train with the pinball loss at q = 0.9. What does the network predict?",
        ("The mean plus 90 %", "A value that 90 % of targets stay below", "The 90th target"),
        1,
        "At the minimum the pull up, q times the share above, balances the pull down, 1 − q "
        "times the share below: 0.9 · 10 % = 0.1 · 90 %.",
    ),
    needs=["regression-losses", "derivatives-chain-rule"],
)
def run(
    loss: Annotated[str, Text(80, help="A formula in p, t and q")] = PINBALL,
    q: Annotated[float, Slider(0.05, 0.95, help="A larger share below")] = 0.9,
    steps: Annotated[int, Slider(10, 1000, help="A longer training")] = 400,
) -> Frames:
    """Train a line with the typed loss on targets whose spread grows."""
    height, slope, words = differentiated(loss, q)
    x, t = data(1000, seed=0)
    grid, zero = np.linspace(-3, 3, 201), np.zeros(201)
    shape = Curve(
        grid,
        {"loss": height(grid, zero), "slope": slope(grid, zero)},
        "prediction p, at target t = 0",
        "loss, slope",
        title="the loss and its slope",
    )
    error = gradient_check(height, slope)
    note = Note(
        f"`L = {loss}`\n\n`∂L/∂p = {words}`\n\nDifferences of L: {error:.1e} apart at most.",
        "differentiated and checked",
        "good" if error < 1e-6 else "warning",
    )
    walk = train(slope, x, t)
    for step, show in ticks(steps):
        a, b = next(walk)
        if show:
            below_line = (t < a + b * x).astype(np.int32)
            ends = np.array([[0, a], [1, a + b]])
            fit = Points(
                np.stack([x, t], axis=1), below_line, ("above", "below"), {"prediction p": ends},
                (0, 1, -4, 5), "x", "target t", title="targets above and below the prediction",
            )  # fmt: skip
            facts = {"targets below [%]": 100 * float(below_line.mean()), "gradient check": error}
            yield Frame(step, steps, {"fit": fit, "loss": shape, "slope": note}, facts)


def check() -> Iterator[Claim]:
    """A typed loss passes the gradient check; the pinball loss finds the share asked for."""
    loss, slope, _ = differentiated(LOG_COSH, 0.5)
    yield below("Log-cosh: slope against central differences", gradient_check(loss, slope), 1e-6)
    (x, t), (new_x, new_t) = data(1000, seed=0), data(5000, seed=1)
    for q in (0.1, 0.5, 0.9):
        walk = train(differentiated(PINBALL, q)[1], x, t)
        a, b = [next(walk) for _ in range(400)][-1]
        share = 100 * float((new_t < a + b * new_x).mean())
        yield near(
            f"Pinball loss, q = {q}: new targets below the prediction [%]", share, 100 * q, 3
        )
