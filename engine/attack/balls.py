"""Budgets: how large a change is, what lies within reach, and which step uses a budget best.

A ball is named by its norm: "Linf" (the largest change of a number), "L2" (Euclidean length), "L1"
(the sum of all changes) or "L0" (how many pixels change, whatever their channels). A fifth name,
"spatial", is no ball: there the budget is an angle, and an attack keeps to it by itself.
"""

from __future__ import annotations

import torch

DUAL = {"Linf": 1.0, "L2": 2.0, "L1": torch.inf}
"""Norm of a change -> order q of the norm that its effect on a linear model is measured by."""


def across(numbers: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """A number a sample, `(batch,)`, in a shape that multiplies `x`."""
    return numbers.reshape(-1, *[1] * (x.ndim - 1))


def length(change: torch.Tensor, norm: str) -> torch.Tensor:
    """How large each sample's change is, `(batch,)`; L0 counts pixels, whatever their channels.

    NaN for "spatial": how far a picture was turned is not seen in the change of its pixels.
    """
    flat = change.flatten(1).abs()
    match norm:
        case "Linf":
            return flat.amax(1)
        case "L2":
            return flat.square().sum(1).sqrt()
        case "L1":
            return flat.sum(1)
        case "spatial":
            return torch.full_like(flat[:, 0], torch.nan)
        case _:
            return _pixels(change).gt(0).sum(1).to(change.dtype)


def inside(found: torch.Tensor, x: torch.Tensor, epsilon: float, norm: str) -> torch.Tensor:
    """`found` moved into the ball of radius `epsilon` around `x`, and into [0, 1]."""
    found = found.clamp(0, 1)  # towards x, which lies in [0, 1]: no norm grows by it
    if norm == "spatial":
        return found
    if norm == "Linf":
        return found.clamp((x - epsilon).clamp_min(0), (x + epsilon).clamp_max(1))
    change = found - x
    if norm == "L0":
        return x + _largest(change, int(epsilon))
    if norm == "L1":
        return (x + _onto_l1(change.flatten(1), epsilon).reshape(x.shape)).clamp(0, 1)
    factor = (epsilon / length(change, norm).clamp_min(1e-12)).clamp_max(1)
    return (x + change * across(factor, x)).clamp(0, 1)


def unit(gradient: torch.Tensor) -> torch.Tensor:
    """Each sample's gradient, of Euclidean length one; zero where there is none."""
    return gradient / across(length(gradient, "L2").clamp_min(1e-12), gradient)


def anywhere(
    x: torch.Tensor, epsilon: float, norm: str, generator: torch.Generator
) -> torch.Tensor:
    """A random place of the ball around each sample, cut to [0, 1].

    Uniform in the L-infinity ball; in the others a random direction of a random length, which
    prefers the middle (a uniform draw would nearly always lie on the rim).
    """
    if norm == "Linf":
        noise = 2 * torch.rand(x.shape, generator=generator, dtype=x.dtype) - 1
        return (x + epsilon * noise).clamp(0, 1)
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    if norm == "L1":
        noise = noise.sign() * -torch.rand(x.shape, generator=generator, dtype=x.dtype).log()
    radius = epsilon * torch.rand(len(x), generator=generator, dtype=x.dtype)
    return (x + noise * across(radius / length(noise, norm).clamp_min(1e-12), x)).clamp(0, 1)


def _pixels(change: torch.Tensor) -> torch.Tensor:
    """How much each pixel changed, over its channels: `(batch, pixels)`."""
    size = change.abs().amax(1) if change.ndim == 4 else change.abs()
    return size.flatten(1)


def _largest(change: torch.Tensor, count: int) -> torch.Tensor:
    """The change at the `count` pixels that change most, zero elsewhere."""
    size = _pixels(change)
    kept = torch.zeros_like(size)
    kept.scatter_(1, size.topk(min(count, size.shape[1]), dim=1).indices, 1.0)
    shape = (len(change), 1, *change.shape[2:]) if change.ndim == 4 else change.shape
    return change * kept.reshape(shape)


def _onto_l1(change: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Each row's nearest point in the L1 ball.

    Source: Duchi et al. (2008), Efficient projections onto the l1-ball.
    """
    size = change.abs()
    ordered = size.sort(dim=1, descending=True).values
    places = torch.arange(1, size.shape[1] + 1, device=change.device)
    over = (ordered.cumsum(1) - epsilon) / places
    last = ((ordered > over).sum(1, keepdim=True) - 1).clamp_min(0)
    cut = over.gather(1, last).clamp_min(0)
    near = size.sum(1, keepdim=True) <= epsilon
    return torch.where(near, change, change.sign() * (size - cut).clamp_min(0))
