"""Pictures as they might have been taken: moved, turned, mirrored, covered."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from engine.training.augmentations import augmentations

Tensor = torch.Tensor
Generator = torch.Generator
IMAGE = ["image"]


@augmentations.add("shift", kinds=IMAGE)
def shift(x: Tensor, strength: float, generator: Generator) -> Tensor:
    """Moved by up to a quarter of the side, either way.

    Source: Simard et al. (2003), Best practices for convolutional neural networks.
    """
    move = _uniform(len(x), 2, generator) * 0.5 * strength  # grid units: the side is 2 long
    return _warp(x, torch.zeros(len(x)), torch.ones(len(x)), move)


@augmentations.add("turn", kinds=IMAGE)
def turn(x: Tensor, strength: float, generator: Generator) -> Tensor:
    """Turned about the middle by up to 45°.

    Source: Simard et al. (2003), Best practices for convolutional neural networks.
    """
    angle = _uniform(len(x), 1, generator)[:, 0] * math.pi / 4 * strength
    return _warp(x, angle, torch.ones(len(x)), torch.zeros(len(x), 2))


@augmentations.add("zoom", kinds=IMAGE)
def zoom(x: Tensor, strength: float, generator: Generator) -> Tensor:
    """Larger or smaller by up to 40 %.

    Source: Krizhevsky et al. (2012), ImageNet classification with deep convolutional networks.
    """
    scale = 1 + 0.4 * strength * _uniform(len(x), 1, generator)[:, 0]
    return _warp(x, torch.zeros(len(x)), scale, torch.zeros(len(x), 2))


@augmentations.add("mirror", kinds=IMAGE)
def mirror(x: Tensor, strength: float, generator: Generator) -> Tensor:
    """Left and right changed over, for half of the samples at full strength.

    Source: Krizhevsky et al. (2012), ImageNet classification with deep convolutional networks.
    """
    chosen = torch.rand(len(x), generator=generator) < 0.5 * strength
    return torch.where(chosen[:, None, None, None], x.flip(-1), x)


@augmentations.add("cover", kinds=IMAGE)
def cover(x: Tensor, strength: float, generator: Generator) -> Tensor:
    """A grey square of up to half the side laid somewhere.

    Source: DeVries & Taylor (2017), Improved regularization with cutout.
    """
    rows, columns = x.shape[-2:]
    side = 0.5 * strength * min(rows, columns)
    middle = torch.rand(len(x), 2, generator=generator) * torch.tensor([rows, columns])
    down = (torch.arange(rows) + 0.5 - middle[:, :1]).abs() <= side / 2  # (n, rows)
    along = (torch.arange(columns) + 0.5 - middle[:, 1:]).abs() <= side / 2
    hidden = down[:, None, :, None] & along[:, None, None, :]
    return x.masked_fill(hidden, 0.5)


@augmentations.add("noise", kinds=["image", "plane", "table", "series"])
def noise(x: Tensor, strength: float, generator: Generator) -> Tensor:
    """Each number moved by a bell of spread up to 0.3.

    Source: Bishop (1995), Training with noise is equivalent to Tikhonov regularization.
    """
    return x + 0.3 * strength * torch.randn(x.shape, generator=generator)


def _uniform(n: int, numbers: int, generator: Generator) -> Tensor:
    return 2 * torch.rand(n, numbers, generator=generator) - 1


def _warp(x: Tensor, angle: Tensor, scale: Tensor, move: Tensor) -> Tensor:
    """Turned [rad], made larger and moved (grid units); what comes in from outside is black."""
    cosine, sine = angle.cos() / scale, angle.sin() / scale
    theta = torch.stack(
        [
            torch.stack([cosine, -sine, move[:, 0]], dim=1),
            torch.stack([sine, cosine, move[:, 1]], dim=1),
        ],
        dim=1,
    )  # (n, 2, 3)
    grid = functional.affine_grid(theta, list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, align_corners=False)
