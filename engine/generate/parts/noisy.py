"""Networks that are told a noise level: a small one for points, and the visitor's own."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from engine.generate.families import Networks
from engine.generate.model import Outline
from engine.generate.parts.own import part
from engine.generate.parts.told import Told, silent
from engine.generate.parts.unet import UNet


class Points(nn.Module):
    """Layers that each get the level added, and add what they find to what comes in.

    Args:
        size: Numbers in a sample.
        classes: How many classes it is told; 0 for none.
        width: Units of a layer.
        depth: Layers between the first and the last.
    """

    def __init__(self, size: int, classes: int, *, width: int, depth: int) -> None:
        super().__init__()
        self.told = Told(width, classes)
        self.begin, self.end = nn.Linear(size, width), nn.Linear(width, size)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.levels = nn.Linear(width, width * depth)
        silent(self.end)

    def forward(
        self, x: torch.Tensor, level: torch.Tensor, labels: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Samples `(n, size)`, levels `(n,)` or `(1,)` and classes `(n,)` -> like x."""
        h = self.begin(x)
        for layer, shift in zip(self.layers, self._shifts(level, labels), strict=True):
            h = h + layer(functional.silu(h + shift))
        out: torch.Tensor = self.end(functional.silu(h))
        return out

    def _shifts(self, level: torch.Tensor, labels: torch.Tensor | None) -> tuple[torch.Tensor, ...]:
        """What is added to each layer's input, `(n or 1, width)` each."""
        known = self.told.classes
        if labels is None or known is None or len(level) > 1:
            shifts = self.levels(self.told(level, labels))
        else:  # one level for all: each class is asked once, not each sample
            every = torch.arange(known.num_embeddings)
            shifts = self.levels(self.told(level, every))[labels]
        parts: tuple[torch.Tensor, ...] = shifts.chunk(len(self.layers), 1)
        return parts


class Own(nn.Module):
    """The visitor's own network: it gets the level as one more number, or as one more channel."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, x: torch.Tensor, level: torch.Tensor, labels: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Samples and levels -> like x; classes are not told."""
        del labels
        known = level.reshape(-1, *[1] * (x.dim() - 1)).expand(len(x), 1, *x.shape[2:])
        out: torch.Tensor = self.network(torch.cat([x, known], 1))
        return out


def denoiser(
    outline: Outline, networks: Networks, classes: int, *, width: int, depth: int, attention: bool
) -> nn.Module:
    """The network that takes the noise out: layers for points, a U-Net for images, or one's own.

    Raises:
        ValueError: The visitor's network takes or gives another shape.
    """
    shape = outline.shape
    takes = (shape[0] + 1, *shape[1:])
    if networks.get("denoiser"):
        return Own(part(networks, "denoiser", takes, shape, nn.Identity))
    if outline.plane:
        return Points(shape[0], classes, width=width, depth=depth)
    return UNet(shape, classes, width=width, depth=depth, attention=attention)
