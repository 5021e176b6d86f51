"""Maximum mean discrepancy: two clouds are alike when no smooth function tells their means apart.

Source: Gretton et al. (2012), A Kernel Two-Sample Test.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from engine.generate.measures import measures
from engine.generate.model import Generative
from engine.generate.source import Source

MOST = 1000  # samples of each side

Kernel = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def rbf(bandwidth: float) -> Kernel:
    """k(x, y) = exp(-‖x - y‖² / 2h²) for all pairs: `(n, d)`, `(m, d)` -> `(n, m)`."""
    return lambda x, y: (-torch.cdist(x, y).square() / (2 * bandwidth**2)).exp()


def cubic(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """k(x, y) = (x·y / d + 1)³ for all pairs, which needs no bandwidth."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def unbiased_mmd(x: torch.Tensor, y: torch.Tensor, kernel: Kernel) -> float:
    """MMD² without bias: 0 on average for samples of one distribution, so at times below 0.

    1/n(n-1) Σ_{i≠j} k(xᵢ, xⱼ) + 1/m(m-1) Σ_{i≠j} k(yᵢ, yⱼ) - 2/nm Σ k(xᵢ, yⱼ).
    """

    def within(z: torch.Tensor) -> torch.Tensor:
        all_pairs = kernel(z, z)
        return (all_pairs.sum() - all_pairs.diagonal().sum()) / (len(z) * (len(z) - 1))

    return float(within(x) + within(y) - 2 * kernel(x, y).mean())


@measures.add("MMD²", unit="", better="lower", plane=True, images=True, good=0.005)
def mmd(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """How far the means of smooth functions are apart; the kernel is as wide as the data are."""
    del model, draw
    x = made[:MOST].flatten(1).double()
    y = source.held[:MOST].flatten(1).double()
    if len(y) < 2:
        return None
    return unbiased_mmd(x, y, rbf(float(torch.pdist(y).median())))
