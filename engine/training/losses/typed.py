"""A loss that the visitor types: any formula in the prediction p and the target t."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from torch.nn import functional

from engine.training.losses import losses

Tensor = torch.Tensor


@losses.add("formula", tasks=["classification", "regression"])
def typed(scores: Tensor, y: Tensor, loss_formula: str = "(p - t)**2") -> Tensor:
    """A formula in p and t, summed over classes (p is a chance, t is 1 or 0), or mean over outputs.

    `-t*log(p)` is cross-entropy, `(p - t)**2` the Brier score or the squared error.

    Source: Abramowitz & Stegun (1964), Handbook of mathematical functions, for the functions.
    """
    loss = _read(loss_formula)
    if scores.dtype.is_floating_point and y.dtype == torch.int64:
        chances = scores.softmax(1).clamp(1e-7, 1)  # a logarithm of nothing would end the run
        target = functional.one_hot(y, scores.shape[1]).to(scores.dtype)
        return loss(chances, target).sum(1)
    return loss(scores, y).mean(1)


@lru_cache(maxsize=16)
def _read(text: str) -> Callable[..., Tensor]:
    """The formula as a function of tensors."""
    from engine.maths import formula  # sympy takes half a second to load

    return formula.of_tensors(formula.read(text, "pt", {}), "pt")
