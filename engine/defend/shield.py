"""A network behind an input filter.

Rounding has a gradient of zero, and a random filter a different one each time: plain gradient
attacks fail, which looks like safety. The attacks `bpda` and `eot` see through both.

Source: Athalye, Carlini & Wagner (2018), Obfuscated gradients give a false sense of security.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from engine.tables import Entry


class Filter(nn.Module):
    """An input filter as a layer; a blunt one tells attacks to go straight through it backward."""

    def __init__(self, entry: Entry, settings: Mapping[str, Any], seed: int) -> None:
        super().__init__()
        self._entry, self._settings = entry, dict(settings)
        self._generator = torch.Generator().manual_seed(seed)
        if entry.facts["blunt"]:
            self.stand_in = None  # see engine.attack.methods.masked.see_through

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Inputs in [0, 1] to what the network shall see of them."""
        seen: torch.Tensor = self._entry(x, self._generator, **self._settings)
        return seen


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
        self.module, self.filter = module, Filter(entry, settings, seed)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Inputs in [0, 1] to the network's scores for what it sees of them."""
        scores: torch.Tensor = self.module(self.filter(x))
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
