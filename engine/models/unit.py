"""A model with its inputs in [0, 1], whatever its data are measured in.

Attacks, budgets and certificates are stated for numbers in [0, 1]. Pictures lie there already;
points of the plane and rows of tables are moved there, so that one budget means one part of the
range of every number.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from engine.data import DataSet


@dataclass(frozen=True)
class Box:
    """The range of each number of a sample.

    Attributes:
        low: The smallest values, shape of a sample.
        span: Largest less smallest, never 0.
    """

    low: torch.Tensor
    span: torch.Tensor

    @property
    def identity(self) -> bool:
        """Whether the data lie in [0, 1] as they are."""
        return not bool(self.low.any()) and bool((self.span == 1).all())

    def inward(self, x: torch.Tensor) -> torch.Tensor:
        """Samples in the units of the data to [0, 1]; what lies outside is cut off."""
        return x if self.identity else ((x - self.low) / self.span).clamp(0, 1)

    def outward(self, x: torch.Tensor) -> torch.Tensor:
        """Samples in [0, 1] to the units of the data."""
        return x if self.identity else self.low + self.span * x


def box_of(data: DataSet) -> Box:
    """The box of a data set: [0, 1] for pictures, what the plane shows, a table's own ranges."""
    x = torch.cat([data.train_x, data.valid_x])
    if data.kind == "image" and float(x.min()) >= 0 and float(x.max()) <= 1:
        return unit(data.shape)
    low, high = x.amin(0), x.amax(0)
    if data.extent is not None:
        left, right, bottom, top = data.extent
        low = torch.minimum(low, torch.tensor([left, bottom]))
        high = torch.maximum(high, torch.tensor([right, top]))
    span = high - low
    return Box(low, torch.where(span > 0, span, torch.ones_like(span)))


def unit(shape: tuple[int, ...]) -> Box:
    """The box of data that lie in [0, 1] as they are."""
    return Box(torch.zeros(shape), torch.ones(shape))


class Boxed(nn.Module):
    """A network that takes its inputs in [0, 1]."""

    def __init__(self, module: nn.Module, box: Box) -> None:
        super().__init__()
        self.module, self.box = module, box

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Inputs in [0, 1] to the network's scores."""
        scores: torch.Tensor = self.module(self.box.outward(x))
        return scores


def boxed(module: nn.Module, box: Box) -> nn.Module:
    """The network itself where its data lie in [0, 1] already."""
    return module if box.identity else Boxed(module, box)
