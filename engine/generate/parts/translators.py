"""Networks from picture to picture, and a discriminator that judges patches."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from engine.generate.parts.convolutional import leaky


class Unet(nn.Module):
    """Halved `depth` times and doubled again; each size hands what it saw across.

    Source: Ronneberger, Fischer & Brox (2015), U-Net; as the generator of Isola et al. (2017),
    Image-to-Image Translation with Conditional Adversarial Networks.
    """

    def __init__(self, takes: int, gives: int, *, width: int = 16, depth: int = 3) -> None:
        super().__init__()
        widths = [min(width * 2**place, 8 * width) for place in range(depth)]
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv2d(before, after, 4, 2, 1), nn.BatchNorm2d(after), leaky())
            for before, after in pairwise([takes, *widths])
        )
        back = widths[-2::-1]  # what the halved pictures hold, from the smallest but one
        ins = [widths[-1], *(2 * one for one in back)]
        self.up = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose2d(before, after, 4, 2, 1), nn.BatchNorm2d(after), nn.ReLU()
            )
            for before, after in zip(ins, [*back, width], strict=True)
        )
        self.pixels = nn.Conv2d(width + takes, gives, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, takes, rows, columns)` -> `(batch, gives, rows, columns)` in [-1, 1]."""
        seen = [x]
        for layer in self.down:
            seen.append(layer(seen[-1]))
        made = seen.pop()
        for layer in self.up:
            made = torch.cat([layer(made), seen.pop()], dim=1)
        return torch.tanh(self.pixels(made))


def patch_discriminator(channels: int, *, width: int = 64, halvings: int = 3) -> nn.Sequential:
    """Logits of overlapping patches, `(batch, 1, rows, columns)`; 3 halvings see 70 x 70 pixels.

    Source: Isola et al. (2017), Image-to-Image Translation with Conditional Adversarial Networks.
    """
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), leaky()]
    for place in range(1, halvings + 1):
        before, after = width * min(2 ** (place - 1), 8), width * min(2**place, 8)
        stride = 1 if place == halvings else 2
        layers += [nn.Conv2d(before, after, 4, stride, 1, bias=False), nn.BatchNorm2d(after)]
        layers.append(leaky())
    return nn.Sequential(*layers, nn.Conv2d(width * min(2**halvings, 8), 1, 4, 1, 1))


def receptive_field(network: nn.Module) -> int:
    """Pixels along a side that one output sees: r ← (r - 1) stride + size, from the last layer."""
    seen = 1
    for layer in reversed([one for one in network.modules() if isinstance(one, nn.Conv2d)]):
        seen = (seen - 1) * layer.stride[0] + layer.kernel_size[0]
    return seen


class Residual(nn.Module):
    """Two convolutions whose result is added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any number of rows and columns -> the same shape."""
        told: torch.Tensor = x + self.body(x)
        return told


def residual_translator(
    takes: int, gives: int, *, width: int = 64, blocks: int = 9
) -> nn.Sequential:
    """Twice halved, some residual blocks, twice doubled.

    Source: Johnson, Alahi & Fei-Fei (2016), Perceptual Losses; as the generator of Zhu et al.
    (2017), Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks.
    """

    def bend(channels: int) -> list[nn.Module]:
        return [nn.InstanceNorm2d(channels), nn.ReLU()]

    layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(takes, width, 7), *bend(width)]
    for place in (1, 2):
        layers += [nn.Conv2d(width * place, 2 * width * place, 3, 2, 1), *bend(2 * width * place)]
    layers += [Residual(4 * width) for _ in range(blocks)]
    for place in (2, 1):
        layers.append(nn.ConvTranspose2d(2 * width * place, width * place, 3, 2, 1, 1))
        layers += bend(width * place)
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, gives, 7), nn.Tanh())


class Moved(nn.Module):
    """A point and what a network adds to it: so it begins near where it is."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, 2)` -> `(batch, 2)`."""
        told: torch.Tensor = x + self.body(x)
        return told
