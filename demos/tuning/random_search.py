"""Random search, and why it beats the grid.

Draw every trial anew from the whole square. If only one of two dials matters, 25 trials of a 5 × 5
grid look at 5 of its values, 25 random ones at 25. And luck can be counted: each trial lands in
the best 5 % of the square with probability 0.05, whatever the square looks like, so `n` trials
miss it with `0.95^n` and hit it with `1 − 0.95^n`: 95 % for 60 trials, in any number of dimensions.

**Try:** slide the peak onto a line of the grid, then between two lines; then let both dials matter.

Source: Bergstra & Bengio (2012), Random search for hyper-parameter optimization.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np

from demos.kit import Claim, Frames, Question, Slider, above, interactive, lab, near
from engine.views import Array, Bars, Curve, Field, Frame, Points, View

SIDE = np.linspace(0, 1, 81)


def score(places: Array, peak: float, second: float) -> Array:
    """A synthetic test function, at most 1: a sharp ridge in x, a gentle one in y, `(..., 2)`."""
    x, y = places[..., 0], places[..., 1]
    return np.asarray(1 - 4 * (x - peak) ** 2 - 4 * second * (y - 0.4) ** 2)


def grid(side: int) -> Array:
    """The middles of `side × side` equal cells, `(side², 2)`."""
    middles = (np.arange(side) + 0.5) / side
    return np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2)


def odds(trials: int, share: float = 0.05) -> float:
    """Probability that one of the trials lands in the best `share` of the square."""
    return float(1 - (1 - share) ** trials)


def win_rate(peak: float, second: float, side: int, seed: int, runs: int = 1000) -> float:
    """In which share of runs as many random trials find a better place than the grid."""
    drawn = np.random.default_rng(seed).random((runs, side**2, 2))
    found = score(drawn, peak, second).max(axis=1)
    return float((found > score(grid(side), peak, second).max()).mean())


def by_formula(peak: float, side: int) -> float:
    """The same where only x matters: some trial lies nearer to the peak than any grid line."""
    d = np.abs((np.arange(side) + 0.5) / side - peak).min()
    nearer = min(peak + d, 1) - max(peak - d, 0)  # probability of one trial
    return float(1 - (1 - nearer) ** side**2)


@lab(
    covers=["hp-random-search"],
    seconds=1,
    quick={"seed": 1},
    tries={
        "A peak between two lines": {"peak": 0.37, "second": 0.0},
        "A peak on a line: the grid's luck": {"peak": 0.5, "second": 0.0},
        "Both dials matter": {"peak": 0.37, "second": 1.0},
    },
    question=Question(
        "How many random trials hit the best 5 % of a square with a probability of 95 %?",
        ("About 20", "About 60", "About 400", "It depends on the dimension"),
        1,
        "0.95⁵⁹ = 4.8 % is the chance that all of 59 trials miss; the dimension does not occur.",
    ),
    needs=["hp-grid-search"],
)
def run(
    peak: Annotated[float, Slider(0, 1, live=True, help="Moves the best x to the right")] = 0.37,
    second: Annotated[float, Slider(0, 1, live=True, help="The second dial matters more")] = 0.0,
    side: Annotated[int, Slider(2, 8, live=True, help="A finer grid, more random trials")] = 5,
    budget: Annotated[int, Slider(1, 120, live=True, help="Trials in the odds below")] = 60,
    seed: Annotated[int, Slider(0, 99, live=True, help="Another draw")] = 0,
) -> Frames:
    """The square with both searches on it, their shadows on the axis, and the odds."""
    settings = {"peak": peak, "second": second, "side": side, "budget": budget, "seed": seed}
    yield from interactive(picture, **settings)


def picture(peak: float, second: float, side: int, budget: int, seed: int) -> Frame:
    """Everything for one setting of the controls."""
    rows, drawn = grid(side), np.random.default_rng(seed).random((side**2, 2))
    plane = np.stack(np.meshgrid(SIDE, SIDE), axis=-1)  # (81, 81, 2)
    height = score(plane, peak, second)
    both, kinds = np.concatenate([rows, drawn]), np.repeat([0, 1], side**2).astype(np.int32)
    best = {name: score(p, peak, second) for name, p in (("grid", rows), ("random", drawn))}
    shadow = Points(
        np.stack([both[:, 0], np.concatenate([best["grid"], best["random"]])], axis=1),
        kinds, ("grid", "random"),
        {"best possible": np.stack([SIDE, 1 - 4 * (SIDE - peak) ** 2], axis=1)},
        xlabel="dial x", ylabel="score",
        title=f"from the side: the grid has {side} values of x, chance {side**2}",
    )  # fmt: skip
    n = np.arange(1, 121)
    views: dict[str, View] = {
        "square": Field(
            height, (0, 1, 0, 1), title="the score, and where both searches look", contours=True,
            points=Points(both, kinds, ("grid", "random")), xlabel="dial x", ylabel="dial y",
        ),
        "shadow": shadow,
        "odds": Curve(
            n, {"1 − 0.95ⁿ": 100 * (1 - 0.95**n)}, "random trials n", "hit the best 5 % [%]",
            marks={"your budget": budget}, title="odds of a trial in the best 5 %",
        ),
        "runs": Bars(
            ("grid wins or draws", "random wins"),
            {"runs": 100 * np.array([1 - (w := win_rate(peak, second, side, seed)), w])},
            ylabel="of 1,000 repetitions [%]", title=f"{side**2} trials each, repeated",
        ),
    }  # fmt: skip
    facts = {
        "best of the grid": float(best["grid"].max()),
        "best at random": float(best["random"].max()),
        "random beats grid [%]": 100 * w,
        "odds with your budget [%]": 100 * odds(budget),
    }
    return Frame(1, 1, views, facts)


def check() -> Iterator[Claim]:
    """60 trials hit the best 5 % with 95.4 %; where one dial matters, 25 random ones beat 5 × 5."""
    yield near("1 − 0.95⁶⁰ [%]", 100 * odds(60), 95.4, 0.05)
    random = np.random.default_rng(0)
    limit = np.quantile(score(random.random((100_000, 2)), 0.37, 1.0), 0.95)
    drawn = score(random.random((20_000, 60, 2)), 0.37, 1.0).max(axis=1)
    yield near("Counted: 60 trials reach the best 5 % [%]", 100 * (drawn > limit).mean(), 95.4, 0.5)
    wins = float(np.mean([win_rate(0.37, 0.0, 5, seed, 2000) for seed in range(3)]))
    yield above("One dial matters, peak at 0.37: 25 random beat 5 × 5 [%]", 100 * wins, 90)
    yield near("the same against its formula [%]", 100 * wins, 100 * by_formula(0.37, 5), 1.0)
    # The figure hangs on where the peak stands between the lines, so here is all of it.
    formula = float(np.mean([by_formula(peak, 5) for peak in (np.arange(1000) + 0.5) / 1000]))
    peaks = random.random((20_000, 1))
    nearest = [np.abs(x - peaks).min(axis=1) for x in (random.random((20_000, 25)), grid(5)[:5, 0])]
    counted = 100 * (nearest[0] < nearest[1]).mean()
    yield near("Counted for a peak anywhere [%], against the formula", counted, 100 * formula, 1.0)
