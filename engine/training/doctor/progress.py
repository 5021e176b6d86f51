"""A loss that does not come down as it should, or comes down for the wrong samples only."""

from __future__ import annotations

import math

import numpy as np

from engine.training.doctor import Finding, rules
from engine.training.doctor.chart import Chart

FEW = 12  # points of a curve below which nothing is said
WORSE = 0.15  # of the loss of guessing, by which the validation loss must have risen
SHORT = 1e-3  # a learning rate below which steps may be too short
SOON = 1.0  # epochs before which nothing is said of progress


@rules.add("overfitting")
def overfitting(chart: Chart) -> Finding | None:
    """What is learnt gets better while what is not gets worse."""
    if len(chart.valid) < FEW or not np.isfinite(chart.valid).all():
        return None
    best = int(np.argmin(_smooth(chart.valid)))
    least, now = float(_smooth(chart.valid)[best]), float(np.mean(chart.valid[-3:]))
    known = float(np.mean(chart.recent))
    late = best < 0.7 * len(chart.valid)
    if not (late and now > 1.25 * least + WORSE * chart.chance and now > 2 * known):
        return None
    return Finding(
        "Overfitting",
        f"The validation loss was best, {least:.3g}, at step {chart.steps[best]:,.0f}; it is "
        f"{now:.3g} now, while the training loss is {known:.3g}.",
        "The network has begun to learn the training samples by heart instead of what they have "
        "in common.",
        "Stop early (patience 5), with more weight decay",
        {"patience": 5, "weight_decay": max(0.01, min(0.1, 3 * chart.settings.weight_decay))},
    )


@rules.add("underfitting")
def underfitting(chart: Chart) -> Finding | None:
    """The end comes while even the training samples are badly known, though it goes on well."""
    if len(chart.train) < FEW or chart.epochs < 0.95 * chart.settings.epochs or _stuck(chart):
        return None
    score = float(np.mean(chart.train_score[-max(3, len(chart.train) // 10) :]))
    falling = float(np.mean(chart.recent)) < 0.93 * float(np.mean(chart.train[-2 * _part(chart) :]))
    halfway = chart.guess + 0.5 * (1 - chart.guess)
    if score >= halfway or not falling:
        return None
    return Finding(
        "Stopped too soon",
        f"Only {100 * score:.0f} % of the training samples are right at the end, and the loss was "
        f"still falling.",
        "The network could learn more of what it is shown; it was not given the time.",
        "Train four times as long",
        {"epochs": min(1000, 4 * chart.settings.epochs)},
    )


@rules.add("rate-large")
def rate_large(chart: Chart) -> Finding | None:
    """Steps so long that the loss jumps about or rises.

    Source: LeCun et al. (1998), Efficient backprop.
    """
    if len(chart.train) < FEW or chart.epochs < SOON:
        return None
    recent = chart.recent
    mean, jump = float(np.mean(recent)), float(np.std(np.diff(recent)))
    worse = mean > 1.2 * max(chart.chance, 1e-9) and mean > 0.9 * chart.initial
    wild = jump > 0.6 * mean and mean > 0.7 * chart.chance
    if not (worse or wild):
        return None
    return Finding(
        "Learning rate too large",
        f"The training loss is {mean:.3g} lately and jumps by {jump:.2g} from point to point; "
        f"guessing gives {chart.chance:.3g}.",
        "Each step goes past the valley it aims at, and lands higher on the other side.",
        f"A tenth of the learning rate, {chart.settings.learning_rate / 10:.2g}",
        {"learning_rate": max(1e-5, chart.settings.learning_rate / 10)},
    )


@rules.add("rate-small")
def rate_small(chart: Chart) -> Finding | None:
    """Steps so short that the loss creeps."""
    if len(chart.valid) < FEW or chart.epochs < SOON or chart.settings.learning_rate >= SHORT:
        return None
    smooth = _smooth(chart.valid)  # always the same samples: less noise than the batches
    drop = float(smooth[0] - smooth[-1]) / max(float(smooth[0]), 1e-12)
    steady = float(np.mean(np.diff(smooth) < 0)) > 0.8
    if not (steady and 0 < drop < 0.2 and smooth[-1] > 0.6 * chart.chance):
        return None
    return Finding(
        "Learning rate too small",
        f"In {chart.epochs:.1f} epochs the loss came down by {100 * drop:.1f} % only, evenly.",
        "The direction is right, but each step is so short that arriving takes for ever.",
        f"Ten times the learning rate, {min(3.0, 10 * chart.settings.learning_rate):.2g}",
        {"learning_rate": min(3.0, 10 * chart.settings.learning_rate)},
    )


@rules.add("plateau")
def plateau(chart: Chart) -> Finding | None:
    """The loss of guessing, and no way down."""
    if len(chart.train) < FEW or chart.epochs < 2 * SOON or not _stuck(chart):
        return None
    return Finding(
        "Stuck at guessing",
        f"The loss stays at {np.mean(chart.recent):.3g}; knowing only how frequent the answers "
        f"are gives {chart.chance:.3g}.",
        "The network has learnt nothing but the frequencies: its units are all alike, saturated "
        "or dead, or the inputs hold no hint of the answers.",
        "Begin with He's first weights and Adam at 0.003",
        {"initialisation": "He", "optimizer": "Adam", "learning_rate": 0.003},
    )


def _stuck(chart: Chart) -> bool:
    """Whether the loss has stayed within 4 % of guessing for the last half of the points."""
    half = chart.train[len(chart.train) // 2 :]
    level = chart.chance
    if not level or not np.isfinite(half).all():
        return False
    close = abs(float(np.mean(half)) - level) < 0.04 * level
    flat = float(np.mean(half[: len(half) // 2])) - float(np.mean(half[len(half) // 2 :]))
    return close and flat < 0.01 * level


def _part(chart: Chart) -> int:
    return max(3, len(chart.train) // 4)


def _smooth(values: np.ndarray) -> np.ndarray:
    """Means over a tenth of the points."""
    width = max(1, math.ceil(len(values) / 10))
    padded = np.pad(values, (width // 2, width - 1 - width // 2), mode="edge")
    return np.convolve(padded, np.ones(width) / width, mode="valid")
