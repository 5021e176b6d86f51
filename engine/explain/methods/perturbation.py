"""Explanations that only ask: what does the network say when part of the input is missing?

The parts of a picture are the cells of a grid, those of a table its columns. `players` names
them; a coalition says which of them are shown. Nothing here needs a gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from engine.explain.methods.gradients import Baseline, Seed
from engine.explain.table import explainer, score
from engine.forms import Slider

BATCH = 256  # samples through the network at a time
MOST_EXACT = 12  # players whose coalitions are all tried

Grid = Annotated[int, Slider(1, 14, help="Smaller parts, more of them")]
Floats = npt.NDArray[np.float64]
Worth = Callable[[npt.NDArray[np.bool_]], Floats]
"""What a network scores for coalitions, `(n, players)` to `(n,)`."""


def players(x: torch.Tensor, grid: int) -> torch.Tensor:
    """The number of the part each place of a sample belongs to, `(1, ...)` like a sample.

    A picture is cut into `grid` by `grid` cells, the same in every channel; in a table each
    column is a part of its own.
    """
    if x.ndim != 4:
        return torch.arange(x[0].numel()).reshape(x[:1].shape)
    rows, columns = x.shape[2:]
    across = min(grid, columns)
    down = torch.arange(rows) * min(grid, rows) // rows
    right = torch.arange(columns) * across // columns
    return (down[:, None] * across + right[None, :]).expand(1, *x.shape[1:])


def _by_sample(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    parts: torch.Tensor,
    baseline: float,
    solve: Callable[[Worth, int], Floats],
) -> torch.Tensor:
    """Share out each sample's score among its parts; a part's share is spread evenly over it."""
    count = int(parts.max()) + 1
    size = torch.bincount(parts.flatten(), minlength=count)
    rows = []
    for one, wanted in zip(x, target, strict=True):

        def worth(shown: npt.NDArray[np.bool_], x0: torch.Tensor = one) -> Floats:
            return _worth(module, x0, int(wanted), parts[0], baseline, shown)  # noqa: B023

        shares = torch.from_numpy(solve(worth, count)).to(x.dtype) / size
        rows.append(shares[parts[0]])
    return torch.stack(rows)


def _worth(
    module: nn.Module,
    one: torch.Tensor,
    target: int,
    part: torch.Tensor,
    baseline: float,
    shown: npt.NDArray[np.bool_],
) -> Floats:
    """Scores of a sample of which only the shown parts are left, `(n, players)` to `(n,)`."""
    out = []
    for some in torch.from_numpy(shown).split(BATCH):
        mixed = torch.where(some[:, part], one, torch.full_like(one, baseline))
        with torch.no_grad():
            out.append(module(mixed)[:, target])
    return torch.cat(out).double().numpy()


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

    return _by_sample(module, x, target, players(x, grid), baseline, solve)


@explainer("kernel_shap", family="perturbation", complete=True, sampled=True)
def kernel_shap(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    samples: Annotated[int, Slider(50, 4000, log=True, help="Closer to the Shapley values")] = 500,
    grid: Grid = 7,
    baseline: Baseline = 0.0,
    seed: Seed = 0,
) -> torch.Tensor:
    """Shapley values from a weighted linear fit to random coalitions of the parts.

    Coalitions are drawn with their complements, sizes by the kernel's weight; the fit is held to
    sum to `F(x) − F(baseline)`.

    Source: Lundberg & Lee (2017), A unified approach to interpreting model predictions; Covert &
    Lee (2021), Improving KernelSHAP: practical Shapley value estimation.
    """

    def solve(worth: Worth, count: int) -> Floats:
        empty, full = worth(np.array([[False] * count, [True] * count]))
        if count == 1:
            return np.array([full - empty])
        shown = _coalitions(count, samples, np.random.default_rng(seed))
        return _fit(shown.astype(float), worth(shown) - empty, full - empty)

    return _by_sample(module, x, target, players(x, grid), baseline, solve)


def _coalitions(count: int, samples: int, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Random coalitions in pairs of complements, `(samples, count)`; no empty and no full one."""
    sizes = np.arange(1, count)
    chance = 1.0 / (sizes * (count - sizes))  # kernel's weight times number of coalitions
    drawn = random.choice(sizes, size=max(1, samples // 2), p=chance / chance.sum())
    order = random.random((len(drawn), count)).argsort(axis=1).argsort(axis=1)
    half = order < drawn[:, None]
    return np.concatenate([half, ~half])


def _fit(shown: Floats, gain: Floats, total: float) -> Floats:
    """Shares `φ` with `shown @ φ ≈ gain`, least squares, held to `φ.sum() = total`."""
    count = shown.shape[1]
    moment = shown.T @ shown / len(shown) + 1e-10 * np.eye(count)
    system = np.zeros((count + 1, count + 1))
    system[:count, :count] = moment
    system[:count, count] = system[count, :count] = 1  # Lagrange's condition
    right = np.append(shown.T @ gain / len(shown), total)
    return np.asarray(np.linalg.solve(system, right)[:count])


@explainer("shapley_sampling", family="perturbation", complete=True, sampled=True)
def shapley_sampling(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    orders: Annotated[int, Slider(1, 200, log=True, help="Closer to the Shapley values")] = 25,
    grid: Grid = 7,
    baseline: Baseline = 0.0,
    seed: Seed = 0,
) -> torch.Tensor:
    """Shapley values as the mean gain when a part joins, over random orders of joining.

    Source: Strumbelj & Kononenko (2010), An efficient explanation of individual classifications
    using game theory.
    """

    def solve(worth: Worth, count: int) -> Floats:
        random = np.random.default_rng(seed)
        shares = np.zeros(count)
        for _ in range(orders):
            order = random.permutation(count)
            place = np.argsort(order)  # when each part joins
            shown = place[None, :] < np.arange(count + 1)[:, None]
            shares[order] += np.diff(worth(shown))
        return shares / orders

    return _by_sample(module, x, target, players(x, grid), baseline, solve)


@explainer("exact_shapley", family="perturbation", complete=True, sampled=False)
def exact_shapley(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    grid: Annotated[int, Slider(1, 3, help="Smaller parts, more of them")] = 3,
    baseline: Baseline = 0.0,
) -> torch.Tensor:
    """Shapley values by trying every coalition: the truth for up to twelve parts.

    Source: Shapley (1953), A value for n-person games.
    """
    parts = players(x, grid)
    if int(parts.max()) >= MOST_EXACT:
        raise ValueError(
            f"exact_shapley: tries all coalitions, so at most {MOST_EXACT} parts; this input has "
            f"{int(parts.max()) + 1}. Take kernel_shap"
        )

    def solve(worth: Worth, count: int) -> Floats:
        numbers = np.arange(2**count)
        shown = (numbers[:, None] >> np.arange(count)) & 1 == 1
        value, size = worth(shown), shown.sum(1)
        weight = [
            math.factorial(s) * math.factorial(count - s - 1) / math.factorial(count)
            for s in range(count)
        ]
        shares = np.zeros(count)
        for part in range(count):
            without = numbers[~shown[:, part]]
            gain = value[without | 1 << part] - value[without]
            shares[part] = (np.array(weight)[size[without]] * gain).sum()
        return shares

    return _by_sample(module, x, target, parts, baseline, solve)


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

    return _by_sample(module, x, target, players(x, grid), baseline, solve)


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
