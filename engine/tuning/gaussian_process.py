"""A belief about a function after a few trials, and where the next trial promises most.

Places are `(n, d)`, the values found there `(n,)`. The values are shifted and scaled to mean 0 and
spread 1 first, so that the prior (mean 0, spread 1) fits any function.

Source: Rasmussen & Williams (2006), Gaussian Processes for Machine Learning, algorithm 2.1.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import torch

from engine.views import Array

JITTER = 1e-6  # added to the diagonal: keeps the matrix invertible
LENGTHS = (0.06, 0.12, 0.25, 0.5, 1.0)  # length scales tried, in sides of the unit square


def kernel(A: Array, B: Array) -> Array:
    """How alike the losses at two places are (Matérn 5/2): `(..., n, d)`, `(..., m, d)`."""
    r = np.sqrt(5 * ((A[..., :, None, :] - B[..., None, :, :]) ** 2).sum(-1))
    return np.asarray((1 + r + r**2 / 3) * np.exp(-r))


def posterior(X: Array, y: Array, at: Array, length: Array) -> tuple[Array, Array]:
    """Mean and standard deviation at the places `(m, d)` after the trials; each `(m,)`."""
    centre, spread = y.mean(), y.std()
    L = np.linalg.cholesky(kernel(X / length, X / length) + JITTER * np.eye(len(X)))
    cross = np.linalg.solve(L, kernel(X / length, at / length))  # (n, m)
    mean = cross.T @ np.linalg.solve(L, (y - centre) / spread)
    doubt = np.sqrt(np.maximum(1 - (cross**2).sum(0), 0))
    return centre + spread * mean, spread * doubt


def best_length(X: Array, y: Array) -> Array:
    """The length scale of each dial under which the trials so far are most probable, `(d,)`."""
    lengths = np.array(list(product(LENGTHS, repeat=X.shape[1])))  # (k, d)
    scaled, z = X / lengths[:, None], (y - y.mean()) / y.std()
    L = np.linalg.cholesky(kernel(scaled, scaled) + JITTER * np.eye(len(X)))
    fit = np.linalg.solve(L, np.broadcast_to(z[:, None], (len(L), len(z), 1)))
    size = np.log(np.diagonal(L, axis1=1, axis2=2)).sum(1)
    return np.asarray(lengths[(-0.5 * (fit**2).sum((1, 2)) - size).argmax()])


def expected_improvement(mean: Array, doubt: Array, best: float) -> Array:
    """How much lower than `best` a trial will be on average, same shape as `mean`."""
    z = torch.from_numpy((best - mean) / np.maximum(doubt, 1e-12))
    density = torch.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return np.asarray((best - mean) * torch.special.ndtr(z).numpy() + doubt * density.numpy())
