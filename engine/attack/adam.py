"""Adam for one tensor: what penalty attacks descend with."""

from __future__ import annotations

import torch


class Adam:
    """Steps of about the same size everywhere, along a mean of recent gradients.

    `m ← β₁ m + (1 − β₁) g`, `v ← β₂ v + (1 − β₂) g²`, `w ← w − η m̂ / (√v̂ + ε)`, with the means
    divided by what they lack at the beginning, `1 − βᵗ`. Written out because torch's own costs
    more than the gradient of a small network.

    Source: Kingma & Ba (2015), Adam: a method for stochastic optimization.
    """

    def __init__(self, w: torch.Tensor, rate: float) -> None:
        self.w, self._rate = w, rate
        self._m, self._v = torch.zeros_like(w), torch.zeros_like(w)
        self._t = 0

    def step(self, gradient: torch.Tensor) -> None:
        """Move `w`, in place."""
        self._t += 1
        self._m.mul_(0.9).add_(gradient, alpha=0.1)
        self._v.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
        spread = (self._v / (1 - 0.999**self._t)).sqrt_().add_(1e-8)
        self.w.addcdiv_(self._m, spread, value=-self._rate / (1 - 0.9**self._t))
