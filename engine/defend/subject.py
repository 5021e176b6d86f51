"""The model under study with the samples it is judged on, all in [0, 1]."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from engine.data import DataSet, load
from engine.models import kept as models
from engine.models.kept import Kept
from engine.models.unit import Box, box_of, boxed


@dataclass(frozen=True)
class Subject:
    """A kept classifier and its data.

    Attributes:
        kept: The model as its run left it.
        module: Its network, taking inputs in [0, 1].
        data: What it learnt, in the data's own units.
        box: From those to [0, 1].
    """

    kept: Kept
    module: nn.Module
    data: DataSet
    box: Box

    def valid(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The first validation samples in [0, 1], and their classes."""
        return self.box.inward(self.data.valid_x[:count]), self.data.valid_y[:count]

    def train(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The first training samples in [0, 1], and their classes."""
        return self.box.inward(self.data.train_x[:count]), self.data.train_y[:count]


def subject(folder: Path | str) -> Subject:
    """The kept classifier of a folder with its data.

    Raises:
        LookupError: There is no model, or its data cannot be had.
        ValueError: It is no classifier, or it came without data.
    """
    kept = models.load(folder)
    if not kept.data:
        raise ValueError("this page needs the model's data, and this model came without any")
    data = load(kept.data)
    if data.task != "classification" or data.train_y.ndim > 1:
        raise ValueError(f"this page needs a classifier; {data.name} asks for something else")
    if data.kind == "text":
        raise ValueError("words cannot be changed by a little, so budgets mean nothing to a text")
    box = box_of(data)
    return Subject(kept, boxed(kept.module, box), data, box)
