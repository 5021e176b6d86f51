"""What samples say of the density against the one that is known: divergences over cells."""

from __future__ import annotations

import functools

import torch

from engine.generate.measures import measures
from engine.generate.model import Generative
from engine.generate.source import Source
from engine.generate.targets import Target

CELLS = 24  # along an axis: narrow enough to see modes, wide enough to hold some samples
FINE = 5  # places along an axis of a cell at which the density is looked up


@functools.lru_cache(maxsize=4)
def true_cells(target: Target, cells: int = CELLS) -> torch.Tensor | None:
    """The chance of each cell of a grid over the extent, `(cells² + 1,)`; the last: elsewhere."""
    if target.log_density is None:
        return None
    left, right, bottom, top = target.extent
    fine = (torch.arange(cells * FINE) + 0.5) / (cells * FINE)
    places = torch.stack(
        torch.meshgrid(left + fine * (right - left), bottom + fine * (top - bottom), indexing="ij"),
        dim=-1,
    )
    density = target.log_density(places.reshape(-1, 2)).exp().double()
    area = (right - left) * (top - bottom) / (cells * FINE) ** 2
    inside = density.reshape(cells, FINE, cells, FINE).sum((1, 3)).flatten() * area
    inside = inside / inside.sum().clamp(min=1.0)  # a sum over places may come out above 1
    return torch.cat([inside, (1 - inside.sum()).clamp(min=0.0)[None]])


def made_cells(x: torch.Tensor, target: Target, cells: int = CELLS) -> torch.Tensor:
    """How many samples lie in each cell, `(cells² + 1,)`, likewise."""
    left, right, bottom, top = target.extent
    size = torch.tensor([right - left, top - bottom]) / cells
    place = ((x - torch.tensor([left, bottom])) / size).floor().long()
    inside = ((place >= 0) & (place < cells)).all(1)
    number = torch.where(inside, place[:, 0] * cells + place[:, 1], cells * cells)
    return torch.bincount(number, minlength=cells * cells + 1).double()


def kl(p: torch.Tensor, q: torch.Tensor) -> float:
    """KL(p ‖ q) = Σ p log(p/q) [nat]; where p is 0 nothing is added."""
    return float(torch.where(p > 0, p * (p / q).log(), 0.0).sum())


def js(p: torch.Tensor, q: torch.Tensor) -> float:
    """JS(p, q) = ½ KL(p ‖ m) + ½ KL(q ‖ m), m = ½(p + q) [nat]; at most log 2."""
    middle = (p + q) / 2
    return (kl(p, middle) + kl(q, middle)) / 2


@measures.add("JS to the truth", unit="nat", better="lower", plane=True, images=False, good=0.1)
def grid_js(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """Jensen-Shannon divergence of samples from the true density, cell by cell; at most 0.693."""
    del model, draw
    if source.target is None or (true := true_cells(source.target)) is None:
        return None
    counts = made_cells(made, source.target)
    return js(true, counts / counts.sum())


@measures.add("KL to the truth", unit="nat", better="lower", plane=True, images=False)
def grid_kl(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """KL(true ‖ made), cell by cell, half a sample added to each: grows with what is missed."""
    del model, draw
    if source.target is None or (true := true_cells(source.target)) is None:
        return None
    counts = made_cells(made, source.target) + 0.5
    return kl(true, counts / counts.sum())
