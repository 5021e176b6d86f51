"""First weights by name: `fill(weight, fans) -> None`, in place; biases begin at zero.

`weight` is of a linear layer or a convolution, `fans` how many numbers come in and go out of one
of its units.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from engine.tables import Table

initialisers = Table("initialisation", "engine.training.initialisers")

Fans = tuple[int, int]


def initialise(module: nn.Module, name: str) -> None:
    """Fill the weights of every linear layer and convolution; `as PyTorch` leaves them.

    Raises:
        LookupError: There is no such way.
    """
    if name == "as PyTorch":
        return
    fill = initialisers.find(name).function
    for part in module.modules():
        weight = getattr(part, "weight", None)
        if (
            not isinstance(weight, torch.Tensor)
            or weight.ndim < 2
            or isinstance(part, nn.Embedding)
        ):
            continue
        with torch.no_grad():
            fill(weight, _fans(weight))
            if isinstance(bias := getattr(part, "bias", None), torch.Tensor):
                bias.zero_()


def _fans(weight: torch.Tensor) -> Fans:
    window = math.prod(weight.shape[2:])
    return weight.shape[1] * window, weight.shape[0] * window
