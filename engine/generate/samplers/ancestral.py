"""Samplers that go down by the rule of the training: DDPM's, and DDIM with and without noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import torch

from engine.forms import Slider
from engine.generate.diffusion.path import Level
from engine.generate.samplers import Denoise, Moment, Walk, arrived, noise_of, samplers, steps_of


def posterior_deviation(level: Level, after: Level) -> float:
    """√β̃: the standard deviation of q(x_t' | x_t, x₀), the last step taken back exactly.

    β̃ = σ'² (σ² - κ² σ'²) / σ² with κ = α / α'; in Ho's symbols (1 - ᾱ') / (1 - ᾱ) · β.

    Source: Ho et al. (2020), equation 7, for any α and σ.
    """
    kept = level.alpha / after.alpha  # √(ᾱ / ᾱ')
    fresh = level.sigma**2 - (kept * after.sigma) ** 2  # the noise between the two
    return after.sigma / level.sigma * math.sqrt(max(fresh, 0.0))


@samplers.add(
    "ddpm",
    title="DDPM",
    asks=1,
    random=True,
    formula="x' = a x̂₀ + b x + s z",
    filled="x' = {a:.4f} x̂₀ + {b:.4f} x + {s:.4f} z",
)
def ddpm(denoise: Denoise, x: torch.Tensor, levels: Sequence[Level], draw: torch.Generator) -> Walk:
    """Draw from q(x' | x, x̂₀), the noising step taken back, with fresh noise every time.

    a = α' (σ² - κ² σ'²) / σ², b = κ σ'² / σ² with κ = α / α'; s² = β̃ = σ'² (σ² - κ² σ'²) / σ².

    Source: Ho et al. (2020), Denoising Diffusion Probabilistic Models, equations 6 and 7.
    """
    clean = x
    for number, level, after in steps_of(levels):
        clean = denoise(x, level)
        kept = level.alpha / after.alpha
        fresh = level.sigma**2 - (kept * after.sigma) ** 2
        a = after.alpha * fresh / level.sigma**2
        b = kept * after.sigma**2 / level.sigma**2
        s = posterior_deviation(level, after)
        yield Moment(number, level, x, clean, {"a": a, "b": b, "s": s})
        x = a * clean + b * x
        if s:
            x = x + s * torch.randn(x.shape, generator=draw)
    yield arrived(x, levels, clean)


@samplers.add(
    "ddim",
    title="DDIM",
    asks=1,
    random=False,
    formula="x' = α' x̂₀ + √(σ'² - s²) ε̂ + s z,   s = η √β̃",
    filled="x' = {α':.4f} x̂₀ + {√(σ'² - s²):.4f} ε̂ + {s:.4f} z",
)
def ddim(
    denoise: Denoise,
    x: torch.Tensor,
    levels: Sequence[Level],
    draw: torch.Generator,
    *,
    eta: Annotated[float, Slider(0.0, 1.0, live=True, help="More fresh noise in every step")] = 0.0,
) -> Walk:
    """Mix x̂₀ and ε̂ anew at the next level: no chance at all with η = 0, as DDPM with η = 1.

    Source: Song et al. (2021), Denoising Diffusion Implicit Models, equation 12.
    """
    clean = x
    for number, level, after in steps_of(levels):
        clean = denoise(x, level)
        s = eta * posterior_deviation(level, after)
        rest = math.sqrt(max(after.sigma**2 - s**2, 0.0))
        numbers = {"α'": after.alpha, "√(σ'² - s²)": rest, "s": s}
        yield Moment(number, level, x, clean, numbers)
        x = after.alpha * clean + rest * noise_of(x, clean, level)
        if s:
            x = x + s * torch.randn(x.shape, generator=draw)
    yield arrived(x, levels, clean)
