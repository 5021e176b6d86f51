"""The exact density of a diffusion model: along its ODE, probability is only moved, never lost."""

from __future__ import annotations

import math
from itertools import pairwise

import torch

from engine.generate.diffusion.path import Level, Path
from engine.generate.samplers import Denoise, noise_of

STEPS = 16


def log_density(denoise: Denoise, path: Path, x: torch.Tensor, steps: int = STEPS) -> torch.Tensor:
    """Log p(x) [nat] of points `(n, size)` in the model's units, `(n,)`; for a few dimensions.

    Every path is walked as the straight one: x̄ = x / (α + σ) over τ = σ / (α + σ), where
    dx̄/dτ = u = ε̂ - x̂₀. Then log p changes by -∇·u on the way up to the noise, whose density is
    known; the divergence is exact, one derivative for each axis. Heun's steps.

    Source: Song et al. (2021), Score-Based Generative Modeling through Stochastic Differential
    Equations, appendix D.2.
    """
    up = [path.level(path.first()), *reversed(path.levels(steps, path.careful)[:-1])]
    gained = torch.zeros(len(x))
    x = x / _size(up[0])
    for level, after in pairwise(up):
        step = _time(after) - _time(level)
        here, spread = _moves(denoise, x, level)
        there, spread_there = _moves(denoise, x + step * here, after)
        x = x + step * (here + there) / 2
        gained = gained + step * (spread + spread_there) / 2
    top, size = up[-1], x.shape[1]
    wide = math.hypot(top.alpha, top.sigma) / _size(top)  # the data have variance one, about
    ends = -x.square().sum(1) / (2 * wide**2) - size / 2 * math.log(2 * math.pi * wide**2)
    return ends + gained - size * math.log(_size(up[0]))


def _moves(denoise: Denoise, x: torch.Tensor, level: Level) -> tuple[torch.Tensor, torch.Tensor]:
    """The velocity u at x̄, and its divergence."""
    with torch.enable_grad():
        place = x.detach().requires_grad_()
        real = place * _size(level)
        clean = denoise(real, level)
        speed = noise_of(real, clean, level) - clean
        spread = torch.zeros(len(x))
        for axis in range(x.shape[1]):
            (slope,) = torch.autograd.grad(speed[:, axis].sum(), place, retain_graph=True)
            spread = spread + slope[:, axis]
    return speed.detach(), spread


def _size(level: Level) -> float:
    return level.alpha + level.sigma


def _time(level: Level) -> float:
    return level.sigma / _size(level)
