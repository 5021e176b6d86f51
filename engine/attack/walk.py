"""An attack's way as pictures: a film strip, and a walk over a plane of inputs.

A model of two numbers is shown over all its inputs. Of a larger input a plane is shown: through
the sample, the attacked sample and a third direction. Its colour is the lead of the class that
is attacked: blue where the model holds, orange where it is fooled, the border between them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine.attack.arena import Arena, Duel, Outcome
from engine.attack.pictures import tiles, told
from engine.attack.table import uphill
from engine.views import Array, Field, Tiles

GRID = 41  # places of the plane, either way
FINE = 61  # where there are only two numbers
FRAMES = 8  # of the film
ANGLES = 72  # corners of the ball's outline
THIRD = ("another class", "gradient", "random")


def film(arena: Arena, outcome: Outcome) -> Tiles:
    """Places on the way, evenly spaced, each with what the model says there."""
    path = outcome.path
    places = np.unique(np.linspace(0, len(path) - 1, FRAMES).round().astype(int))
    x = torch.cat([path[place].x for place in places]) if len(path) else outcome.x
    with torch.no_grad():
        said = arena.module(x).softmax(1)
    words = [
        f"step {place}: {told(arena.kept, chances)}"
        for place, chances in zip(places if len(path) else [0], said, strict=True)
    ]
    return tiles(x, words, across=min(FRAMES, len(x)), title="on the way")


@dataclass(frozen=True)
class _Plane:
    """`middle + a · first + b · second`, with both directions of length one, each `(features,)`."""

    middle: torch.Tensor
    first: torch.Tensor
    second: torch.Tensor

    def at(self, coordinates: torch.Tensor) -> torch.Tensor:
        """Inputs at coordinates `(n, 2)`, `(n, features)`."""
        return self.middle + coordinates[:, :1] * self.first + coordinates[:, 1:] * self.second

    def seen(self, x: torch.Tensor) -> torch.Tensor:
        """Where inputs `(n, features)` fall straight onto the plane, `(n, 2)`."""
        off = x - self.middle
        return torch.stack([off @ self.first, off @ self.second], 1)


def walk(arena: Arena, duel: Duel, outcome: Outcome, budget: float, third: str) -> Field:
    """The plane with the attack's way and the ball it must stay in."""
    if duel.x[0].numel() == 2:
        return _whole(arena, duel, outcome, budget)
    plane = _plane(arena, duel, outcome, third)
    path = plane.seen(_way(duel, outcome).flatten(1))
    ring = _outline(plane.first, plane.second, duel.norm, budget)
    reach = max(float(path.abs().max()), 1e-3)
    if ring is not None:
        reach = max(reach, min(float(ring.abs().max()), 3 * float(ring.norm(dim=1).min())))
    reach *= 1.25
    side = torch.linspace(-reach, reach, GRID)
    grid = torch.stack(torch.meshgrid(side, side, indexing="xy"), -1).reshape(-1, 2)
    x = plane.at(grid).reshape(-1, *duel.x.shape[1:])
    extent = (-reach, reach, -reach, reach)
    return Field(
        _lead(arena, duel, x).reshape(GRID, GRID).numpy(),
        extent,
        paths=_paths(ring, path, extent),
        scale="signed",
        contours=True,
        xlabel="towards the attacked input (L2)",
        ylabel=f"towards {third} (L2)",
        title="lead of the class under attack",
    )


def _whole(arena: Arena, duel: Duel, outcome: Outcome, budget: float) -> Field:
    """All inputs of a model of two numbers, in the units of the data."""
    side = torch.linspace(0, 1, FINE)
    grid = torch.stack(torch.meshgrid(side, side, indexing="xy"), -1).reshape(-1, 2)
    low, high = (arena.box.outward(torch.full((2,), end)) for end in (0.0, 1.0))
    extent = (float(low[0]), float(high[0]), float(low[1]), float(high[1]))
    middle = duel.x[0]
    eye = torch.eye(2)
    ring = _outline(eye[0], eye[1], duel.norm, budget)
    around = None if ring is None else arena.box.outward(middle + ring)
    path = arena.box.outward(_way(duel, outcome))
    return Field(
        _lead(arena, duel, grid).reshape(FINE, FINE).numpy(),
        extent,
        paths=_paths(around, path, extent),
        scale="signed",
        contours=True,
        title="lead of the class under attack",
    )


def _way(duel: Duel, outcome: Outcome) -> torch.Tensor:
    """The sample, the places on the way and the end, `(n, ...)`."""
    steps: Sequence[torch.Tensor] = [step.x for step in outcome.path]
    return torch.cat([duel.x, *steps, outcome.x])


def _paths(
    ring: torch.Tensor | None, path: torch.Tensor, extent: tuple[float, float, float, float]
) -> dict[str, Array]:
    found: dict[str, Array] = {}
    if ring is not None:
        found["the ball"] = _clipped(ring, extent)
    found["the way"] = path.numpy()
    return found


def _clipped(ring: torch.Tensor, extent: tuple[float, float, float, float]) -> Array:
    left, right, bottom, top = extent
    x, y = ring[:, 0].clamp(left, right), ring[:, 1].clamp(bottom, top)
    return torch.stack([x, y], 1).numpy()


def _lead(arena: Arena, duel: Duel, x: torch.Tensor) -> torch.Tensor:
    """How far the attack is from its wish, `(n,)`: positive while it has not got it."""
    with torch.no_grad():
        scores = torch.cat([arena.module(part) for part in x.split(512)])
    own = scores[:, int(duel.y)]
    others = scores.clone()
    others[:, int(duel.y)] = -math.inf
    lead: torch.Tensor = own - others.amax(1)
    return -lead if duel.targeted else lead


def _plane(arena: Arena, duel: Duel, outcome: Outcome, third: str) -> _Plane:
    middle = duel.x.flatten()
    first = outcome.x.flatten() - middle
    generator = torch.Generator().manual_seed(0)
    if float(first.norm()) < 1e-6:  # nothing has changed: some direction
        first = torch.randn(middle.shape, generator=generator)
    first = first / first.norm()
    second = _direction(arena, duel, outcome, third, generator)
    second = second - (second @ first) * first
    if float(second.norm()) < 1e-6:
        second = torch.randn(middle.shape, generator=generator)
        second = second - (second @ first) * first
    return _Plane(middle, first, second / second.norm())


def _direction(
    arena: Arena, duel: Duel, outcome: Outcome, third: str, generator: torch.Generator
) -> torch.Tensor:
    """The third direction, before it is made upright."""
    if third == "gradient":
        return uphill(arena.module, duel.x, duel.y, targeted=duel.targeted).flatten()
    data = arena.samples.data()
    if third == "another class" and data is not None:
        x, y = arena.box.inward(data.valid_x[:500]), data.valid_y[:500]
        said = int(outcome.scores.argmax())
        wanted = x[y == said] if said != int(duel.y) else x[y != int(duel.y)]
        if len(wanted):
            away = (wanted - duel.x).flatten(1)
            return away[int(away.norm(dim=1).argmin())]
    return torch.randn(duel.x.numel(), generator=generator)


def _outline(
    first: torch.Tensor, second: torch.Tensor, norm: str, budget: float
) -> torch.Tensor | None:
    """The ball's edge in the plane, `(n, 2)`: how far each direction can go before it is left."""
    if norm not in ("Linf", "L2", "L1") or budget <= 0:
        return None
    angle = torch.linspace(0, 2 * math.pi, ANGLES + 1)
    ways = torch.stack([angle.cos(), angle.sin()], 1)
    straight = ways[:, :1] * first + ways[:, 1:] * second  # (n, features)
    order = {"Linf": math.inf, "L2": 2.0, "L1": 1.0}[norm]
    reach: torch.Tensor = budget / torch.linalg.vector_norm(straight, ord=order, dim=1)
    return ways * reach[:, None]
