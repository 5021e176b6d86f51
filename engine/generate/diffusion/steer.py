"""Ways to steer a walk: towards a class, around what is already there, and back to the noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch

from engine.generate.diffusion.path import Level
from engine.generate.samplers import Denoise, Moment, Walk, arrived, noise_of, samplers


def guided(free: Denoise, told: Denoise, weight: float) -> Denoise:
    """Classifier-free guidance: x̂₀ + w (x̂₀ of the class - x̂₀).

    Weight 0 is the model that is told nothing, 1 the one that is told the class, and above 1 it
    goes beyond. Ho and Salimans's own weight is one less: (1 + w) ε_c - w ε.

    Source: Ho and Salimans (2022), Classifier-Free Diffusion Guidance.
    """
    if weight == 0:
        return free
    if weight == 1:
        return told

    def denoise(x: torch.Tensor, level: Level) -> torch.Tensor:
        without = free(x, level)
        return without + weight * (told(x, level) - without)

    return denoise


def driven(
    free: Denoise,
    log_odds: Callable[[torch.Tensor, Level], torch.Tensor],
    weight: float,
    *,
    least: float = 0.05,
) -> Denoise:
    """Classifier guidance: ε̂ - w σ ∇ log p(y | x_t), which moves x̂₀ by w σ²/α ∇ log p(y | x_t).

    Args:
        free: The model that is told nothing.
        log_odds: x_t and its level -> log p(y | x_t), `(n,)`.
        weight: 0 leaves the model alone, 1 is Bayes' rule.
        least: Below this α the sample is all noise and the slope is left out.

    Source: Dhariwal and Nichol (2021), Diffusion Models Beat GANs on Image Synthesis.
    """

    def denoise(x: torch.Tensor, level: Level) -> torch.Tensor:
        found = free(x, level)
        if weight == 0 or level.alpha < least:
            return found
        with torch.enable_grad():
            at = x.detach().requires_grad_()
            (slope,) = torch.autograd.grad(log_odds(at, level).sum(), at)
        return found + weight * level.sigma**2 / level.alpha * slope

    return denoise


def filled_in(free: Denoise, known: torch.Tensor, where: torch.Tensor) -> Denoise:
    """x̂₀ with what is known put in its place: every sampler then comes out with exactly that.

    Args:
        free: The model.
        known: What is there, broadcast against the samples.
        where: 1 where it is known, 0 where the model shall fill in.

    Source: Wang et al. (2023), Zero-Shot Image Restoration Using Denoising Diffusion Null-Space
    Model, for a mask.
    """

    def denoise(x: torch.Tensor, level: Level) -> torch.Tensor:
        return where * known + (1 - where) * free(x, level)

    return denoise


def repainted(
    sampler: str,
    denoise: Denoise,
    x: torch.Tensor,
    levels: Sequence[Level],
    draw: torch.Generator,
    *,
    again: int = 1,
    **settings: Any,
) -> Walk:
    """A walk that takes every step `again` times, noised back between: the parts come to agree.

    Source: Lugmayr et al. (2022), RePaint: Inpainting Using Denoising Diffusion Probabilistic
    Models.
    """
    if again == 1:
        yield from samplers.find(sampler)(denoise, x, levels, draw, **settings)
        return
    clean = x
    for number, (level, after) in enumerate(pairwise(levels)):
        for turn in range(again):
            first, end = samplers.find(sampler)(denoise, x, [level, after], draw, **settings)
            clean = first.clean
            if turn == 0:
                yield Moment(number, level, x, clean, first.numbers)
            x = end.x if turn == again - 1 else _back(end.x, after, level, draw)
    yield arrived(x, levels, clean)


def inverted(denoise: Denoise, x: torch.Tensor, levels: Sequence[Level]) -> Walk:
    """Data back to the noise they come from: the steps of DDIM without chance, taken upwards.

    Source: Song et al. (2021), Denoising Diffusion Implicit Models, section 4.3.
    """
    up = list(reversed(levels))
    clean = x
    for number, (level, after) in enumerate(pairwise(up)):
        if level.sigma == 0:  # nothing to be heard there: the first level's answer stands for it
            noise = noise_of(x * after.alpha, denoise(x * after.alpha, after), after)
            clean = x
        else:
            clean = denoise(x, level)
            noise = noise_of(x, clean, level)
        yield Moment(number, level, x, clean)
        x = after.alpha * clean + after.sigma * noise
    yield arrived(x, up, clean)


def _back(x: torch.Tensor, level: Level, to: Level, draw: torch.Generator) -> torch.Tensor:
    """Noise a sample from a level up to a noisier one."""
    kept = to.alpha / level.alpha
    fresh = math.sqrt(max(to.sigma**2 - (kept * level.sigma) ** 2, 0.0))
    return kept * x + fresh * torch.randn(x.shape, generator=draw)
