"""Shapley values: what each part of the input adds on average over all orders of joining."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from engine.explain.methods.gradients import Baseline, Seed
from engine.explain.parts import Floats, Grid, Worth, by_sample, players
from engine.explain.table import explainer
from engine.forms import Slider

MOST_EXACT = 12  # players whose coalitions are all tried


@explainer(
    "kernel_shap",
    family="perturbation",
    complete=True,
    sampled=True,
    cost=lambda work: work.batch * _asked(work.parts, work.settings["samples"]),
)
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
        shown, weight = _coalitions(count, samples, np.random.default_rng(seed))
        return _fit(shown.astype(float), weight, worth(shown) - empty, full - empty)

    return by_sample(module, x, target, players(x, grid), baseline, solve)


def _coalitions(
    count: int, samples: int, random: np.random.Generator
) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Coalitions, `(n, count)`, and how much each weighs, `(n,)`; no empty and no full one.

    All of them with the kernel's weight where `samples` is enough for that, which makes the
    values exact; else random pairs of complements.
    """
    sizes = np.arange(1, count)
    chance = 1.0 / (sizes * (count - sizes))  # of each size: weight times number of coalitions
    chance /= chance.sum()
    if count < 32 and 2**count - 2 <= samples:
        shown = all_coalitions(count)[1:-1]
        size = shown.sum(1)
        each = np.array([chance[s - 1] / math.comb(count, s) for s in size])
        return shown, each
    drawn = random.choice(sizes, size=max(1, samples // 2), p=chance)
    order = random.random((len(drawn), count)).argsort(axis=1).argsort(axis=1)
    half = order < drawn[:, None]
    return np.concatenate([half, ~half]), np.full(2 * len(half), 0.5 / len(half))


def all_coalitions(count: int) -> npt.NDArray[np.bool_]:
    """Row `r` shows the parts whose bits are set in `r`, `(2 ** count, count)`."""
    return np.asarray((np.arange(2**count)[:, None] >> np.arange(count)) & 1 == 1)


def _fit(shown: Floats, weight: Floats, gain: Floats, total: float) -> Floats:
    """Shares `φ` with `shown @ φ ≈ gain`, weighted least squares, held to `φ.sum() = total`."""
    count = shown.shape[1]
    moment = shown.T @ (weight[:, None] * shown) + 1e-10 * np.eye(count)
    system = np.zeros((count + 1, count + 1))
    system[:count, :count] = moment
    system[:count, count] = system[count, :count] = 1  # Lagrange's condition
    right = np.append(shown.T @ (weight * gain), total)
    return np.asarray(np.linalg.solve(system, right)[:count], dtype=np.float64)


def _asked(count: int, samples: int) -> int:
    """How many coalitions are looked at, with the empty and the full one."""
    if count == 1:
        return 2
    if count < 32 and 2**count - 2 <= samples:
        return int(2**count)
    return 2 + 2 * max(1, samples // 2)


@explainer(
    "shapley_sampling",
    family="perturbation",
    complete=True,
    sampled=True,
    cost=lambda work: work.batch * work.settings["orders"] * (work.parts + 1),
)
def shapley_sampling(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    *,
    orders: Annotated[int, Slider(1, 200, log=True, help="Closer to the Shapley values")] = 26,
    grid: Grid = 7,
    baseline: Baseline = 0.0,
    seed: Seed = 0,
) -> torch.Tensor:
    """Shapley values as the mean gain when a part joins, over random orders of joining.

    Every order is followed by its reverse, which takes out much of the scatter.

    Source: Strumbelj & Kononenko (2010), An efficient explanation of individual classifications
    using game theory.
    """

    def solve(worth: Worth, count: int) -> Floats:
        random = np.random.default_rng(seed)
        shares = np.zeros(count)
        order = np.arange(count)
        for turn in range(orders):
            order = order[::-1] if turn % 2 else random.permutation(count)
            place = np.argsort(order)  # when each part joins
            shown = place[None, :] < np.arange(count + 1)[:, None]
            shares[order] += np.diff(worth(shown))
        return shares / orders

    return by_sample(module, x, target, players(x, grid), baseline, solve)


@explainer(
    "exact_shapley",
    family="perturbation",
    complete=True,
    sampled=False,
    cost=lambda work: work.batch * 2**work.parts,
)
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
        shown, numbers = all_coalitions(count), np.arange(2**count)
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

    return by_sample(module, x, target, parts, baseline, solve)
