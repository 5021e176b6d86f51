"""Sums whose summands nobody sees: pairwise masks that cancel.

All numbers are whole and counted modulo 2³², so a masked number is as likely to be any number,
and the masks cancel exactly.

Source: Bonawitz et al. (2017), Practical secure aggregation for privacy-preserving machine
learning.
"""

from __future__ import annotations

import numpy as np

from engine.views import Array

STEP = 2.0**-20  # a real number is sent as a whole number of such steps


def masks(clients: int, shape: tuple[int, ...], seed: int) -> Array:
    """What each client adds, `(clients, *shape)`; together nothing."""
    random, total = np.random.default_rng(seed), np.zeros((clients, *shape), dtype=np.uint32)
    for a in range(clients):
        for b in range(a):  # each pair draws a mask that only they know
            shared = random.integers(0, 2**32, shape, dtype=np.uint32)
            total[a] += shared
            total[b] -= shared
    return total


def masked(updates: Array, seed: int) -> Array:
    """What each client sends instead of its update, same shape, whole numbers."""
    whole = np.round(updates / STEP).astype(np.int64).astype(np.uint32)
    return np.asarray(whole + masks(len(updates), updates.shape[1:], seed))


def mean(sent: Array) -> Array:
    """The mean of the updates, from what was sent; each must lie within ±2048 over their number."""
    total = sent.sum(axis=0, dtype=np.uint32).astype(np.int32)
    return np.asarray(total * STEP / len(sent))
