"""A positive test: how likely am I ill?

Bayes' theorem turns a probability round:
`P(ill | positive) = P(positive | ill) P(ill) / P(positive)`. When an illness is rare, even a good
test's positives are mostly false alarms: there are so many healthy people to be wrong about. The
same rule learns from data one observation at a time: a belief `Beta(a, b)` about a coin becomes
`Beta(a + heads, b + tails)`.

**Try:** move the prevalence from 1 % to 20 % and watch the false alarms become a minority.

Source: Gelman et al. (2013), Bayesian Data Analysis, chapters 1 and 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated

import numpy as np

from demos.kit import Claim, Frames, Question, Slider, interactive, lab, near
from engine.views import Array, Bars, Curve, Frame, Points, View

COLUMNS, PEOPLE = 40, 1000
GROUPS = ("ill, found", "ill, missed", "healthy, false alarm", "healthy, cleared")
CHANCE = np.linspace(0.0005, 0.9995, 1000)  # the coin's chance of heads, middles of 1,000 cells


def posterior(prevalence: float, sensitivity: float, specificity: float) -> float:
    """`P(ill | positive)` by Bayes' theorem."""
    ill_found = sensitivity * prevalence
    false_alarm = (1 - specificity) * (1 - prevalence)
    return ill_found / (ill_found + false_alarm) if ill_found + false_alarm > 0 else prevalence


def beta(a: float, b: float) -> Array:
    """The density of Beta(a, b) over `CHANCE`, `(1000,)`: `p^(a−1) (1 − p)^(b−1)`, scaled."""
    log = (a - 1) * np.log(CHANCE) + (b - 1) * np.log1p(-CHANCE)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return np.exp(log + scale)


def updated(density: Array, heads: bool) -> Array:
    """Bayes' theorem for one flip: multiply by the chance of what was seen, and rescale."""
    product = density * (CHANCE if heads else 1 - CHANCE)
    return np.asarray(product / product.mean())


@lab(
    covers=["bayes-theorem"],
    seconds=1,
    tries={
        "A rare illness": {"prevalence": 0.001},
        "A test of the sick ward": {"prevalence": 0.3},
        "Perfectly specific": {"specificity": 1.0},
    },
    question=Question(
        "1 % are ill; the test finds 99 % of them and clears 95 % of the healthy. You test "
        "positive. How likely are you ill?",
        ("99 %", "95 %", "17 %"),
        2,
        "Of 1,000 people about 10 are ill and found, and about 50 are healthy and alarmed: 10/60.",
    ),
)
def run(
    prevalence: Annotated[
        float, Slider(0.001, 0.5, log=True, help="More are ill", live=True)
    ] = 0.01,
    sensitivity: Annotated[float, Slider(0.5, 1, help="More ill are found", live=True)] = 0.99,
    specificity: Annotated[float, Slider(0.5, 1, help="Fewer false alarms", live=True)] = 0.95,
    flips: Annotated[int, Slider(0, 200, help="More flips of the coin", live=True)] = 10,
    coin: Annotated[float, Slider(0.05, 0.95, help="Its true chance of heads", live=True)] = 0.7,
    prior: Annotated[float, Slider(1, 30, help="A firmer belief that it is fair", live=True)] = 1.0,
) -> Frames:
    """Recolour 1,000 people; beside them, learn a coin's chance flip by flip."""
    yield from interactive(
        picture,
        prevalence=prevalence,
        sensitivity=sensitivity,
        specificity=specificity,
        flips=flips,
        coin=coin,
        prior=prior,
    )


def picture(
    prevalence: float, sensitivity: float, specificity: float, flips: int, coin: float, prior: float
) -> Frame:
    """People by group, belief before and after the test, and belief about the coin."""
    chance = posterior(prevalence, sensitivity, specificity)
    shares = [
        prevalence * sensitivity,
        prevalence * (1 - sensitivity),
        (1 - prevalence) * (1 - specificity),
        (1 - prevalence) * specificity,
    ]
    ends = np.round(np.cumsum(shares) * PEOPLE)  # rounded so that the groups add up to 1,000
    group = np.searchsorted(ends, np.arange(PEOPLE), side="right").clip(0, 3)
    place = np.arange(PEOPLE)
    seats = np.stack([place // (PEOPLE // COLUMNS), place % (PEOPLE // COLUMNS)], axis=1)
    counts = np.bincount(group, minlength=4)
    heads = int((np.random.default_rng(7).random(200)[:flips] < coin).sum())
    after = beta(prior + heads, prior + flips - heads)
    views: dict[str, View] = {
        "people": Points(
            seats,
            group,
            GROUPS,
            equal=True,
            title=f"1,000 people: {counts[0]} ill and found, {counts[2]} false alarms",
            xlabel="each dot is one of 1,000 people",
        ),
        "belief": Bars(
            ("before the test", "after a positive", "after a negative"),
            {
                "probability of being ill": np.array(
                    [prevalence, chance, 1 - posterior(1 - prevalence, specificity, sensitivity)]
                )
            },
            ylabel="probability",
            title="belief, before and after",
        ),
        "coin": Curve(
            CHANCE,
            {"before any flip": beta(prior, prior), f"after {heads} heads of {flips}": after},
            "chance of heads",
            "density of belief",
            marks={"truth": coin},
            title="learning a coin",
        ),
    }
    facts = {
        "ill, given a positive test [%]": 100 * chance,
        "false alarms among the positives [%]": 100 * (1 - chance),
        "mean belief in heads [1]": (prior + heads) / (2 * prior + flips),
    }
    return Frame(1, 1, views, facts)


def check() -> Iterator[Claim]:
    """The textbook posterior, the same by simulation, and a coin learned in ten flips."""
    exact = 100 * posterior(0.01, 0.99, 0.95)
    yield near("Ill given a positive [%]; prevalence 1 %, 99 %, 95 %", exact, 100 / 6, 1e-9)
    random = np.random.default_rng(0)
    ill = random.random(1_000_000) < 0.01
    positive = random.random(1_000_000) < np.where(ill, 0.99, 0.05)
    yield near(
        "The same among 1,000,000 simulated people [%]", 100 * ill[positive].mean(), exact, 0.5
    )
    belief = np.ones(1000)
    for heads in 7 * [True] + 3 * [False]:
        belief = updated(belief, heads)
    mean = float((CHANCE * belief).mean())
    yield near("Mean belief after 7 heads and 3 tails, flip by flip", mean, 8 / 12, 1e-4)
    gap = float(np.abs(belief - beta(8, 4)).max())
    yield near("Flip by flip against the formula Beta(8, 4), largest gap", gap, 0.0, 1e-4)
