"""A generator that is told its style at every layer, from coarse to fine.

Source: Karras, Laine & Aila (2019), A Style-Based Generator Architecture for Generative
Adversarial Networks; weight demodulation: Karras et al. (2020), Analyzing and Improving the Image
Quality of StyleGAN.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import nn
from torch.nn import functional

from engine.generate.model import Outline
from engine.generate.parts.convolutional import doublings, leaky
from engine.generate.parts.equalised import EqualConv, EqualLinear, PixelNorm
from engine.generate.parts.growing import larger

WAYS = ("AdaIN", "demodulation")
_SLOWER = 0.1  # the mapping network learns so much more slowly: it would else run away


def adain(x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """Adaptive instance normalisation: each channel gets the style's mean and spread.

    y = scale (x - μ(x)) / σ(x) + shift, μ and σ over the pixels of one channel of one picture.

    Args:
        x: `(batch, channels, rows, columns)`.
        scale: `(batch, channels)`.
        shift: `(batch, channels)`.
    """
    mean = x.mean((2, 3), keepdim=True)
    spread = (x.var((2, 3), keepdim=True, unbiased=False) + 1e-8).sqrt()
    return scale[:, :, None, None] * (x - mean) / spread + shift[:, :, None, None]


def modulated(x: torch.Tensor, weight: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
    """A convolution whose weights are scaled by the style, then brought back to unit length.

    w'_oik = s_i w_oik,  w''_oik = w'_oik / √(Σ_ik w'²_oik): inputs of variance 1 give outputs of
    variance 1, whatever the style, without looking at the picture. Computed as what it is equal
    to: the inputs scaled, one convolution for all pictures, the outputs scaled; twenty times as
    fast on a CPU as a convolution for each picture.

    Args:
        x: `(batch, channels in, rows, columns)`.
        weight: `(channels out, channels in, k, k)`.
        style: `(batch, channels in)`.
    """
    lengths = (style.square() @ weight.square().sum((2, 3)).T + 1e-8).rsqrt()  # (batch, out)
    made = functional.conv2d(x * style[:, :, None, None], weight, padding="same")
    return made * lengths[:, :, None, None]


class Layer(nn.Module):
    """A convolution, noise, a bend, and the style, in one of two ways."""

    def __init__(self, takes: int, gives: int, style: int, *, way: str, grows: bool) -> None:
        super().__init__()
        self.way, self.grows = way, grows
        self.weight = nn.Parameter(torch.randn(gives, takes, 3, 3))
        self.scale = math.sqrt(2 / (9 * takes))
        self.bias = nn.Parameter(torch.zeros(gives))
        self.noise = nn.Parameter(torch.zeros(gives))
        channels = gives if way == "AdaIN" else takes
        self.spread = EqualLinear(style, channels, bias=1.0)
        self.shift = EqualLinear(style, channels) if way == "AdaIN" else None

    def forward(self, x: torch.Tensor, w: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """A style `(batch, style)` and noise `(batch, 1, rows, columns)` laid on x."""
        if self.grows:
            x = larger(x)
        if self.shift is None:
            x = modulated(x, self.weight, self.spread(w))
        else:
            x = functional.conv2d(x, self.weight * self.scale, padding=1)
        x = x + self.noise[:, None, None] * noise + self.bias[:, None, None]
        x = functional.leaky_relu(x, 0.2)
        return x if self.shift is None else adain(x, self.spread(w), self.shift(w))


class StyleGenerator(nn.Module):
    """Codes z -> styles w -> pictures in [-1, 1], begun from one learnt constant.

    Attributes:
        mapping: z -> w, both `(batch, latent)`.
        layers: From coarse to fine; each is given a style of its own.
        average: The mean of w so far, towards which truncation pulls.
    """

    average: torch.Tensor

    def __init__(self, latent: int, outline: Outline, width: int, way: str, depth: int = 4) -> None:
        super().__init__()
        times, (rows, columns) = doublings(outline)
        steps: list[nn.Module] = [PixelNorm()]
        for _ in range(depth):
            steps += [EqualLinear(latent, latent, slower=_SLOWER), leaky()]
        self.mapping = nn.Sequential(*steps)
        self.constant = nn.Parameter(torch.randn(1, 2 * width, rows, columns))
        widths = [2 * width] + [width] * times
        layers = [Layer(widths[0], widths[0], latent, way=way, grows=False)]
        for takes, gives in itertools.pairwise(widths):
            layers.append(Layer(takes, gives, latent, way=way, grows=True))
            layers.append(Layer(gives, gives, latent, way=way, grows=False))
        self.layers = nn.ModuleList(layers)
        self.pixels = EqualConv(widths[-1], outline.shape[0], 1)
        self.register_buffer("average", torch.zeros(latent))
        self._start = (rows, columns)

    def sizes(self) -> list[tuple[int, int]]:
        """Rows and columns at each layer."""
        rows, columns = self._start
        found = []
        for layer in self.layers:
            if layer.grows:
                rows, columns = 2 * rows, 2 * columns
            found.append((rows, columns))
        return found

    def draw_noise(self, count: int, draw: torch.Generator) -> list[torch.Tensor]:
        """Noise for each layer, `(count, 1, rows, columns)`."""
        return [torch.randn(count, 1, *size, generator=draw) for size in self.sizes()]

    def truncated(self, w: torch.Tensor, psi: float) -> torch.Tensor:
        """w̄ + ψ (w - w̄): nearer to the mean, so surer and less varied; ψ = 0 is one picture."""
        return self.average + psi * (w - self.average)

    def paint(self, styles: torch.Tensor, noise: list[torch.Tensor] | None = None) -> torch.Tensor:
        """Pictures of styles, one for each layer: `(batch, layers, latent)`; noise None: none."""
        x = self.constant.expand(len(styles), -1, -1, -1)
        for place, layer in enumerate(self.layers):
            rows, columns = self.sizes()[place]
            own = torch.zeros(1, 1, rows, columns) if noise is None else noise[place]
            x = layer(x, styles[:, place], own)
        return torch.tanh(self.pixels(x))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Pictures of codes, without noise."""
        w: torch.Tensor = self.mapping(z)
        return self.paint(w[:, None].expand(-1, len(self.layers), -1))
