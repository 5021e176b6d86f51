"""Weights by hand: connections that are gone, and numbers that a layer begins with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import nn


def cut(layer: nn.Module, *wanted: Sequence[int]) -> nn.Module:
    """The layer with some of its weights zero, which stay zero while it learns.

    Each place is the beginning of an index into `weight`: `(3, 5)` from input 5 to output 3.
    """
    weight = layer.get_parameter("weight")
    gone = places(weight.shape, wanted)
    with torch.no_grad():
        weight.masked_fill_(gone, 0)
    if weight.requires_grad:  # no gradient, no momentum: the step there is zero too
        weight.register_hook(lambda slope: slope.masked_fill(gone.to(slope.device), 0))
    return layer


def places(shape: Sequence[int], wanted: Iterable[Sequence[int]]) -> torch.Tensor:
    """Truth values of that shape, true at what the beginnings of indices stand for."""
    found = torch.zeros(tuple(shape), dtype=torch.bool)
    for place in wanted:
        found[tuple(place)] = True
    return found


def begin(layer: nn.Module, name: str, *values: tuple[Sequence[int], float]) -> nn.Module:
    """The layer with some numbers of a parameter set: `((3, 5), 0.25)`."""
    with torch.no_grad():
        for place, value in values:
            layer.get_parameter(name)[tuple(place)] = value
    return layer
