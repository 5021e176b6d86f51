"""How well numbers tell two groups apart: the ROC curve, the area under it, the advantage."""

from __future__ import annotations

import numpy as np

from engine.views import Array


def roc(members: Array, others: Array) -> tuple[Array, Array]:
    """False and true positive rates over all thresholds, rising from (0, 0) to (1, 1).

    Args:
        members: Scores of the group to be found, `(n,)`; larger means more likely in it.
        others: Scores of the rest, `(m,)`.
    """
    scores = np.concatenate([members, others])
    own = np.concatenate([np.ones(len(members)), np.zeros(len(others))])
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)  # equal scores share a threshold
    true = np.append(0, own[order].cumsum()[last]) / len(members)
    false = np.append(0, (1 - own[order]).cumsum()[last]) / len(others)
    return false, true


def auc(members: Array, others: Array) -> float:
    """The chance that a member scores higher than another; a half is guessing."""
    false, true = roc(members, others)
    return float(np.trapezoid(true, false))


def advantage(members: Array, others: Array) -> float:
    """The largest difference of true and false positive rate over all thresholds."""
    false, true = roc(members, others)
    return float((true - false).max())


def caught_at(members: Array, others: Array, alarm: float) -> float:
    """Part of the members found while at most a part `alarm` of the others is suspected."""
    false, true = roc(members, others)
    return float(true[false <= alarm].max())
