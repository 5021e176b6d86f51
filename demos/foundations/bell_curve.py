"""Why is the bell curve everywhere?

Take the mean of `n` independent draws. The law of large numbers: it approaches the true mean `μ`.
The central limit theorem: whatever the draws look like (with a finite spread `σ`), their mean
looks more and more like the bell of Gauss, with spread `σ/√n`. So four times as much data halves
the error. A distribution without a finite mean (Cauchy's) obeys neither law.

**Try:** draw with n = 1, then pull `n` up and watch the shape forget where it came from.

Source: Wasserman (2004), All of Statistics, chapter 5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated

import numpy as np

from demos.kit import (
    Choice,
    Claim,
    Frames,
    Question,
    Slider,
    above,
    below,
    interactive,
    lab,
    near,
)
from engine.views import Array, Curve, Frame, Histogram, View

SAMPLES = 4000  # how many means make the histogram
SIZES = 2 ** np.arange(0, 11)  # 1, 2, 4 ... 1024 draws a mean

Draw = Callable[[np.random.Generator, int, int], Array]
DISTRIBUTIONS: Mapping[str, tuple[Draw, float, float]] = {  # draws (rows, columns); mean; spread
    "exponential (waiting)": (lambda r, m, n: r.exponential(1.0, (m, n)), 1.0, 1.0),
    "uniform": (lambda r, m, n: r.random((m, n)), 0.5, math.sqrt(1 / 12)),
    "die": (lambda r, m, n: r.integers(1, 7, (m, n)), 3.5, math.sqrt(35 / 12)),
    "rare event (1 in 20)": (lambda r, m, n: r.random((m, n)) < 0.05, 0.05, math.sqrt(0.0475)),
    "Cauchy (no mean)": (lambda r, m, n: r.standard_cauchy((m, n)), 0.0, 1.0),
}


def means(distribution: str, draws: int, samples: int, seed: int) -> Array:
    """The means of `draws` values each, `(samples,)`, drawn 256 samples at a time."""
    draw, generator = DISTRIBUTIONS[distribution][0], np.random.default_rng(seed)
    parts = [
        draw(generator, min(256, samples - i), draws).mean(axis=1) for i in range(0, samples, 256)
    ]
    return np.concatenate(parts)


def bell(z: Array) -> Array:
    """The standard normal density."""
    return np.asarray(np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi))


def distance_to_bell(z: Array) -> float:
    """Kolmogorov and Smirnov's distance: the widest gap between the shares below z, `(n,)`."""
    z = np.sort(z)
    share = 0.5 * (1 + np.array([math.erf(one / math.sqrt(2)) for one in z]))
    steps = np.arange(len(z) + 1) / len(z)
    return float(max(np.abs(steps[1:] - share).max(), np.abs(steps[:-1] - share).max()))


@lab(
    covers=["probability-clt"],
    seconds=1,
    tries={
        "A single draw": {"size": 0},
        "Rare events need many": {"distribution": "rare event (1 in 20)", "size": 5},
        "No mean, no law": {"distribution": "Cauchy (no mean)", "size": 10},
    },
    question=Question(
        "You want the error of a mean ten times smaller. How much more data do you need?",
        ("10 times", "100 times", "1,000 times"),
        1,
        "The spread of a mean falls like 1/√n.",
    ),
)
def run(
    distribution: Annotated[str, Choice(tuple(DISTRIBUTIONS), live=True)] = "exponential (waiting)",
    size: Annotated[
        int, Slider(0, 10, unit="log2 n", help="Draws a mean: 2 to this", live=True)
    ] = 2,
    seed: Annotated[int, Slider(0, 99, help="Other draws", live=True)] = 0,
) -> Frames:
    """Show the shape of many means of n draws, their spread, and one mean that settles."""
    yield from interactive(picture, distribution=distribution, size=size, seed=seed)


def picture(distribution: str, size: int, seed: int) -> Frame:
    """The histogram of the means, their spread against n, and the walk of a single mean."""
    draw, mean, spread = DISTRIBUTIONS[distribution]
    n = int(SIZES[size])
    z = (means(distribution, n, SAMPLES, seed) - mean) * math.sqrt(n) / spread
    edges = np.linspace(-4, 4, 65)
    counts = np.histogram(np.clip(z, -3.99, 3.99), edges)[0] / (SAMPLES * (edges[1] - edges[0]))
    shape = Histogram(
        edges,
        {f"means of {n} draws": counts},
        {"bell": bell(edges)},
        "distance from the true mean, in units of σ/√n (ends collect the rest)",
        "density",
        title=f"{SAMPLES} means of n = {n}",
    )
    spreads = [_middle(means(distribution, int(k), 500, seed)) for k in SIZES]
    fall = {"spread of the means": np.array(spreads), "σ/√n": spread / np.sqrt(SIZES)}
    one = draw(np.random.default_rng(seed + 1000), 1, 2000)[0]
    settle = np.cumsum(one) / np.arange(1, 2001)
    lines = {"mean so far": settle, "true mean": np.full(2000, mean)}
    views: dict[str, View] = {
        "shape": shape,
        "spread": Curve(
            SIZES,
            fall,
            "draws n",
            "spread",
            True,
            True,
            {"n": float(n)},
            True,
            "four times the data, half the spread",
        ),
        "one": Curve(
            np.arange(1, 2001),
            lines,
            "draws so far",
            "mean",
            logx=True,
            title="one mean settling (or not)",
        ),
    }
    facts = {
        "distance to the bell (KS) [1]": distance_to_bell(z),
        "spread of the means": _middle(z * spread / math.sqrt(n)),
    }
    return Frame(1, 1, views, facts)


def _middle(values: Array) -> float:
    """Half the width that holds the middle 68 %: the spread σ of a bell, finite for Cauchy too."""
    low, high = np.quantile(values, [0.1587, 0.8413])
    return float(max(high - low, 1e-9) / 2)


def check() -> Iterator[Claim]:
    """The spread falls like 1/√n and the shape becomes the bell's."""
    name = "exponential (waiting)"
    spreads = [means(name, int(n), 4000, 1).std() for n in SIZES]
    fit = np.polyfit(np.log(SIZES), np.log(spreads), 1)[0]
    yield near("Slope of log spread against log n, exponential draws", fit, -0.5, 0.02)
    few = (means(name, 4, 20_000, 2) - 1) * 2
    yield above("Distance to the bell (KS) at n = 4", distance_to_bell(few), 0.06)
    many = (means(name, 1024, 4000, 3) - 1) * 32
    yield below("Distance to the bell (KS) at n = 1024", distance_to_bell(many), 0.03)
