"""What a unit wants to see: an input that is changed step by step until the unit is loudest.

Source: Erhan et al. (2009), Visualizing higher-layer features of a deep network; weight decay and
blur: Yosinski et al. (2015), Understanding neural networks through deep visualization; shifts and
total variation: Olah, Mordvintsev & Schubert (2017), Feature visualization.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from engine.explain.layers import hooked, once
from engine.explain.table import calm


@dataclass(frozen=True)
class Wishes:
    """What keeps the picture from being noise that only a network can read.

    Attributes:
        decay: How much large numbers cost.
        smooth: How much differences between neighbours cost (total variation).
        blur: How wide the picture is blurred every eighth step [pixels]; 0 for never.
        jitter: By how many pixels it is shifted at random before every step.
    """

    decay: float = 0.05
    smooth: float = 0.1
    blur: float = 0.5
    jitter: int = 1


@dataclass(frozen=True)
class Seen:
    """How far the climb is.

    Attributes:
        x: The input, `(1, ...)`.
        activation: What the unit says to it.
    """

    x: torch.Tensor
    activation: float


def ascend(
    module: nn.Module,
    layer: nn.Module | None,
    unit: int,
    shape: tuple[int, ...],
    *,
    low: torch.Tensor | float = 0.0,
    high: torch.Tensor | float = 1.0,
    steps: int = 120,
    rate: float = 0.05,
    wishes: Wishes | None = None,
    seed: int = 0,
) -> Iterator[Seen]:
    """Climb from a grey noise to an input at which the unit is loud; a state for every step.

    Each step goes along the gradient by `rate` times the range on average over the numbers that
    move, ever shorter towards the end.

    Args:
        module: The network.
        layer: Whose unit it is; None for the network's own outputs.
        unit: Channel or neuron; over its places the mean counts.
        shape: Of one sample.
        low: The least each number may be.
        high: The most.
        steps: How many.
        rate: Length of a step.
        wishes: The regularisers.
        seed: Of the noise and the shifts.

    Raises:
        ValueError: There is no such unit.
    """
    wishes = wishes or Wishes()
    generator = torch.Generator().manual_seed(seed)
    floor, top = (torch.as_tensor(end, dtype=torch.float32).expand(shape) for end in (low, high))
    width = top - floor
    noise = torch.rand((1, *shape), generator=generator) - 0.5
    x = floor + width * (0.5 + 0.1 * noise)
    with calm(module):
        for step in range(steps + 1):
            shifted, back = _shifted(x, wishes.jitter, generator)
            leading = shifted.detach().requires_grad_()
            with torch.enable_grad():
                loud = activation(module, layer, leading, unit)
                cost = wishes.decay * ((leading - floor) / width.clamp_min(1e-9)).square().mean()
                cost = cost + wishes.smooth * roughness(leading)
                (slope,) = torch.autograd.grad(loud - cost, leading)
            yield Seen(x, float(loud.detach()))
            length = slope.abs().mean().clamp_min(1e-12)
            shorter = 1 - step / (steps + 1)
            x = x + rate * shorter * width * back(slope) / length
            if wishes.blur and step % 8 == 7 and x.ndim == 4:
                x = blurred(x, wishes.blur)
            x = torch.maximum(torch.minimum(x, top), floor)


def activation(
    module: nn.Module, layer: nn.Module | None, x: torch.Tensor, unit: int
) -> torch.Tensor:
    """The mean of what a unit says over samples and places, `()`.

    Raises:
        ValueError: There is no such unit.
    """
    return activations(module, layer, x, unit).mean()


def activations(
    module: nn.Module, layer: nn.Module | None, x: torch.Tensor, unit: int
) -> torch.Tensor:
    """What a unit says to each sample, the mean over its places, `(n,)`.

    Raises:
        ValueError: There is no such unit.
    """
    if layer is None:
        values: torch.Tensor = module(x)
    else:
        seen: list[torch.Tensor] = []
        with hooked(layer, lambda _l, _i, out: seen.append(out)):
            module(x)
        values = once("maximise", seen)
    if unit >= values.shape[1]:
        raise ValueError(
            f"unit: this layer has units 0 to {values.shape[1] - 1}; got {unit}. Choose a lower"
        )
    own = values[:, unit]
    return own.flatten(1).mean(1) if own.ndim > 1 else own


def roughness(x: torch.Tensor) -> torch.Tensor:
    """The mean square difference of neighbours along all places of samples, `()`."""
    total = x.new_zeros(())
    for axis in range(2, x.ndim):
        total = total + x.diff(dim=axis).square().mean()
    return total


def blurred(x: torch.Tensor, width: float) -> torch.Tensor:
    """Pictures `(n, channels, rows, columns)` under a normal bell of that width [pixels]."""
    reach = max(1, round(2 * width))
    place = torch.arange(-reach, reach + 1, dtype=x.dtype)
    bell = torch.exp(-(place**2) / (2 * width**2))
    bell = bell / bell.sum()
    channels = x.shape[1]
    for kernel in (bell[None, :], bell[:, None]):
        padded = functional.pad(
            x, [*[kernel.shape[1] // 2] * 2, *[kernel.shape[0] // 2] * 2], mode="replicate"
        )
        x = functional.conv2d(padded, kernel.expand(channels, 1, *kernel.shape), groups=channels)
    return x


def _shifted(x: torch.Tensor, most: int, generator: torch.Generator) -> tuple[torch.Tensor, _Back]:
    """The picture moved by a few pixels, and what moves its gradient back."""
    if not most or x.ndim != 4:
        return x, _Back(())
    by = tuple(torch.randint(-most, most + 1, (2,), generator=generator).tolist())
    return x.roll(by, (2, 3)), _Back(by)


@dataclass(frozen=True)
class _Back:
    by: tuple[int, ...]

    def __call__(self, slope: torch.Tensor) -> torch.Tensor:
        return slope.roll([-step for step in self.by], (2, 3)) if self.by else slope
