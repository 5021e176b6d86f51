"""One change for many pictures: a universal perturbation, and a patch that works anywhere."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import nn

from engine.attack.balls import across
from engine.attack.methods.minimal import nearest_border
from engine.attack.table import Epsilon, Seed, Steps, attack, fooled, loss, uphill
from engine.attack.watch import seen, unseen
from engine.forms import Slider

PLACES = 16  # tried with the finished sticker


@attack("universal", norm="Linf", gradients=True, minimal=False, shared=True)
def universal(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.15,
    rounds: Annotated[int, Slider(1, 50, log=True, help="Goes through the samples again")] = 10,
    seed: Seed = 0,
) -> torch.Tensor:
    """One and the same change for the whole batch, grown from DeepFool's of each sample.

    Source: Moosavi-Dezfooli et al. (2017), Universal adversarial perturbations.
    """
    change = universal_change(module, x, y, epsilon=epsilon, rounds=rounds, seed=seed)
    return x + change


def universal_change(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, *, epsilon: float, rounds: int, seed: int
) -> torch.Tensor:
    """The change that fools most of the batch, `(1, ...)`, found on it; for any other sample too.

    Rounds go through the samples that are not fooled yet, in random order: `v ← P_ε(v + Δ)` with
    Δ the way of `x + v` to its nearest border.
    """
    generator = torch.Generator().manual_seed(seed)
    change = torch.zeros_like(x[:1])
    best, most = change, -1
    for _ in range(rounds):
        for i in torch.randperm(len(x), generator=generator).tolist():
            at = (x[i : i + 1] + change).clamp(0, 1)
            if bool(fooled(module, at, y[i : i + 1])):
                continue
            with unseen():
                way = nearest_border(module, at, y[i : i + 1], 10, "Linf") - at
            change = (change + 1.02 * way).clamp(-epsilon, epsilon)
        count = int(fooled(module, (x + change).clamp(0, 1), y).sum())
        if count > most:
            best, most = change, count
        seen((x + change).clamp(0, 1))
        if count == len(x):
            break
    return best


@attack("patch", norm="L0", gradients=True, minimal=False, shared=True)
def patch(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Annotated[int, Slider(0, 400, help="A larger patch, in pixels")] = 16,
    steps: Steps = 100,
    places: Annotated[int, Slider(1, 32, log=True, help="Must work in more places")] = 4,
    rate: Annotated[float, Slider(0.001, 0.5, log=True, help="Longer steps")] = 0.1,
    targeted: bool = False,
    seed: Seed = 0,
) -> torch.Tensor:
    """One square sticker for the whole batch that misleads wherever it is put.

    Source: Brown et al. (2017), Adversarial patch.
    """
    if x.ndim != 4:
        raise ValueError(f"patch: needs pictures to stick it on; got samples of {x.ndim - 1} axes")
    side = min(math.isqrt(int(epsilon)), *x.shape[2:])
    if side == 0:
        return x
    generator = torch.Generator().manual_seed(seed)
    sticker = torch.rand((1, x.shape[1], side, side), generator=generator, dtype=x.dtype)
    for _ in range(steps):
        slope = torch.zeros_like(sticker)
        for _ in range(places):  # the expectation over places, by gradients at some of them
            found, corners = stuck(x, sticker, generator)
            gradient = uphill(module, found, y, targeted=targeted)
            for row, (top, left) in zip(gradient, corners, strict=True):
                slope += row[None, :, top : top + side, left : left + side]
        sticker = (sticker + rate * slope.sign()).clamp(0, 1)
        seen(found)
    return _best_place(module, x, y, sticker, generator, targeted=targeted)


def _best_place(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    sticker: torch.Tensor,
    generator: torch.Generator,
    *,
    targeted: bool,
) -> torch.Tensor:
    """Each picture with the sticker where it misleads most, of some places; or without it."""
    with torch.no_grad():
        best, most = x, loss(module, x, y, targeted=targeted)
        for _ in range(PLACES):
            found = stuck(x, sticker, generator)[0]
            value = loss(module, found, y, targeted=targeted)
            gain = value > most
            best, most = torch.where(across(gain, x), found, best), torch.maximum(most, value)
    return best


def stuck(
    x: torch.Tensor, sticker: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, list[tuple[int, int]]]:
    """The sticker on each picture at a random place, and the rows and columns of its corners."""
    side, found = sticker.shape[2], x.clone()
    rows, columns = x.shape[2] - side + 1, x.shape[3] - side + 1
    tops = torch.randint(0, rows, (len(x),), generator=generator).tolist()
    lefts = torch.randint(0, columns, (len(x),), generator=generator).tolist()
    corners = list(zip(tops, lefts, strict=True))
    for picture, (top, left) in zip(found, corners, strict=True):
        picture[:, top : top + side, left : left + side] = sticker[0]
    return found, corners
