"""Focal loss: stop counting the easy ones.

When one example in a hundred matters, the other ninety-nine are soon right, and their many small
losses still add up to most of the total. Focal loss turns down whatever is already right:
`FL(p_t) = −(1 − p_t)^γ log p_t`, with `p_t` the probability given to the true class. `γ = 0` is
cross-entropy; at `γ = 2` an example at `p_t = 0.9` weighs a hundred times less.

**Try:** raise γ from 0 and watch who owns the loss.

Source: Lin et al. (2017), Focal loss for dense object detection.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np

from demos.kit import (
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
from engine.views import Array, Bars, Curve, Frame, Histogram, View

GROUPS = ("easy negatives", "hard negatives", "easy positives", "hard positives")
EASY = 0.5  # an example is easy when its true class has more than this


def focal(p_t: Array, gamma: float) -> Array:
    """The loss [nat] at the true class's probability, any shape."""
    return np.asarray(-((1 - p_t) ** gamma) * np.log(p_t))


def scores(imbalance: int, seed: int = 0) -> tuple[Array, Array]:
    """A synthetic half-trained detector: p_t of each example and whether it is positive.

    Logits for the true class are normal: 4 ± 0.8 for the many negatives, save that one in 200
    looks like an object, 0 ± 1; and −0.5 ± 1.5 for the positives, of which there are 100.
    """
    generator = np.random.default_rng(seed)
    negatives = generator.normal(4.0, 0.8, 100 * imbalance)
    negatives[::200] = generator.normal(0.0, 1.0, len(negatives[::200]))
    positives = generator.normal(-0.5, 1.5, 100)
    logits = np.concatenate([negatives, positives])
    return 1 / (1 + np.exp(-logits)), np.arange(len(logits)) >= len(negatives)


def shares(p_t: Array, positive: Array, gamma: float) -> Array:
    """The part of the total loss that each of the four groups owns, `(4,)`."""
    loss, hard = focal(p_t, gamma), p_t <= EASY
    owned = [
        loss[(positive == side) & (hard == difficulty)].sum()
        for side in (False, True)
        for difficulty in (False, True)
    ]
    return np.asarray(np.array(owned) / loss.sum())


def picture(gamma: float, imbalance: int) -> Frame:
    """Who owns the loss at this γ, beside cross-entropy."""
    p_t, positive = scores(imbalance)
    now, before = shares(p_t, positive, gamma), shares(p_t, positive, 0.0)
    grid, edges = np.linspace(0.005, 0.995, 199), np.linspace(0, 1, 41)
    views: dict[str, View] = {
        "owners": Bars(
            GROUPS,
            {"cross-entropy, γ = 0": before, "focal, γ as set": now},
            xlabel="examples",
            ylabel="share of the total loss",
            title="who owns the loss?",
        ),
        "loss": Curve(
            grid,
            {
                "cross-entropy": focal(grid, 0.0),
                "γ = 2": focal(grid, 2.0),
                "γ as set": focal(grid, gamma),
            },
            "probability of the true class p_t",
            "loss [nat]",
            title="the curve bends down where it is right",
        ),
        "by probability": Histogram(
            edges,
            {
                name: np.histogram(p_t, edges, weights=focal(p_t, g) / focal(p_t, g).sum())[0]
                for name, g in (("γ = 0", 0.0), ("γ as set", gamma))
            },
            xlabel="probability of the true class p_t",
            ylabel="share of the total loss",
            title="where on the axis the loss lies",
        ),
    }
    facts = {
        "easy negatives' share of the loss": float(now[0]),
        "their share of the examples": float((~positive & (p_t > EASY)).mean()),
        "weight at p_t = 0.9": (1 - 0.9) ** gamma,
    }
    return Frame(1, 1, views, facts)


@lab(
    covers=["focal-loss"],
    seconds=1,
    tries={
        "Cross-entropy": {"gamma": 0.0},
        "The paper's choice": {"gamma": 2.0},
        "A thousand to one": {"gamma": 2.0, "imbalance": 1000},
    },
    question=Question(
        "At γ = 2, how much less does an example at p_t = 0.9 count than with cross-entropy?",
        ("2 times", "10 times", "100 times"),
        2,
        "The factor is (1 − 0.9)² = 1/100. At p_t = 0.5 it is only 1/4.",
    ),
    needs=["cross-entropy"],
)
def run(
    gamma: Annotated[float, Slider(0.0, 5.0, help="Easy examples count less", live=True)] = 2.0,
    imbalance: Annotated[
        int, Slider(1, 1000, log=True, help="More negatives for each positive", live=True)
    ] = 100,
) -> Frames:
    """The loss and its owners, again at every change."""
    yield from interactive(picture, gamma=gamma, imbalance=imbalance)


def check() -> Iterator[Claim]:
    """The factors are exact, and the easy negatives lose their share."""
    for p_t, factor in ((0.9, 100.0), (0.968, 976.5625), (0.5, 4.0)):
        p = np.array(p_t)
        ratio = float(focal(p, 0.0) / focal(p, 2.0))
        yield near(f"Cross-entropy over focal loss, γ = 2, at p_t = {p_t}", ratio, factor, 1e-6)
    owned = np.array([[shares(*scores(100, seed), g)[0] for g in (0.0, 2.0)] for seed in range(5)])
    yield above("Easy negatives' share at γ = 0, least of 5 seeds", owned[:, 0].min(), 0.5)
    yield below("Easy negatives' share at γ = 2, largest of 5 seeds", owned[:, 1].max(), 0.03)
