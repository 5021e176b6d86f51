"""U-Net: down, up, and bridges between."""

from __future__ import annotations

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template

_SOURCE = "Ronneberger et al. (2015), U-Net: networks for biomedical image segmentation."


def _pair(net: Sketch, width: int, padding: int) -> str:
    """Two 3 × 3 convolutions."""
    for _ in range(2):
        net("Conv2d", out_channels=width, kernel_size=3, padding=padding)
        net("ReLU")
    return net.last


def _unet(side: int, widths: tuple[int, ...], classes: int, crops: tuple[int, ...]) -> NetworkSpec:
    """Widths on the way down; on the way up each level reads its twin, cut by `crops` pixels."""
    net = Sketch(1, side, side)
    padding = 0 if any(crops) else 1
    twins = []
    for width in widths[:-1]:
        twins.append(_pair(net, width, padding))
        net("MaxPool2d", kernel_size=2)
    _pair(net, widths[-1], padding)
    for width, twin, crop in zip(widths[-2::-1], twins[::-1], crops, strict=True):
        up = net("ConvTranspose2d", out_channels=width, kernel_size=2, stride=2)
        bridge = net("Pad", twin, padding=[-crop] * 4) if crop else twin
        net("Concat", bridge, up)
        _pair(net, width, padding)
    net("Conv2d", name="scores", out_channels=classes, kernel_size=1)
    return net.spec()


@template(title="U-Net", family="Pictures to pictures", parameters=31_030_658, source=_SOURCE)
def unet() -> NetworkSpec:
    """The original: 572 pixels in, 388 out, no padding, bridges cut to fit."""
    return _unet(572, (64, 128, 256, 512, 1024), 2, (4, 16, 40, 88))


@template(
    title="U-Net for small pictures", family="Pictures to pictures", source=_SOURCE, data="ink"
)
def unet_digits() -> NetworkSpec:
    """Two levels, padded, a class for each of 8 × 8 pixels: ink or paper."""
    return _unet(8, (8, 16, 32), 2, (0, 0))


@template(
    title="U-Net for drawn shapes", family="Pictures to pictures", source=_SOURCE, data="scenes"
)
def unet_scenes() -> NetworkSpec:
    """Two levels for 32 × 32 pixels: ground, disc, square, triangle or ring."""
    return _unet(32, (12, 24, 48), 5, (0, 0))
