"""Ways through a space of codes: straight on the sphere, sums and differences, a flat cut."""

from __future__ import annotations

import math

import torch


def walk(begin: torch.Tensor, end: torch.Tensor, steps: int) -> torch.Tensor:
    """From one code to another along a great circle, lengths changing evenly, `(steps, latent)`.

    In many dimensions Gaussian codes all lie near a sphere, and the middle of a straight line far
    inside it, where the generator has never been. Two codes that point one way, or in opposite
    ones, are joined by a straight line.

    Source: Shoemake (1985), Animating rotation with quaternion curves.
    """
    share = torch.linspace(0, 1, steps)[:, None]
    one, two = begin.norm(), end.norm()
    if float(one * two) == 0:
        return (1 - share) * begin + share * end
    angle = ((begin @ end) / (one * two)).clamp(-1, 1).acos()
    if float(angle.sin()) < 1e-4:
        return (1 - share) * begin + share * end
    along = (
        ((1 - share) * angle).sin() * (begin / one) + (share * angle).sin() * (end / two)
    ) / angle.sin()
    codes: torch.Tensor = along * ((1 - share) * one + share * two)
    return codes


def sum_of(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """The code a - b + c, brought back to the mean length of the three."""
    far = a - b + c
    length = torch.stack([a, b, c]).norm(dim=1).mean()
    return far * (length / far.norm().clamp(min=1e-6)) if len(a) > 2 else far


def plane_of_codes(latent: int, seed: int) -> torch.Tensor:
    """Two directions at right angles that span a flat cut, `(2, latent)`: the axes if there are 2.

    With one number in a code the second direction does nothing.
    """
    if latent == 1:
        return torch.tensor([[1.0], [0.0]])
    if latent == 2:
        return torch.eye(2)
    draw = torch.Generator().manual_seed(seed)
    directions: torch.Tensor = torch.linalg.qr(torch.randn(latent, 2, generator=draw)).Q.T
    return directions


def on_plane(places: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
    """Codes of places `(n, 2)` of a cut, `(n, latent)`.

    With more than two numbers a code is a place times √(latent/2): what is usual in the whole space
    is then as far out as it is in the plane.
    """
    latent = directions.shape[1]
    return places @ directions * math.sqrt(max(1.0, latent / 2))
