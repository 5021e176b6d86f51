"""How each kind of layer passes a gradient back, written out: `slope(layer, x, z, g)`.

`x` is what went in, `z` what came out, `g` the loss's gradient by `z`, all of one sample (the batch
axis is 1 long). It gives the gradient by `x` and the gradients by the layer's own weights. An
entry's facts: `type`, the torch class; `formula`, forward and back, with the names below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from engine.tables import Table

Tensor = torch.Tensor
Passed = tuple[Tensor, Mapping[str, Tensor]]
Slope = Callable[[nn.Module, Tensor, Tensor, Tensor], Passed]

slopes = Table("slope", "engine.understand.slopes")


@dataclass(frozen=True)
class Rule:
    """What the walk says of a kind of layer.

    Attributes:
        slope: How it passes a gradient back.
        formula: Forward and back, in words of the page.
    """

    slope: Slope
    formula: str


def rule(layer: nn.Module) -> Rule | None:
    """The rule for a layer, or None: then PyTorch computes its slope."""
    for entry in slopes.all().values():
        if type(layer) is entry.facts["type"]:
            return Rule(entry.function, str(entry.facts["formula"]))
    return None
