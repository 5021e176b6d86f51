"""What does 95 % confidence promise?

From `n` draws with mean `x̄` and spread `s`, Student's interval `x̄ ± t s/√n` catches the true mean
in 95 % of repetitions, if the draws are normal. Skewed data break the promise. The bootstrap
asks the data themselves: draw `n` of them again, with replacement, many times, and take the middle
95 % of the means. A test at 5 % is the other side of it: without any effect it still cries wolf
in one experiment of twenty.

**Try:** switch to skewed data and watch the misses pile up on one side.

Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap; Student (1908).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np

from demos.kit import Claim, Frames, Question, Slider, between, lab, near, ticks
from engine.views import Array, Curve, Frame, Histogram, Span, Timeline, View

MEANS = {"normal": 0.0, "exponential": 1.0, "lognormal": float(np.exp(0.5))}
SHOWN = 30  # how many of the newest intervals are drawn
BATCH = 10  # samples between two frames


def draw(kind: str, samples: int, n: int, random: np.random.Generator) -> Array:
    """`(samples, n)` independent draws."""
    shape = (samples, n)
    if kind == "normal":
        return random.normal(size=shape)
    return random.exponential(size=shape) if kind == "exponential" else random.lognormal(size=shape)


def student_interval(x: Array, level: float = 0.95) -> Array:
    """`x̄ ± t s/√n` for each row of `x`, `(samples, n)`: `(samples, 2)`."""
    n = x.shape[1]
    reach = _t(0.5 + level / 2, n - 1) * x.std(axis=1, ddof=1) / np.sqrt(n)
    return np.stack([x.mean(axis=1) - reach, x.mean(axis=1) + reach], axis=1)


def bootstrap_interval(x: Array, random: np.random.Generator, again: int = 400) -> Array:
    """The middle 95 % of the means of re-drawn samples, for each row of `x`: `(samples, 2)`."""
    rows, n = x.shape
    picks = random.integers(0, n, (rows, again, n))
    means = x[np.arange(rows)[:, None, None], picks].mean(axis=2)  # (samples, again)
    return np.asarray(np.quantile(means, [0.025, 0.975], axis=1).T)


def two_sample_p(x: Array, y: Array) -> Array:
    """The p-values of Student's test that rows of x and y, `(m, n)`, have equal means: `(m,)`."""
    n = x.shape[1]
    spread = np.sqrt((x.var(axis=1, ddof=1) + y.var(axis=1, ddof=1)) / n)
    t = np.abs(x.mean(axis=1) - y.mean(axis=1)) / spread
    return np.asarray(2 * _tail(t, 2 * n - 2))


def hits(intervals: Array, truth: float) -> Array:
    """Which intervals catch the truth, `(samples,)`."""
    return np.asarray((intervals[:, 0] <= truth) & (truth <= intervals[:, 1]))


def _t(share: float, freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share))


def _tail(t: Array, freedom: int) -> Array:
    from scipy.special import stdtr

    return np.asarray(stdtr(freedom, -t))


@lab(
    covers=["statistical-inference"],
    seconds=1,
    quick={"samples": 40},
    tries={
        "Skewed data": {"kind": "exponential"},
        "Very skewed, few draws": {"kind": "lognormal", "n": 10},
        "An effect to be found": {"effect": 0.5},
    },
    question=Question(
        "30 draws from a skewed (exponential) distribution. How often does the 95 % interval "
        "catch the true mean?",
        ("More often than 95 %", "Exactly 95 %", "About 92 %"),
        2,
        "Samples that lack the rare large values have both a small mean and a small spread: "
        "the interval is too low and too short at once.",
    ),
    needs=["probability-clt"],
)
def run(
    kind: Literal["normal", "exponential", "lognormal"] = "normal",
    n: Annotated[int, Slider(5, 100, help="More draws a sample")] = 30,
    samples: Annotated[int, Slider(20, 2000, help="More repetitions")] = 600,
    effect: Annotated[float, Slider(0, 1, unit="spreads", help="True difference tested")] = 0.0,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Repeat: draw a sample, make both intervals, test two groups; count what goes wrong."""
    random, truth = np.random.default_rng(seed), MEANS[kind]
    student, bootstrap = np.zeros((0, 2)), np.zeros((0, 2))
    p = np.zeros(0)
    for step, show in ticks(-(-samples // BATCH), frames=200):
        x = draw(kind, BATCH, n, random)
        student = np.concatenate([student, student_interval(x)])
        bootstrap = np.concatenate([bootstrap, bootstrap_interval(x, random)])
        pair = random.normal(size=(2, BATCH, n))
        p = np.concatenate([p, two_sample_p(pair[0], pair[1] + effect)])
        if show:
            yield _frame(step, -(-samples // BATCH), truth, student, bootstrap, p)


def _frame(step: int, of: int, truth: float, student: Array, bootstrap: Array, p: Array) -> Frame:
    caught = {"Student's": hits(student, truth), "bootstrap": hits(bootstrap, truth)}
    newest = range(max(0, len(student) - SHOWN), len(student))
    spans = tuple(
        Span(
            str(i % SHOWN + 1), low, high, kind="catches it" if caught["Student's"][i] else "misses"
        )
        for i, (low, high) in zip(newest, student[-SHOWN:].tolist(), strict=True)
    )
    edge = Span(str(newest[0] % SHOWN + 1), truth, truth, "the truth", "truth")
    intervals = Timeline(
        tuple(str(i + 1) for i in range(min(SHOWN, len(student)))),
        (*spans, edge),
        f"95 % interval for the mean; the true mean is {truth:.3g}",
        "the newest intervals",
    )
    count = np.arange(BATCH, len(student) + 1, BATCH)
    lines = {name: 100 * np.cumsum(ok)[BATCH - 1 :: BATCH] / count for name, ok in caught.items()}
    lines["promised"] = np.full(len(count), 95.0)
    edges = np.linspace(0, 1, 21)
    views: dict[str, View] = {
        "intervals": intervals,
        "coverage": Curve(count, lines, "samples", "catch the truth [%]", title="kept promises"),
        "p": Histogram(
            edges,
            {"experiments": np.histogram(p, edges)[0]},
            xlabel="p-value",
            ylabel="experiments",
            title="two-sample tests: alarms are the first bar",
        ),
    }
    facts = {f"{name} interval catches [%]": 100 * float(ok.mean()) for name, ok in caught.items()}
    return Frame(
        step, of, views, facts | {"tests that raise an alarm [%]": 100 * float((p < 0.05).mean())}
    )


def check() -> Iterator[Claim]:
    """Coverage of normal and of skewed data, false alarms, and the test against SciPy's."""
    random = np.random.default_rng(0)
    for kind, low, high in (("normal", 93.5, 96.5), ("exponential", 90.0, 93.5)):
        x = draw(kind, 2000, 30, random)
        caught = 100 * hits(student_interval(x), MEANS[kind]).mean()
        yield between(f"95 % interval, {kind} draws, n = 30: catches [%]", caught, low, high)
    x, y = random.normal(size=(2, 2000, 30))
    alarms = 100 * (two_sample_p(x, y) < 0.05).mean()
    yield near("False alarms of the 5 % t-test in 2,000 null experiments [%]", alarms, 5.0, 1.5)
    # Student's own table (1908 and since): 2.045 for 29 degrees of freedom
    yield near("t of the 95 % interval with 29 degrees of freedom", _t(0.975, 29), 2.045, 5e-4)
