"""How wrong scores for classes are."""

from __future__ import annotations

import torch
from torch.nn import functional

from engine.training.losses import losses

Tensor = torch.Tensor
TASKS = ["classification"]


@losses.add("cross-entropy", tasks=TASKS, unit="nat")
def cross_entropy(scores: Tensor, y: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """The surprise at the true class, −log p; smoothing shares ε of the target among all classes.

    Source: Szegedy et al. (2016), Rethinking the Inception architecture (label smoothing).
    """
    return functional.cross_entropy(scores, y, reduction="none", label_smoothing=label_smoothing)


@losses.add("focal", tasks=TASKS, unit="nat")
def focal(scores: Tensor, y: Tensor, focal_gamma: float = 2.0) -> Tensor:
    """Cross-entropy times (1 − p)^γ: what is right already counts less.

    Source: Lin et al. (2017), Focal loss for dense object detection.
    """
    surprise = functional.cross_entropy(scores, y, reduction="none")  # −log p
    return (1 - (-surprise).exp()).clamp_min(0) ** focal_gamma * surprise


@losses.add("binary cross-entropy", tasks=TASKS, unit="nat")
def binary_cross_entropy(scores: Tensor, y: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Each class a yes-or-no question of its own (sigmoid), summed over the classes.

    Source: Bishop (2006), Pattern recognition and machine learning, section 4.3.
    """
    target = _targets(scores, y, label_smoothing)
    each = functional.binary_cross_entropy_with_logits(scores, target, reduction="none")
    return each.sum(1)


@losses.add("hinge", tasks=TASKS)
def hinge(scores: Tensor, y: Tensor) -> Tensor:
    """How far the true score is from leading every other one by 1, summed over the others.

    Source: Weston & Watkins (1999), Support vector machines for multi-class pattern recognition.
    """
    own = scores.gather(1, y[:, None])
    short = (1 + scores - own).clamp_min(0)
    return short.sum(1) - 1.0  # the true class is 1 short of itself


@losses.add("KL divergence", tasks=TASKS, unit="nat")
def kl_divergence(scores: Tensor, y: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """From the (smoothed) target to the model's chances: Σ t log(t / p).

    Without smoothing it equals cross-entropy; with it, it is 0 where the model says just the
    target.

    Source: Kullback & Leibler (1951), On information and sufficiency.
    """
    target = _targets(scores, y, label_smoothing)
    return (torch.xlogy(target, target) - target * scores.log_softmax(1)).sum(1)


@losses.add("Brier", tasks=TASKS)
def brier(scores: Tensor, y: Tensor) -> Tensor:
    """The squared distance of the chances from the target: Σ (p − t)².

    Source: Brier (1950), Verification of forecasts expressed in terms of probability.
    """
    return (scores.softmax(1) - _targets(scores, y, 0.0)).square().sum(1)


def _targets(scores: Tensor, y: Tensor, smoothing: float) -> Tensor:
    """One for the true class and zero elsewhere, ε of it shared among all, `(n, classes)`."""
    classes = scores.shape[1]
    once = functional.one_hot(y, classes).to(scores.dtype)
    return once * (1 - smoothing) + smoothing / classes
