"""What is wrong with the data rather than with the network."""

from __future__ import annotations

import numpy as np

from engine.training.doctor import Finding, rules
from engine.training.doctor.chart import Chart

UNEVEN = 5.0  # times as many samples of the most frequent class as of the rarest
MISSED = 0.5  # part of a rare class that is recognised
TWINS = 0.02
LARGE = 30.0  # spread of a feature


@rules.add("imbalance")
def imbalance(chart: Chart) -> Finding | None:
    """Rare classes that are given up.

    Source: Japkowicz & Stephen (2002), The class imbalance problem.
    """
    counts, recall = chart.counts, chart.recall
    if len(counts) < 2 or len(recall) != len(counts) or chart.epochs < 1:
        return None
    rare = int(np.argmin(counts))
    ratio = float(counts.max() / max(1.0, counts[rare]))
    if ratio < UNEVEN or recall[rare] >= MISSED or chart.settings.balance:
        return None
    return Finding(
        "A rare class is given up",
        f"There are {ratio:.0f} times fewer samples of {chart.classes[rare]} than of the most "
        f"frequent class; {100 * recall[rare]:.0f} % of them are recognised.",
        "Mistakes on a rare class hardly count in the mean, so the network saves its effort.",
        "Let every class count the same",
        {"balance": True},
    )


@rules.add("leakage")
def leakage(chart: Chart) -> Finding | None:
    """Answers that are known from elsewhere.

    Source: Kaufman et al. (2012), Leakage in data mining.
    """
    if chart.telltale:
        return Finding(
            "An answer is given away",
            f"One threshold on the column {chart.telltale!r} alone tells the two classes apart, "
            f"without a mistake.",
            "Such a column often was written down after the answer was known; in use it will not "
            "be there.",
            "Take the column out of the table if it would not be known beforehand",
        )
    if chart.twins < TWINS:
        return None
    return Finding(
        "Validation samples seen in training",
        f"{100 * chart.twins:.0f} % of the validation samples stand in the training set too.",
        "The validation score then tells how well the network remembers, not how well it does on "
        "what is new.",
        "Remove the doubles from the table before it is split",
    )


@rules.add("scale")
def scale(chart: Chart) -> Finding | None:
    """Inputs so large that units saturate from the first step.

    Source: LeCun et al. (1998), Efficient backprop.
    """
    largest = float(np.max(chart.spread)) if len(chart.spread) else 0.0
    if largest < LARGE:
        return None
    return Finding(
        "Inputs of very different size",
        f"A feature has a standard deviation of {largest:.3g}; about 1 is usual.",
        "Large inputs drive units into saturation and make the loss steep in one direction and "
        "flat in others.",
        "Standardise the columns (ask for the data with scaling)",
    )
