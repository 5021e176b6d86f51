"""Spectral normalisation: a layer divided by its largest singular value, so that it stretches by 1.

Source: Miyato et al. (2018), Spectral Normalization for Generative Adversarial Networks.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils import parametrize


def power_iteration(
    weight: torch.Tensor, u: torch.Tensor, steps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Turns u and v towards the first singular vectors of a matrix `(rows, columns)`.

    v ← Wᵀu / ‖Wᵀu‖,  u ← Wv / ‖Wv‖; each step shrinks the error by (σ₂/σ₁)².
    """
    for _ in range(steps):
        v = nn.functional.normalize(weight.T @ u, dim=0)
        u = nn.functional.normalize(weight @ v, dim=0)
    return u, v


class Spectral(nn.Module):
    """W -> W / σ(W), with σ ≈ uᵀWv and one step of power iteration a training step."""

    u: torch.Tensor
    v: torch.Tensor

    def __init__(self, weight: torch.Tensor, steps: int = 1) -> None:
        super().__init__()
        self.steps = steps
        matrix = weight.detach().flatten(1)
        u, v = power_iteration(matrix, torch.randn(len(matrix)), 15)
        self.register_buffer("u", u)
        self.register_buffer("v", v)

    def sigma(self, weight: torch.Tensor) -> torch.Tensor:
        """The largest singular value as it is known now."""
        return self.u @ (weight.flatten(1) @ self.v)

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """The weight, of whatever shape, divided."""
        if self.training:
            with torch.no_grad():
                u, v = power_iteration(weight.flatten(1), self.u, self.steps)
            # New tensors, not in place: an earlier pass of this step still needs the old ones.
            self.u, self.v = u, v
        return weight / self.sigma(weight)


def spectral(network: nn.Module, steps: int = 1) -> nn.Module:
    """Normalise every linear layer and convolution of a network; the network itself."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            parametrize.register_parametrization(layer, "weight", Spectral(layer.weight, steps))
    return network


class Times(nn.Module):
    """So many times its input: a network of slope 1 becomes one of slope `factor`."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any shape -> the same."""
        return self.factor * x
