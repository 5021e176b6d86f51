"""What the network is asked for: some mixture a·x₀ + b·ε of what the noisy sample is made of.

Since x_t = α x₀ + σ ε is known, any such mixture tells both x₀ and ε:

    x₀ = (σ·out - b·x_t) / (a σ - b α)        ε = (a·x_t - α·out) / (a σ - b α)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch

Predicted = Literal["epsilon", "x0", "v", "velocity", "EDM"]
Pair = tuple[torch.Tensor, torch.Tensor]
SPREAD = 0.5  # σ_data of Karras et al., for data in [-1, 1]


def _edm(alpha: torch.Tensor, sigma: torch.Tensor, spread: float = SPREAD) -> Pair:
    """F of D(x) = c_skip x + c_out F: unit variance wanted at every level.

    Source: Karras et al. (2022), Elucidating the Design Space of Diffusion-Based Generative Models.
    """
    skip, out, _ = preconditioning(sigma, spread)
    return (1 - skip * alpha) / out, -skip * sigma / out


def preconditioning(
    sigma: torch.Tensor, spread: float = SPREAD
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """c_skip, c_out and c_in of EDM at each σ, for data of standard deviation `spread`.

    Source: Karras et al. (2022), table 1.
    """
    whole = sigma.square() + spread**2
    return spread**2 / whole, sigma * spread / whole.sqrt(), 1 / whole.sqrt()


MIXTURES: dict[str, Callable[[torch.Tensor, torch.Tensor], Pair]] = {
    # the noise: Ho et al. (2020)
    "epsilon": lambda alpha, _: (torch.zeros_like(alpha), torch.ones_like(alpha)),
    # the data themselves
    "x0": lambda alpha, _: (torch.ones_like(alpha), torch.zeros_like(alpha)),
    # v = α ε - σ x₀: Salimans and Ho (2022)
    "v": lambda alpha, sigma: (-sigma, alpha),
    # u = dx_t/dt = ε - x₀ on the straight path: Lipman et al. (2023)
    "velocity": lambda alpha, _: (-torch.ones_like(alpha), torch.ones_like(alpha)),
    "EDM": _edm,
}


def wanted(
    kind: Predicted, x0: torch.Tensor, noise: torch.Tensor, alpha: torch.Tensor, sigma: torch.Tensor
) -> torch.Tensor:
    """What the network should say; α and σ broadcast against the samples."""
    a, b = MIXTURES[kind](alpha, sigma)
    return a * x0 + b * noise


def clean(
    kind: Predicted, out: torch.Tensor, x: torch.Tensor, alpha: torch.Tensor, sigma: torch.Tensor
) -> torch.Tensor:
    """x₀ as the network's answer has it."""
    a, b = MIXTURES[kind](alpha, sigma)
    return (sigma * out - b * x) / (a * sigma - b * alpha)


def noise(
    kind: Predicted, out: torch.Tensor, x: torch.Tensor, alpha: torch.Tensor, sigma: torch.Tensor
) -> torch.Tensor:
    """ε as the network's answer has it."""
    a, b = MIXTURES[kind](alpha, sigma)
    return (a * x - alpha * out) / (a * sigma - b * alpha)


def steepness(kind: Predicted, alpha: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """By how much the answer moves where x₀ moves by one and x_t stays: |a - b α/σ|."""
    a, b = MIXTURES[kind](alpha, sigma)
    return (a - b * alpha / sigma).abs()
