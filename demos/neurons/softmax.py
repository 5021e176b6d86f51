"""Scores into probabilities: softmax and its temperature.

Softmax turns any scores `z` into probabilities, `pᵢ = exp(zᵢ/T) / Σⱼ exp(zⱼ/T)`. Only differences
of scores count: adding the same number to all changes nothing, so subtract the largest first and
`exp` can never overflow. A high temperature `T` makes all alike, a low one lets the largest take
all. Its slopes are `∂pᵢ/∂zⱼ = (pᵢ [i = j] − pᵢ pⱼ)/T`: what one gains, the others lose.

**Try:** add 1,000 to all scores with and without subtracting the largest.

Source: Bridle (1990), Probabilistic interpretation of feedforward classification network outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch

from demos.kit import (
    Claim,
    Frames,
    Numbers,
    Question,
    Slider,
    Toggle,
    above,
    below,
    interactive,
    lab,
    same,
)
from engine.views import Array, Bars, Curve, Frame, Matrix, Note, View

NAMES = ("cat", "dog", "fox", "owl", "eel")
SCORES = [2.0, 1.0, 0.5, -1.0, -2.0]
TEMPERATURES = np.logspace(-2, 2, 81)


def softmax(z: Array, temperature: float = 1.0) -> Array:
    """Probabilities from scores along the last axis, safe for any scores: `(..., n)`."""
    z = z / temperature
    powers = np.exp(z - z.max(axis=-1, keepdims=True))  # the largest is exp(0) = 1
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def naive_softmax(z: Array, temperature: float = 1.0) -> Array:
    """The formula as it stands: beyond z/T = 709 `exp` overflows, and ∞/∞ is no number."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        powers = np.exp(z / temperature)
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def jacobian(p: Array) -> Array:
    """`∂pᵢ/∂zⱼ = diag(p) − p pᵀ` at temperature 1: `(n,)` to `(n, n)`."""
    return np.asarray(np.diag(p) - np.outer(p, p))


def entropy(p: Array) -> Array:
    """How undecided, `−Σ p ln p` [nat], along the last axis."""
    return -np.asarray((p * np.log(np.where(p > 0, p, 1.0))).sum(axis=-1))


@lab(
    covers=["softmax-temperature"],
    seconds=1,
    tries={
        "Nearly a maximum": {"temperature": 0.1},
        "Nearly all alike": {"temperature": 20.0},
        "Overflow": {"added": 1000.0, "stable": False},
    },
    question=Question(
        "You add 1,000 to every score. What happens to the (exact) probabilities?",
        ("All become 1", "Nothing", "The largest becomes 1"),
        1,
        "exp(1000) is a factor in every term above and below the line, and cancels. In a computer "
        "it overflows first, unless the largest score is subtracted.",
    ),
    needs=["information-theory"],
)
def run(
    scores: Annotated[list[float], Numbers(5, -5, 5, NAMES, across=5, live=True)] = SCORES,
    temperature: Annotated[float, Slider(0.01, 100, log=True, help="More alike", live=True)] = 1.0,
    added: Annotated[float, Slider(0, 1000, help="Added to every score", live=True)] = 0.0,
    stable: Annotated[bool, Toggle("Subtract the largest score first", live=True)] = True,
) -> Frames:
    """Show the probabilities, how each depends on each score, and what temperature does."""
    yield from interactive(
        picture, scores=scores, temperature=temperature, added=added, stable=stable
    )


def picture(scores: list[float], temperature: float, added: float, stable: bool) -> Frame:
    """Probabilities, their slopes, and entropy against temperature."""
    z = np.array(scores) + added
    right = softmax(z, temperature)
    p = right if stable else naive_softmax(z, temperature)
    lost = ~np.isfinite(p)
    words = "The probabilities sum to 1; every row of slopes sums to 0."
    if lost.any():
        power = f"exp({z.max() / temperature:.0f})"
        words = f"{power} overflows to ∞, and ∞/∞ is no number: {lost.sum()} of 5 bars are lost."
    every = softmax(z[None] / TEMPERATURES[:, None])  # (81, 5)
    slopes = jacobian(right) / temperature
    lines = {"entropy": entropy(every), "all alike, ln 5": np.full(81, np.log(5))}
    views: dict[str, View] = {
        "probabilities": Bars(
            NAMES,
            {"probability": np.where(lost, 0.0, p)},
            ylabel="probability",
            title="softmax of the scores",
        ),
        "slopes": Matrix(
            slopes,
            NAMES,
            NAMES,
            "score of",
            "probability of",
            "signed",
            True,
            title="how each probability answers to each score",
        ),
        "entropy": Curve(
            TEMPERATURES,
            lines,
            "temperature T",
            "entropy [nat]",
            logx=True,
            marks={"T": temperature},
            title="from certain to undecided",
        ),
        "path": Curve(
            TEMPERATURES,
            {n: every[:, i] for i, n in enumerate(NAMES)},
            "temperature T",
            "probability",
            logx=True,
            marks={"T": temperature},
            title="each probability against temperature",
        ),
        "words": Note(words, tone="bad" if lost.any() else "plain"),
    }
    facts = {
        "largest probability [1]": float(right.max()),
        "entropy [nat]": float(entropy(right)),
        "bars lost to overflow": float(lost.sum()),
    }
    return Frame(1, 1, views, facts)


def check() -> Iterator[Claim]:
    """Shifts, slopes, temperatures, two classes; with PyTorch as the judge."""
    z = np.random.default_rng(0).normal(0, 3, (200, 5))
    yield below(
        "softmax(z + 1000) − softmax(z), largest gap",
        np.abs(softmax(z + 1000) - softmax(z)).max(),
        1e-12,
    )
    with np.errstate(over="ignore"):
        yield same("exp(1000) in double precision is", str(np.exp(1000.0)), "inf")
    yield same(
        "Naive softmax(z + 1000): numbers left of 1,000",
        int(np.isfinite(naive_softmax(z + 1000)).sum()),
        0,
    )
    gaps = []
    for row in z[:20]:
        auto = torch.autograd.functional.jacobian(lambda s: torch.softmax(s, 0), torch.tensor(row))
        gaps.append(np.abs(jacobian(softmax(row)) - auto.numpy()).max())
    yield below("diag(p) − p pᵀ against autograd, largest gap", max(gaps), 1e-12)
    hot, cold = np.array(SCORES), np.array(SCORES)
    yield above("Entropy at T = 100 over ln K", float(entropy(softmax(hot, 100)) / np.log(5)), 0.99)
    yield below("Entropy at T = 0.01 [nat]", float(entropy(softmax(cold, 0.01))), 0.05)
    two = np.stack([z[:, 0], np.zeros(200)], axis=1)
    gap = np.abs(softmax(two)[:, 0] - torch.sigmoid(torch.tensor(z[:, 0])).numpy()).max()
    yield below("Two classes: softmax(z, 0) against the sigmoid of z", gap, 1e-12)
