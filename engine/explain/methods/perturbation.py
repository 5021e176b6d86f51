"""Explanations that only ask: what does the network say when part of the input is missing?"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from engine.explain.methods.gradients import Baseline, Seed
from engine.explain.parts import BATCH, Floats, Grid, Worth, by_sample, players
from engine.explain.table import explainer, score
from engine.forms import Slider


@explainer("occlusion", family="perturbation", complete=False, sampled=False)
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
    return out


def _patches(x: torch.Tensor, size: int, stride: int) -> torch.Tensor:
    """Every place of a square patch, `(patches, *sample)`; each number by itself in a table."""
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


def _places(room: int, size: int, stride: int) -> torch.Tensor:
    """Where patches begin along an axis; the last one reaches the edge."""
    last = max(0, room - size)
    begins = list(range(0, last + 1, stride))
    return torch.tensor(begins if begins[-1] == last else [*begins, last])


@explainer("feature_ablation", family="perturbation", complete=False, sampled=False)
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


@explainer("lime", family="perturbation", complete=False, sampled=True)
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
        values = weight[:, 0] * worth(shown)
        return np.asarray(np.linalg.solve(design.T @ design + ridge, design.T @ values)[:count])

    return by_sample(module, x, target, players(x, grid), baseline, solve)


@explainer("rise", family="perturbation", complete=False, sampled=True)
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
        drawn = torch.rand((samples, *x.shape[1:]), generator=generator) < 0.5
        return drawn.to(x.dtype)
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
