"""Two test functions that searches are compared on, with every dial scaled to [0, 1].

Source: Forrester et al. (2008), Engineering design via surrogate modelling;
Branin (1972), Widely convergent method for finding multiple solutions.
"""

from __future__ import annotations

import numpy as np

from engine.views import Array

LEAST = {1: -6.020740, 2: 0.397887}  # the lowest value by the number of dials, as published


def truth(x: Array) -> Array:
    """Forrester's function of one dial, Branin's of two: `(..., dials)` to `(...)`."""
    if x.shape[-1] == 1:
        return np.asarray((6 * x[..., 0] - 2) ** 2 * np.sin(12 * x[..., 0] - 4))
    a, b = 15 * x[..., 0] - 5, 15 * x[..., 1]
    valley = (b - 5.1 / (4 * np.pi**2) * a**2 + 5 / np.pi * a - 6) ** 2
    return np.asarray(valley + 10 * (1 - 1 / (8 * np.pi)) * np.cos(a) + 10)


def regret(x: Array) -> float:
    """How far the best of some trials, `(n, dials)`, lies above the lowest value there is."""
    return float(truth(x).min() - LEAST[x.shape[1]])
