"""A network behind an input filter, and the attacks that see through it.

Rounding has a gradient of zero, and a random filter a different one each time: plain gradient
attacks fail, which looks like safety. BPDA keeps the filter in the forward pass and takes the
identity in the backward pass; EOT averages over draws of the filter. Both are modules, so every
attack of the table can be run through them.

Source: Athalye, Carlini & Wagner (2018), Obfuscated gradients give a false sense of security.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from engine.tables import Entry


class Shield(nn.Module):
    """The network behind a filter.

    Args:
        module: The network.
        entry: An entry of the table of filters.
        settings: The filter's own.
        seed: For filters that draw random numbers; every call draws anew.
    """

    def __init__(
        self, module: nn.Module, entry: Entry, settings: Mapping[str, Any], *, seed: int = 0
    ) -> None:
        super().__init__()
        self.module = module
        self._entry, self._settings = entry, dict(settings)
        self._generator = torch.Generator().manual_seed(seed)

    def filtered(self, x: torch.Tensor) -> torch.Tensor:
        """What the network sees."""
        seen: torch.Tensor = self._entry(x, self._generator, **self._settings)
        return seen

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Inputs in [0, 1] to the network's scores for what it sees of them."""
        scores: torch.Tensor = self.module(self.filtered(x))
        return scores


class SeenThrough(nn.Module):
    """A shield as an adaptive attacker sees it: mean log chances over draws, gradient straight on.

    Args:
        shield: The shield.
        draws: How many times the filter is drawn for one answer (EOT).
        straight: Whether the filter counts as the identity in the backward pass (BPDA); a filter
            that has a gradient is followed exactly without.
    """

    def __init__(self, shield: Shield, *, draws: int = 1, straight: bool = True) -> None:
        super().__init__()
        self.shield, self._draws, self._straight = shield, draws, straight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Inputs in [0, 1] to log mean chances, `(batch, classes)`."""
        answers = [self._once(x) for _ in range(self._draws)]
        if self._draws == 1:
            return answers[0]
        return torch.stack([one.log_softmax(1) for one in answers]).logsumexp(0)

    def _once(self, x: torch.Tensor) -> torch.Tensor:
        seen = self.shield.filtered(x)
        if self._straight:
            seen = x + (seen - x).detach()
        scores: torch.Tensor = self.shield.module(seen)
        return scores


class Loud(nn.Module):
    """The network with its scores multiplied, so that its softmax is full and its gradient zero.

    What defensive distillation comes to; no answer changes.
    """

    def __init__(self, module: nn.Module, factor: float) -> None:
        super().__init__()
        self.module, self._factor = module, factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Inputs to larger scores."""
        scores: torch.Tensor = self._factor * self.module(x)
        return scores
