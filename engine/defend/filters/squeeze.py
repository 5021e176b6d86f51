"""Filters that throw away detail: fewer grey levels, a median, a coarse cosine transform."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch.nn import functional

from engine.defend.table import filters
from engine.forms import Slider

BLOCK = 8  # pixels of a JPEG block, either way


@filters.add("bit_depth", random=False, blunt=True)
def bit_depth(
    x: torch.Tensor,
    generator: torch.Generator,
    *,
    bits: Annotated[int, Slider(1, 8, help="More grey levels")] = 2,
) -> torch.Tensor:
    """Round every number to `2^bits` levels; its gradient is zero almost everywhere.

    Source: Xu, Evans & Qi (2018), Feature squeezing: detecting adversarial examples in deep
    neural networks.
    """
    del generator
    most = float(2**bits - 1)
    return (x * most).round() / most


@filters.add("median", random=False, blunt=False)
def median(
    x: torch.Tensor,
    generator: torch.Generator,
    *,
    side: Annotated[int, Slider(1, 5, help="A larger neighbourhood")] = 2,
) -> torch.Tensor:
    """Replace every pixel by the median of its neighbourhood; lone pixels vanish.

    Source: Xu, Evans & Qi (2018), Feature squeezing, section 4.2.
    """
    del generator
    pictures("median", x)
    before, after = (side - 1) // 2, side // 2
    rim = (before, after, before, after)
    padded = functional.pad(x, rim, mode="replicate" if side > 1 else "constant")
    seen = functional.unfold(padded, side).reshape(*x.shape[:2], side * side, -1)
    return seen.median(2).values.reshape(x.shape)


@filters.add("jpeg", random=False, blunt=True)
def jpeg(
    x: torch.Tensor,
    generator: torch.Generator,
    *,
    quality: Annotated[int, Slider(5, 95, help="Finer steps")] = 30,
) -> torch.Tensor:
    """Round the cosine waves of each block of 8 x 8 pixels, coarser for finer waves, as JPEG does.

    The table of steps is JPEG's for brightness, scaled by quality as libjpeg does; each channel
    is treated alike.

    Source: Wallace (1992), The JPEG still picture compression standard; Das et al. (2017),
    Keeping the bad guys out: protecting and vaccinating deep learning with JPEG compression.
    """
    del generator
    pictures("jpeg", x)
    rows, columns = x.shape[2:]
    padded = functional.pad(x, (0, -columns % BLOCK, 0, -rows % BLOCK), mode="replicate")
    high, wide = padded.shape[2:]
    blocks = functional.unfold(padded.flatten(0, 1)[:, None], BLOCK, stride=BLOCK)
    blocks = blocks.mT.reshape(-1, BLOCK, BLOCK) * 255 - 128
    waves = _cosines().to(x.dtype)
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    steps = ((_STEPS * scale + 50) / 100).floor().clamp(1, 255).to(x.dtype)
    kept = ((waves @ blocks @ waves.T) / steps).round() * steps
    back = ((waves.T @ kept @ waves) + 128) / 255
    flat = back.reshape(len(x) * x.shape[1], -1, BLOCK * BLOCK).mT
    whole = functional.fold(flat, (high, wide), BLOCK, stride=BLOCK)
    return whole.reshape(*x.shape[:2], high, wide)[:, :, :rows, :columns].clamp(0, 1)


def _cosines() -> torch.Tensor:
    """The orthonormal cosine transform of eight numbers, `(8, 8)`, a wave a row."""
    k, n = torch.arange(BLOCK)[:, None], torch.arange(BLOCK)[None, :]
    waves = torch.cos(math.pi * (2 * n + 1) * k / (2 * BLOCK)) * math.sqrt(2 / BLOCK)
    return torch.where(k == 0, waves / math.sqrt(2), waves)


_STEPS = torch.tensor(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    dtype=torch.float32,
)


def pictures(name: str, x: torch.Tensor) -> None:
    """Do nothing if the samples are pictures.

    Raises:
        ValueError: They are not.
    """
    if x.ndim != 4:
        raise ValueError(f"{name}: filters pictures; this model takes {list(x.shape[1:])} numbers")
