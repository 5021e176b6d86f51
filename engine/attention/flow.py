"""How attention adds up over layers: rollout and flow.

Both take the weights of a stack of self-attentions, averaged over heads, and let half of each
layer go around it by the residual connection: `Ã = ½ A + ½ I`, rows made to sum to 1.

Source: Abnar & Zuidema (2020), Quantifying attention flow in transformers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from engine.views import Array

Fuse = Literal["mean", "max", "min"]

UNITS = 1_000_000  # the solver counts in whole numbers: a capacity of 1 is so many


def mixed(weights: Array, fuse: Fuse = "mean", residual: float = 0.5) -> Array:
    """One layer's heads `(heads, n, n)` as one matrix with the residual path, `(n, n)`."""
    one = {"mean": weights.mean(0), "max": weights.max(0), "min": weights.min(0)}[fuse]
    both = (1 - residual) * one + residual * np.eye(one.shape[-1])
    return np.asarray(both / both.sum(-1, keepdims=True))


def rollout(layers: Sequence[Array], fuse: Fuse = "mean", residual: float = 0.5) -> list[Array]:
    """How much of each first token there is in each place after every layer.

    The layers' matrices are multiplied as one goes up, so rows sum to 1.

    Args:
        layers: Weights `(heads, n, n)`, the first layer first.
        fuse: How heads become one.
        residual: Which part goes around a layer.

    Returns:
        For every layer `(n, n)`: row a place after it, column a first token.
    """
    found: list[Array] = []
    for weights in layers:
        step = mixed(weights, fuse, residual)
        found.append(step @ found[-1] if found else step)
    return found


def flow(layers: Sequence[Array], place: int, fuse: Fuse = "mean", residual: float = 0.5) -> Array:
    """The most that can flow from a place of the last layer down to each first token, `(n,)`.

    Tokens of all layers are knots, weights the widths of the pipes between them; other than in
    rollout, a narrow pipe on the way cannot be made good by a wide one after it.
    """
    steps = [mixed(weights, fuse, residual) for weights in layers]
    n = steps[0].shape[0]
    begins, ends, widths = [], [], []
    for level, step in enumerate(steps):
        rows, columns = np.nonzero(step > 1 / UNITS)
        begins.append((level + 1) * n + rows)
        ends.append(level * n + columns)
        widths.append(np.rint(step[rows, columns] * UNITS))
    knots = (len(steps) + 1) * n
    pipes = csr_array(
        (
            np.concatenate(widths).astype(np.int32),
            (np.concatenate(begins), np.concatenate(ends)),
        ),
        shape=(knots, knots),
    )
    top = len(steps) * n + place
    return np.array([maximum_flow(pipes, top, token).flow_value for token in range(n)]) / UNITS
