"""Interval bound propagation: a box in, a box out, layer by layer.

An affine layer moves the middle of the box as it moves a point, and its half-widths by the
absolute values of its weights; a rising function moves the two ends.

Source: Gowal et al. (2018), On the effectiveness of interval bound propagation for training
verifiably robust models.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional

from engine.defend.bounds.tape import Cell, Pair, Scale, Tape, tape
from engine.network.modules.joining import Add


def interval(module: nn.Module, low: torch.Tensor, high: torch.Tensor) -> Pair:
    """Bounds of the scores of each sample, `(batch, classes)`, while its input is in its box.

    Differentiable, so that a network can be trained to have narrow bounds.

    Args:
        module: A network in eval mode.
        low: Smallest inputs, `(batch, ...)`.
        high: Largest inputs.

    Raises:
        ValueError: A layer cannot be bounded.
    """
    record = tape(module)
    return boxes(record, (low, high))[record.answer]


def boxes(record: Tape, given: Pair) -> dict[int, Pair]:
    """Place -> the box of what stands there."""
    found: dict[int, Pair] = {0: given}
    for cell in record.cells:
        found[cell.write] = through(cell, found)
    return found


def through(cell: Cell, found: Mapping[int, Pair]) -> Pair:
    """The box behind a layer, from the boxes before it."""
    module, (low, high) = cell.module, found[cell.reads[0]]
    match module:
        case nn.Linear() | nn.Conv1d() | nn.Conv2d():
            middle, half = (high + low) / 2, (high - low) / 2
            centre, width = module(middle), _absolute(module, half)
            return centre - width, centre + width
        case nn.BatchNorm1d() | nn.BatchNorm2d() | Scale():
            one, other = module(low), module(high)
            return torch.minimum(one, other), torch.maximum(one, other)
        case Add():
            pairs = [found[place] for place in cell.reads]
            return module(*[pair[0] for pair in pairs]), module(*[pair[1] for pair in pairs])
        case _:  # everything else on a tape rises
            return module(low), module(high)


def _absolute(module: nn.Linear | nn.Conv1d | nn.Conv2d, half: torch.Tensor) -> torch.Tensor:
    """Half-widths through the absolute weights, without the bias."""
    weight = module.weight.abs()
    if isinstance(module, nn.Linear):
        return functional.linear(half, weight)
    convolve = functional.conv1d if isinstance(module, nn.Conv1d) else functional.conv2d
    width: torch.Tensor = convolve(
        half,
        weight,
        stride=module.stride,
        padding=module.padding,
        dilation=module.dilation,
        groups=module.groups,
    )
    return width
