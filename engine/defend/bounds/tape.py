"""A network as a list of layers whose behaviour on boxes is known; others are refused by name."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from engine.models.unit import Box, Boxed
from engine.network.build import Network, answer, program
from engine.network.modules.joining import Add

NOTHING = (nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout)
WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d)
AVERAGES = (nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.Flatten)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
CORNERED = (nn.ReLU, nn.LeakyReLU)
ROUND = (nn.Tanh, nn.Sigmoid)

Pair = tuple[torch.Tensor, torch.Tensor]
"""Lowest and highest values, each like the tensor they bound."""


class Scale(nn.Module):
    """From [0, 1] to the units of the data: what stands before a boxed network."""

    def __init__(self, box: Box) -> None:
        super().__init__()
        self.box = box

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`low + span · x`."""
        return self.box.low + self.box.span * x


@dataclass(frozen=True, slots=True)
class Cell:
    """One layer: the places it reads and the place it writes; the input is in place 0."""

    name: str
    module: nn.Module
    reads: tuple[int, ...]
    write: int


@dataclass(frozen=True)
class Tape:
    """The layers in order, and the place of the answer."""

    cells: tuple[Cell, ...]
    answer: int


def tape(module: nn.Module) -> Tape:
    """The layers of a network in eval mode.

    Raises:
        ValueError: A layer cannot be bounded; names the layer and its kind.
    """
    cells: list[Cell] = []
    answer = _unroll(module, 0, "", cells)
    for cell in cells:
        _refuse(cell)
    return Tape(tuple(cells), answer)


def _unroll(module: nn.Module, place: int, name: str, cells: list[Cell]) -> int:
    """Add the layers of a module that reads one place; the place it writes."""
    match module:
        case Boxed():
            cells.append(Cell("scale", Scale(module.box), (place,), len(cells) + 1))
            return _unroll(module.module, cells[-1].write, name, cells)
        case nn.Sequential():
            for key, part in module.named_children():
                place = _unroll(part, place, f"{name}{key}.", cells)
            return place
        case Network():
            return _program(module, place, name, cells)
        case _:
            cells.append(Cell(name.removesuffix("."), module, (place,), len(cells) + 1))
            return cells[-1].write


def _program(network: Network, place: int, name: str, cells: list[Cell]) -> int:
    steps, only = program(network), answer(network, only=True)
    known = {0: place}
    for step in steps:
        if len(step.writes) != 1 or any(slot not in known for slot in step.reads):
            raise ValueError(f"bounds: {step.name} must give one output from inputs that are known")
        cells.append(
            Cell(
                name + step.name,
                step.module,
                tuple(known[slot] for slot in step.reads),
                len(cells) + 1,
            )
        )
        known[step.writes[0]] = cells[-1].write
    return known[only]


def _refuse(cell: Cell) -> None:
    module = cell.module
    known = (*NOTHING, *WEIGHTED, *AVERAGES, *NORMS, *CORNERED, *ROUND, nn.MaxPool2d, Add, Scale)
    if not isinstance(module, known):
        raise ValueError(  # noqa: TRY004 - a fault of the drawing, not of the program
            f"bounds: {cell.name} is a {type(module).__name__}, whose bounds are not known here; "
            "known are Linear, Conv, ReLU, LeakyReLU, Tanh, Sigmoid, max and average pooling, "
            "batch norm, Flatten, Dropout and Add"
        )
    if isinstance(module, nn.MaxPool2d) and (
        module.dilation not in (1, (1, 1)) or module.ceil_mode
    ):
        raise ValueError(f"bounds: {cell.name} must pool without dilation and ceil_mode")
    if isinstance(module, WEIGHTED[1:]) and module.padding_mode != "zeros":
        raise ValueError(f"bounds: {cell.name} must pad with zeros; got {module.padding_mode}")
    if isinstance(module, NORMS) and not module.track_running_stats:
        raise ValueError(f"bounds: {cell.name} must keep running statistics")
