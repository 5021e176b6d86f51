"""A flow without layers: samples drift along a learnt velocity field from noise to data."""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.nn import functional

from engine.generate.parts.invertible import Layer, Stretched
from engine.generate.parts.told import silent


class Velocity(nn.Module):
    """v(x, t) with smooth activations, and how fast it drives samples apart.

    Tangents are pushed through beside the numbers (the chain rule, forwards), so the divergence
    costs no backward pass: for a direction e, e·(∂v/∂x)e.
    """

    def __init__(self, size: int, *, width: int, depth: int) -> None:
        super().__init__()
        inner = [size + 1, *[width] * depth]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(inner))
        self.last = nn.Linear(width, size)
        silent(self.last)

    def forward(
        self, x: torch.Tensor, time: float, directions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Velocity and Σ_e e·(∂v/∂x)e.

        Args:
            x: `(n, size)`.
            time: 0 at noise, 1 at data.
            directions: `(n or 1, k, size)`; the unit vectors give the trace exactly.

        Returns:
            `(n, size)` and `(n,)`.
        """
        value = torch.cat([x, torch.full_like(x[:, :1], time)], 1)
        # time stands still, so its direction is 0
        moves = functional.pad(directions, (0, 1)).expand(x.shape[0], -1, -1)
        for layer in self.layers:
            value = layer(value).tanh()
            moves = (1 - value.square())[:, None] * functional.linear(moves, layer.weight)  # type: ignore[arg-type] # a Linear's
        moves = moves @ self.last.weight.T
        return self.last(value), (moves * directions).sum((1, 2))


class Continuous(Layer):
    """dx/dt = v(x, t) from noise at t = 0 to data at t = 1, by Runge-Kutta in fixed steps.

    d log p/dt = -tr ∂v/∂x. The trace is exact, or, while learning, estimated along one random
    direction of ±1 (Hutchinson), which is right on average.

    Source: Chen et al. (2018), Neural Ordinary Differential Equations; Grathwohl et al. (2019),
    FFJORD.
    """

    name = "drift"

    def __init__(self, velocity: Velocity, size: int, *, steps: int, estimated: bool) -> None:
        super().__init__()
        self.velocity, self.steps, self.estimated = velocity, steps, estimated
        self._size = size

    def forward(self, x: torch.Tensor) -> Stretched:
        """From data to noise, with minus the integral of the trace."""
        stages = self.stages(x)
        return stages[-1][0], torch.stack([stretch for _, stretch in stages]).sum(0)

    def stages(self, x: torch.Tensor) -> list[Stretched]:
        """Every step from data to noise."""
        directions, found = torch.eye(self._size)[None], []
        if self.estimated and self.training:
            directions = 2.0 * torch.randint(2, (len(x), 1, self._size)) - 1
        for number in range(self.steps, 0, -1):
            x, stretch = self._step(x, torch.zeros(len(x)), number, -1, directions)
            found.append((x, stretch))
        return found

    def inverse(self, y: torch.Tensor) -> torch.Tensor:
        """From noise to data."""
        return self.between(y)[-1]

    def between(self, y: torch.Tensor) -> list[torch.Tensor]:
        """Every step from noise to data."""
        none, places = torch.zeros(1, 0, self._size), []
        for number in range(self.steps):
            y, _ = self._step(y, y.new_zeros(y.shape[0]), number, 1, none)
            places.append(y)
        return places

    def _step(
        self,
        x: torch.Tensor,
        total: torch.Tensor,
        number: int,
        way: int,
        directions: torch.Tensor,
    ) -> Stretched:
        """One step of the classical Runge-Kutta method; the error falls with steps⁴."""
        long = way / self.steps
        begin = number / self.steps
        a, da = self.velocity(x, begin, directions)
        b, db = self.velocity(x + long / 2 * a, begin + long / 2, directions)
        c, dc = self.velocity(x + long / 2 * b, begin + long / 2, directions)
        d, dd = self.velocity(x + long * c, begin + long, directions)
        x = x + long / 6 * (a + 2 * b + 2 * c + d)
        return x, total + long / 6 * (da + 2 * db + 2 * dc + dd)
