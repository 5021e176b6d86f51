"""Explanations that only ask: what does the network say when part of the input is missing?"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from engine.explain.cost import Work
from engine.explain.methods.gradients import Baseline, Seed
from engine.explain.parts import BATCH, Floats, Grid, Worth, by_sample, players
from engine.explain.table import explainer, score, tell
from engine.forms import Slider


@explainer(
    "occlusion",
    family="perturbation",
    complete=False,
    sampled=False,
    cost=lambda work: work.batch * (1 + _patch_count(work)),
)
def occlusion(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    size: Annotated[int, Slider(1, 9, help="A larger patch")] = 3,
    stride: Annotated[int, Slider(1, 9, help="Coarser and faster")] = 1,
    baseline: Baseline = 0.0,
) -> torch.Tensor:
    """How far the score falls while a patch slides over the picture; over a table, each column.

    Each place gets the mean fall over all patches that covered it.

    Source: Zeiler & Fergus (2014), Visualizing and understanding convolutional networks.
    """
    masks = _patches(x, size, stride)  # (patches, *sample), true where covered
    hidden = masks.to(x.dtype).flatten(1)
    cover = hidden.sum(0).clamp_min(1)
    out = torch.zeros_like(x)
    for i, one in enumerate(x):
        wanted = target[i : i + 1]
        with torch.no_grad():
            whole = score(module, one[None], wanted)
            fall = torch.cat(
                [
                    whole - score(module, one.masked_fill(some, baseline), wanted.expand(len(some)))
                    for some in masks.split(BATCH)
                ]
            )
        out[i] = ((fall @ hidden) / cover).reshape(one.shape)
    # the numbers of one moment or word are hidden together, so they share what was lost
    return out / x.shape[1] if x.ndim == 3 else out


def _patches(x: torch.Tensor, size: int, stride: int) -> torch.Tensor:
    """Every place of a square patch, `(patches, *sample)`; each number by itself in a table.

    In a series `(batch, channels, length)` the patch is a stretch of its length.
    """
    if x.ndim == 3:
        place = torch.arange(x.shape[2])
        begins = _places(x.shape[2], size, stride)[:, None]
        covered = (place >= begins) & (place < begins + size)
        return covered[:, None].expand(-1, *x.shape[1:])
    if x.ndim != 4:
        count = x[0].numel()
        return torch.eye(count, dtype=torch.bool).reshape(count, *x.shape[1:])
    rows, columns = x.shape[2:]
    tops, lefts = _places(rows, size, stride), _places(columns, size, stride)
    down = (torch.arange(rows) >= tops[:, None]) & (torch.arange(rows) < tops[:, None] + size)
    right = (torch.arange(columns) >= lefts[:, None]) & (
        torch.arange(columns) < lefts[:, None] + size
    )
    masks = (down[:, None, :, None] & right[None, :, None, :]).flatten(0, 1)
    return masks[:, None].expand(-1, *x.shape[1:])


def _patch_count(work: Work) -> int:
    """How many places the patch takes."""
    size, stride = work.settings["size"], work.settings["stride"]
    if work.x.ndim < 3:
        return work.x[0].numel()
    return math.prod(len(_places(room, size, stride)) for room in work.x.shape[2:])


def _places(room: int, size: int, stride: int) -> torch.Tensor:
    """Where patches begin along an axis; the last one reaches the edge."""
    last = max(0, room - size)
    begins = list(range(0, last + 1, stride))
    return torch.tensor(begins if begins[-1] == last else [*begins, last])


@explainer(
    "feature_ablation",
    family="perturbation",
    complete=False,
    sampled=False,
    cost=lambda work: work.batch * (1 + work.parts),
)
def feature_ablation(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    grid: Grid = 7,
    baseline: Baseline = 0.0,
) -> torch.Tensor:
    """How far the score falls when one part of the input is taken away.

    Source: Zeiler & Fergus (2014), Visualizing and understanding convolutional networks.
    """

    def solve(worth: Worth, count: int) -> Floats:
        without = ~np.eye(count, dtype=bool)
        whole = worth(np.ones((1, count), dtype=bool))
        return np.asarray(whole - worth(without))

    return by_sample(module, x, target, players(x, grid), baseline, solve)


@explainer(
    "feature_permutation",
    family="perturbation",
    complete=False,
    sampled=True,
    cost=lambda work: work.batch * (1 + work.parts * work.settings["draws"]),
)
def feature_permutation(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    draws: Annotated[int, Slider(1, 50, log=True, help="A steadier mean")] = 8,
    grid: Grid = 7,
    seed: Seed = 0,
    references: torch.Tensor | None = None,
) -> torch.Tensor:
    """How far the score falls when a part is taken from another sample instead.

    The others are samples of the data, where there are some, else the rest of the batch; a batch
    of one without them would be exchanged with itself and change nothing.

    Source: Breiman (2001), Random forests, section 10.
    """
    if references is None and len(x) < 2:
        raise ValueError(
            "feature_permutation: needs other samples to take values from; a batch of one has "
            "none. Give samples of the data, or take feature_ablation"
        )
    generator = torch.Generator().manual_seed(seed)
    parts = players(x, grid)
    size = torch.bincount(parts.flatten())
    fall = torch.zeros(len(x), len(size), dtype=x.dtype)
    with torch.no_grad():
        whole = score(module, x, target)
        for part in range(len(size)):
            for _ in range(draws):
                other = _others(x, references, generator)
                fall[:, part] += whole - score(module, torch.where(parts == part, other, x), target)
    return (fall / (draws * size))[:, parts[0]]


def _others(
    x: torch.Tensor, references: torch.Tensor | None, generator: torch.Generator
) -> torch.Tensor:
    """Another sample for each, like `x`: of the data, or of the batch and never itself."""
    if references is not None:
        return references[torch.randint(len(references), (len(x),), generator=generator)]
    turn = int(torch.randint(1, len(x), (), generator=generator))
    return x.roll(turn, 0)


@explainer(
    "lime",
    family="perturbation",
    complete=False,
    sampled=True,
    cost=lambda work: work.batch * work.settings["samples"],
)
def lime(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    samples: Annotated[int, Slider(50, 4000, log=True, help="A steadier fit")] = 500,
    width: Annotated[float, Slider(0.05, 2.0, log=True, help="Looks further away")] = 0.25,
    grid: Grid = 7,
    baseline: Baseline = 0.0,
    seed: Seed = 0,
) -> torch.Tensor:
    """The slope of a linear model fitted to the score where few parts are missing.

    Source: Ribeiro, Singh & Guestrin (2016), Why should I trust you?
    """

    def solve(worth: Worth, count: int) -> Floats:
        shown = np.random.default_rng(seed).random((samples, count)) < 0.5
        shown[0] = True
        away = 1 - np.sqrt(shown.mean(1))  # cosine distance to the whole
        weight = np.sqrt(np.exp(-(away**2) / width**2))[:, None]
        design = weight * np.column_stack([shown, np.ones(samples)])
        ridge = 1e-3 * np.diag([1.0] * count + [0.0])
        values = worth(shown)
        heavy = weight[:, 0] * values
        fit = np.linalg.solve(design.T @ design + ridge, design.T @ heavy)
        mean = np.average(values, weights=weight[:, 0] ** 2)
        spread = ((weight[:, 0] * (values - mean)) ** 2).sum()
        if spread > 0:
            tell("R²", float(1 - ((heavy - design @ fit) ** 2).sum() / spread))
        return np.asarray(fit[:count])

    return by_sample(module, x, target, players(x, grid), baseline, solve)


@explainer(
    "rise",
    family="perturbation",
    complete=False,
    sampled=True,
    cost=lambda work: work.batch * work.settings["samples"],
)
def rise(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    samples: Annotated[int, Slider(50, 4000, log=True, help="A smoother map")] = 500,
    grid: Grid = 7,
    seed: Seed = 0,
) -> torch.Tensor:
    """The mean of random soft masks, each weighted by the score that is left under it.

    The score is taken against its mean over the masks, so that no constant shines through.

    Source: Petsiuk, Das & Saenko (2018), RISE: randomized input sampling for explanation.
    """
    generator = torch.Generator().manual_seed(seed)
    masks = _soft_masks(x, samples, grid, generator)
    out = torch.zeros_like(x)
    for i, one in enumerate(x):
        wanted = target[i : i + 1]
        with torch.no_grad():
            left = torch.cat(
                [score(module, one * m, wanted.expand(len(m))) for m in masks.split(BATCH)]
            )
        weights = (left - left.mean()).reshape(-1, *[1] * one.ndim)
        out[i] = (weights * masks).mean(0) / masks.var().clamp_min(1e-12)
    return out


def _soft_masks(
    x: torch.Tensor, samples: int, grid: int, generator: torch.Generator
) -> torch.Tensor:
    """Random masks in [0, 1], `(samples, *sample)`: for pictures enlarged and shifted grids."""
    if x.ndim != 4:
        places = (1, x.shape[2]) if x.ndim == 3 else x.shape[1:]
        drawn = torch.rand((samples, *places), generator=generator) < 0.5
        return drawn.to(x.dtype).expand(-1, *x.shape[1:])
    rows, columns = x.shape[2:]
    coarse = (torch.rand((samples, 1, grid, grid), generator=generator) < 0.5).to(x.dtype)
    cell = (math.ceil(rows / grid), math.ceil(columns / grid))
    large = functional.interpolate(
        coarse, (rows + cell[0], columns + cell[1]), mode="bilinear", align_corners=False
    )
    shifts = torch.stack([torch.randint(size, (samples,), generator=generator) for size in cell], 1)
    cut = [
        mask[:, top : top + rows, left : left + columns]
        for mask, (top, left) in zip(large, shifts.tolist(), strict=True)
    ]
    return torch.stack(cut).expand(-1, *x.shape[1:])
