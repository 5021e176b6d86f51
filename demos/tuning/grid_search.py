"""Grid search: every combination in turn.

The plainest search takes a few values of each hyperparameter and trains a network for every
combination. It is thorough and easy to share out, but `k` values of `d` dials cost `k^d` trainings,
and those `k^d` trainings look at each dial at only `k` places. Where one dial decides (here the
learning rate) most of the work repeats what is known: random trials would have looked at it `k^d`
times.

**Try:** watch the map fill: along which side do the colours change? Then refine the grid to 7 × 7.

Source: Bergstra & Bengio (2012), Random search for hyper-parameter optimization.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Annotated

import numpy as np

from demos.kit import Claim, Frames, Question, Slider, above, lab, same, ticks
from engine.tuning.trial import Choices, Trial
from engine.views import Array, Bars, Frame, Matrix, Points, View

RATES, WIDTHS = (0.001, 3.0), (4.0, 128.0)  # the square that is searched, lowest and highest


def grid(values: int) -> Array:
    """Every combination of evenly spaced (log) rates and widths, `(values², 2)`."""
    rates, widths = (np.geomspace(*ends, values) for ends in (RATES, WIDTHS))
    return np.array(list(product(widths.round(), rates)))[:, ::-1]


def at_random(trials: int, seed: int) -> Array:
    """As many combinations drawn evenly (log) from the same square, `(trials, 2)`."""
    u = np.random.default_rng(seed).random((trials, 2))
    low, high = np.log([RATES, WIDTHS]).T
    return np.asarray(np.exp(low + u * (high - low)))


def accuracy(place: Array, epochs: int, seed: int) -> float:
    """Of a network with this rate and width, `(2,)`, on held back digits, after training."""
    rate, width = place
    trial = Trial(Choices(float(rate), width=round(width)), seed)
    for _ in range(epochs):
        trial.epoch()
    return trial.accuracy()


def swing(scores: Array) -> tuple[float, float]:
    """How far the mean accuracy moves along the rates (columns) and along the widths (rows)."""
    done = ~np.isnan(scores)
    along = []
    for axis in (0, 1):
        count = done.sum(axis)
        means = np.nansum(scores, axis)[count > 0] / count[count > 0]
        along.append(float(np.ptp(means)) if len(means) else 0.0)
    return along[0], along[1]


@lab(
    covers=["hp-grid-search"],
    seconds=5,
    quick={"values": 3, "epochs": 1},
    tries={
        "3 × 3": {"values": 3},
        "7 × 7: five times the cost": {"values": 7},
        "Longer trainings": {"values": 5, "epochs": 15},
    },
    question=Question(
        "A 3 × 3 grid and 9 random trials cost the same. How many learning rates does each try?",
        ("9 and 9", "3 and 9", "9 and 3"),
        1,
        "The grid trains every rate three times, with three widths. Chance never repeats a rate.",
    ),
    needs=["key-hyperparameters"],
)
def run(
    values: Annotated[int, Slider(2, 9, help="A finer grid; the cost is its square")] = 5,
    epochs: Annotated[int, Slider(1, 20, help="Longer trainings")] = 5,
    seed: Annotated[int, Slider(0, 99, help="Other first weights, other random trials")] = 0,
) -> Frames:
    """Train every cell of the grid; beside it as many random trials of the same square."""
    places, drawn = grid(values), at_random(values**2, seed)
    scores, lucky = np.full((values, values), np.nan), np.full(values**2, np.nan)
    for step, show in ticks(values**2):
        row, column = divmod(step - 1, values)
        scores[row, column] = accuracy(places[step - 1], epochs, seed)
        lucky[step - 1] = accuracy(drawn[step - 1], epochs, seed)
        if show:
            best = float(np.nanmax(scores))
            facts = {
                "best of the grid [%]": 100 * best,
                "best of as many random trials [%]": 100 * float(np.nanmax(lucky)),
                "learning rates the grid looked at": len(set(places[:step, 0])),
                "learning rates the random trials looked at": len(set(drawn[:step, 0])),
                "epochs trained for the grid": float(step * epochs),
            }
            views = _views(scores, lucky, drawn, (row, column))
            yield Frame(step, values**2, views, facts)


def _views(scores: Array, lucky: Array, drawn: Array, now: tuple[int, int]) -> dict[str, View]:
    values = len(scores)
    rates, widths = (np.geomspace(*ends, values) for ends in (RATES, WIDTHS))
    shown = ~np.isnan(np.concatenate([scores.ravel(), lucky]))
    tried = np.log10(np.concatenate([grid(values), drawn]))[shown]
    found = 100 * np.concatenate([scores.ravel(), lucky])[shown]
    kind, names = np.repeat([0, 1], values**2)[shown].astype(np.int32), ("grid", "random")
    along = swing(scores)
    return {
        "grid": Matrix(
            100 * scores, tuple(f"{w:.0f}" for w in widths), tuple(f"{r:.3g}" for r in rates),
            "learning rate", "hidden units", numbers=True, highlight=(now,),
            title="test accuracy of every combination [%]",
        ),
        "dial": Points(
            np.stack([tried[:, 0], found], axis=1), kind, names,
            xlabel="log10 of the learning rate", ylabel="test accuracy [%]",
            title="seen from the side of the learning rate",
        ),
        "places": Points(
            tried, kind, names, xlabel="log10 of the learning rate", ylabel="log10 of the width",
            title="where each search has looked",
        ),
        "swing": Bars(
            ("learning rate", "width"), {"spread of the mean": 100 * np.array(along)},
            ylabel="test accuracy [points]", title="what each dial decides",
        ),
    }  # fmt: skip


def check() -> Iterator[Claim]:
    """Nine grid cells hold 3 rates, nine random trials 9; the rate decides; the best is good."""
    yield same("3 × 3 grid: different learning rates", len(set(grid(3)[:, 0])), 3)
    yield same("9 random trials: different learning rates", len(set(at_random(9, 0)[:, 0])), 9)
    for seed in range(3):
        scores = np.array([accuracy(place, 5, seed) for place in grid(5)]).reshape(5, 5)
        along = swing(scores)
        yield above(f"5 × 5 grid, seed {seed}: spread along the learning rate", along[0], 0.5)
        yield above("the same − the spread along the width", along[0] - along[1], 0.0)
        yield above("Accuracy of the best cell", scores.max(), 0.93)
