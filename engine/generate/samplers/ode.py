"""Samplers that follow the probability-flow ODE, the path without chance between noise and data.

Each path is scaled so that it becomes as simple as it can: x̃ = x / α over the time σ / α, where
dx̃/dσ̃ = ε̂ (Karras et al.), and for the straight path x itself over t = σ, where dx/dt = ε̂ - x̂₀.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from engine.generate.diffusion.path import Level
from engine.generate.samplers import Denoise, Moment, Walk, arrived, noise_of, samplers, steps_of


def scale(level: Level) -> float:
    """By what x is divided so that the ODE is simple."""
    return 1.0 if level.straight else level.alpha


def time(level: Level) -> float:
    """The time of the ODE: σ on the straight path, else σ / α."""
    return level.sigma if level.straight else level.ratio


def slope(x: torch.Tensor, clean: torch.Tensor, level: Level) -> torch.Tensor:
    """dx̃/dtime."""
    noise = noise_of(x, clean, level)
    return noise - clean if level.straight else noise


@samplers.add(
    "euler",
    title="Euler",
    asks=1,
    random=False,
    formula="x̃' = x̃ + (σ̃' - σ̃) d,   d = dx̃/dσ̃",
    filled="x̃' = x̃ + ({σ̃':.4f} - {σ̃:.4f}) d",
)
def euler(
    denoise: Denoise, x: torch.Tensor, levels: Sequence[Level], draw: torch.Generator
) -> Walk:
    """Straight on along the slope; on every path the same as DDIM without noise.

    Source: Song et al. (2021), Score-Based Generative Modeling through Stochastic Differential
    Equations.
    """
    del draw
    clean = x
    for number, level, after in steps_of(levels):
        clean = denoise(x, level)
        yield Moment(number, level, x, clean, {"σ̃": time(level), "σ̃'": time(after)})
        x = _moved(x, slope(x, clean, level), level, after)
    yield arrived(x, levels, clean)


@samplers.add(
    "heun",
    title="Heun",
    asks=2,
    random=False,
    formula="x̃' = x̃ + (σ̃' - σ̃) (d + d') / 2",
    filled="x̃' = x̃ + ({σ̃':.4f} - {σ̃:.4f}) (d + d') / 2",
)
def heun(denoise: Denoise, x: torch.Tensor, levels: Sequence[Level], draw: torch.Generator) -> Walk:
    """Try a step, look at the slope there too, and go along the mean: EDM's sampler.

    Source: Karras et al. (2022), Elucidating the Design Space of Diffusion-Based Generative
    Models, algorithm 1.
    """
    del draw
    clean = x
    for number, level, after in steps_of(levels):
        clean = denoise(x, level)
        yield Moment(number, level, x, clean, {"σ̃": time(level), "σ̃'": time(after)})
        here = slope(x, clean, level)
        tried = _moved(x, here, level, after)
        if after.sigma == 0:  # no slope to be had there
            x = tried
            continue
        there = slope(tried, denoise(tried, after), after)
        x = _moved(x, (here + there) / 2, level, after)
    yield arrived(x, levels, clean)


@samplers.add(
    "euler ancestral",
    title="Euler ancestral",
    asks=1,
    random=True,
    formula="x̃' = x̃ + (σ̃↓ - σ̃) ε̂ + σ̃↑ z,   σ̃↓² + σ̃↑² = σ̃'²",
    filled="x̃' = x̃ + ({σ̃↓:.4f} - {σ̃:.4f}) ε̂ + {σ̃↑:.4f} z",
)
def euler_ancestral(
    denoise: Denoise, x: torch.Tensor, levels: Sequence[Level], draw: torch.Generator
) -> Walk:
    """Go down further than needed and come up again with fresh noise: DDPM with the ODE's scale.

    σ̃↑ = σ̃' √(1 - σ̃'² / σ̃²), the posterior's deviation.

    Source: Song et al. (2021), Score-Based Generative Modeling through Stochastic Differential
    Equations, ancestral sampling; in this form in k-diffusion.
    """
    clean = x
    for number, level, after in steps_of(levels):
        clean = denoise(x, level)
        share = _ratio_of(after, level)
        up = after.sigma * math.sqrt(1 - share**2)
        down = after.sigma * share
        numbers = {"σ̃": level.ratio, "σ̃↓": down / after.alpha, "σ̃↑": up / after.alpha}
        yield Moment(number, level, x, clean, numbers)
        x = after.alpha * clean + down * noise_of(x, clean, level)
        if up:
            x = x + up * torch.randn(x.shape, generator=draw)
    yield arrived(x, levels, clean)


@samplers.add(
    "dpm++ 2m",
    title="DPM-Solver++(2M)",
    asks=1,
    random=False,
    formula="x' = A x + B ((1 + c) x̂₀ - c x̂₀ before),   A = σ'/σ,   B = -α' (e^(-h) - 1)",
    filled="x' = {A:.4f} x + {B:.4f} ((1 + {c:.4f}) x̂₀ - {c:.4f} x̂₀ before)",
)
def dpm_solver(
    denoise: Denoise, x: torch.Tensor, levels: Sequence[Level], draw: torch.Generator
) -> Walk:
    """Second order for one question a step: it draws a line through the last two answers.

    With λ = ln(α / σ), h = λ' - λ and r = h of the step before / h, c = 1 / 2r. First and last step
    are of first order: c = 0.

    Source: Lu et al. (2022), DPM-Solver++: Fast Solver for Guided Sampling, algorithm 2.
    """
    del draw
    clean, before, earlier = x, x, None  # earlier: h of the step before
    for number, level, after in steps_of(levels):
        before, clean = clean, denoise(x, level)
        h = _gain(after) - _gain(level)
        lean = 0.0 if earlier is None or not math.isfinite(h) else h / (2 * earlier)
        grown = -after.alpha * math.expm1(-h)
        numbers = {"A": after.sigma / level.sigma, "B": grown, "c": lean}
        yield Moment(number, level, x, clean, numbers)
        x = after.sigma / level.sigma * x + grown * ((1 + lean) * clean - lean * before)
        earlier = h if math.isfinite(h) else None
    yield arrived(x, levels, clean)


def _moved(x: torch.Tensor, along: torch.Tensor, level: Level, after: Level) -> torch.Tensor:
    return scale(after) * (x / scale(level) + (time(after) - time(level)) * along)


def _ratio_of(after: Level, level: Level) -> float:
    """σ̃' / σ̃, also where σ̃ is infinite."""
    return after.sigma * level.alpha / (after.alpha * level.sigma)


def _gain(level: Level) -> float:
    """λ = ln(α / σ); infinite at either end."""
    if level.alpha == 0:
        return -math.inf
    return math.log(level.alpha / level.sigma) if level.sigma else math.inf
