"""The detector that asks the network twice: before and after squeezing the input."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from engine.defend.table import Suspicion, detectors, filters
from engine.explain.table import calm
from engine.forms import Slider

SMALLEST = 16  # pixels either way; on smaller pictures a median changes clean answers most


@detectors.add("feature_squeezing")
def feature_squeezing(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    bits: Annotated[int, Slider(1, 7, help="More grey levels")] = 2,
    side: Annotated[int, Slider(1, 5, help="A larger median")] = 2,
) -> Suspicion:
    """How far the answer moves when the input is squeezed; the largest over the squeezers.

    Source: Xu, Evans & Qi (2018), Feature squeezing: detecting adversarial examples in deep
    neural networks.
    """
    del y
    chosen: list[tuple[str, dict[str, int]]] = [("bit_depth", {"bits": bits})]
    if x.ndim == 4 and min(x.shape[2:]) >= SMALLEST:
        chosen.append(("median", {"side": side}))
    nothing = torch.Generator()

    def suspicion(given: torch.Tensor) -> torch.Tensor:
        with calm(module), torch.no_grad():
            plain = module(given).softmax(1)
            moved = [
                (plain - module(filters.find(name)(given, nothing, **own)).softmax(1)).abs().sum(1)
                for name, own in chosen
            ]
        return torch.stack(moved).amax(0)

    return suspicion
