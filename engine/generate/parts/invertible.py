"""Layers of flows: each can be undone, and says by how much it stretches space."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from engine.generate.parts.spline import bend, unbend
from engine.generate.parts.told import silent

Stretched = tuple[torch.Tensor, torch.Tensor]  # like x, and log |det ∂y/∂x| of each sample, `(n,)`
BOUND = 2.0  # of a log-scale: one layer stretches by e² at most, which keeps training calm
FLOOR = 1e-3  # of a spread that is made 1: a pixel may be the same in all images


class Layer(nn.Module):
    """From data towards noise with `forward`, and back with `inverse`."""

    name = "layer"

    def forward(self, x: torch.Tensor) -> Stretched:
        """One step towards noise, and the log of what it does to volumes [nat]."""
        raise NotImplementedError

    def inverse(self, y: torch.Tensor) -> torch.Tensor:
        """What `forward` was given."""
        raise NotImplementedError

    def meet(self, x: torch.Tensor) -> None:
        """Look at what comes in, once, before the first step."""

    def stages(self, x: torch.Tensor) -> list[Stretched]:
        """What `forward` goes through, the last one at its end; stretches are of each stage."""
        return [self(x)]

    def between(self, y: torch.Tensor) -> list[torch.Tensor]:
        """Places on the way back, the last one `inverse(y)`."""
        return [self.inverse(y)]


class ActNorm(Layer):
    """y = (x - middle) · e^log_scale, number by number or channel by channel.

    Begins so that the training samples have mean 0 and deviation 1, then learns.

    Source: Kingma & Dhariwal (2018), Glow, section 3.1.
    """

    name = "normalise"

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.middle = nn.Parameter(torch.zeros(channels))
        self.log_scale = nn.Parameter(torch.zeros(channels))

    @torch.no_grad()
    def meet(self, x: torch.Tensor) -> None:
        """Take mean and deviation from the samples."""
        rows = x.transpose(0, 1).flatten(1)  # (channels, all)
        self.middle.copy_(rows.mean(1))
        self.log_scale.copy_(-rows.std(1).clamp_min(FLOOR).log())

    def forward(self, x: torch.Tensor) -> Stretched:
        """Shift and stretch."""
        places = x[0, 0].numel()
        stretch = (places * self.log_scale.sum()).expand(len(x))
        return (x - self._wide(self.middle, x)) * self._wide(self.log_scale.exp(), x), stretch

    def inverse(self, y: torch.Tensor) -> torch.Tensor:
        """Shrink and shift back."""
        return y * self._wide((-self.log_scale).exp(), y) + self._wide(self.middle, y)

    def _wide(self, each: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return each.view(1, -1, *[1] * (x.ndim - 2))


class Logit(Layer):
    """Pixels of [-reach, reach] to the whole line: log p - log(1 - p), p kept off 0 and 1.

    Source: Dinh, Sohl-Dickstein & Bengio (2017), Density estimation using Real NVP, section 4.1.
    """

    name = "logit"

    def __init__(self, margin: float = 0.05) -> None:
        super().__init__()
        self.reach: torch.Tensor
        self.register_buffer("reach", torch.tensor(1.0))
        self._margin = margin

    def forward(self, x: torch.Tensor) -> Stretched:
        """Spread the ends of the interval out."""
        slope = (1 - 2 * self._margin) / (2 * self.reach)
        share = self._margin + slope * (x + self.reach)
        y = share.log() - (1 - share).log()
        stretch = slope.log() - share.log() - (1 - share).log()
        return y, stretch.flatten(1).sum(1)

    def inverse(self, y: torch.Tensor) -> torch.Tensor:
        """Draw the line together again."""
        slope = (1 - 2 * self._margin) / (2 * self.reach)
        return (y.sigmoid() - self._margin) / slope - self.reach


class Coupling(Layer):
    """Some numbers stay; what they say decides how the others are moved, each by itself.

    The Jacobian is then a triangle, and its determinant the product of the diagonal.

    Args:
        mask: 1 where a number stays, `(size,)`.
        conditioner: `(n, size)` -> `(n, size * numbers)`: what moves each number.
        spline: Whether numbers are bent by a spline, else stretched and shifted.

    Source: Dinh, Sohl-Dickstein & Bengio (2017), Density estimation using Real NVP.
    """

    def __init__(self, mask: torch.Tensor, conditioner: nn.Module, *, spline: bool = False) -> None:
        super().__init__()
        self.mask: torch.Tensor
        self.register_buffer("mask", mask)
        self.conditioner, self._spline = conditioner, spline
        self.name = "spline" if spline else "couple"

    def told(self, x: torch.Tensor) -> torch.Tensor:
        """What the numbers that stay say of each number, `(n, size, numbers)`."""
        given = self.conditioner(x * self.mask)
        each: torch.Tensor = given.view(-1, len(self.mask), given.shape[1] // len(self.mask))
        return each

    def forward(self, x: torch.Tensor) -> Stretched:
        """Move what the mask does not hold."""
        told = self.told(x)
        if self._spline:
            y, stretch = bend(x, told)
        else:
            log_scale, shift = _affine(told)
            y, stretch = x * log_scale.exp() + shift, log_scale
        stay = self.mask
        return stay * x + (1 - stay) * y, ((1 - stay) * stretch).sum(1)

    def inverse(self, y: torch.Tensor) -> torch.Tensor:
        """Move it back: what stayed says the same again."""
        told = self.told(y)
        if self._spline:
            x = unbend(y, told)
        else:
            log_scale, shift = _affine(told)
            x = (y - shift) * (-log_scale).exp()
        return self.mask * y + (1 - self.mask) * x


def _affine(told: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-scales within ±BOUND, and shifts."""
    return BOUND * (told[..., 0] / BOUND).tanh(), told[..., 1]


class Mix(Layer):
    """An invertible 1 x 1 convolution: channels mixed by W = P L (U + diag(s)).

    log |det| = rows · columns · Σ log |s|, because P, L and U have the determinant ±1.

    Source: Kingma & Dhariwal (2018), Glow, section 3.2.
    """

    name = "mix channels"

    def __init__(self, channels: int) -> None:
        super().__init__()
        turn = torch.linalg.qr(torch.randn(channels, channels))[0]
        order, lower, upper = torch.linalg.lu(turn)
        self.order: torch.Tensor
        self.sign: torch.Tensor
        self.register_buffer("order", order)
        self.register_buffer("sign", upper.diagonal().sign())
        self.lower, self.upper = nn.Parameter(lower.tril(-1)), nn.Parameter(upper.triu(1))
        self.log_size = nn.Parameter(upper.diagonal().abs().log())
        self._back: torch.Tensor | None = None

    def matrix(self) -> torch.Tensor:
        """W, `(channels, channels)`."""
        lower = self.lower.tril(-1) + torch.eye(len(self.lower))
        upper = self.upper.triu(1) + (self.sign * self.log_size.exp()).diag()
        return self.order @ lower @ upper

    def forward(self, x: torch.Tensor) -> Stretched:
        """Mix the channels of every pixel."""
        places = x[0, 0].numel()
        return self._by(self.matrix(), x), (places * self.log_size.sum()).expand(len(x))

    def inverse(self, y: torch.Tensor) -> torch.Tensor:
        """Mix them back."""
        back = torch.linalg.inv(self.matrix()) if self._back is None else self._back
        return self._by(back, y)

    def settle(self) -> None:
        """Work the way back out once and for all: it will learn no more."""
        self._back = torch.linalg.inv(self.matrix()).detach()

    def _by(self, matrix: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        mixed: torch.Tensor = torch.einsum("dc,ncij->ndij", matrix, x)
        return mixed


class HalfCoupling(Layer):
    """A coupling of channels: the first half stays, and convolutions of it move the second.

    Source: Kingma & Dhariwal (2018), Glow, section 3.3.
    """

    name = "couple"

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self._stay = channels // 2
        moved = channels - self._stay
        self.conditioner = nn.Sequential(
            nn.Conv2d(self._stay, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * moved, 3, padding=1),
        )
        silent(self.conditioner[-1])  # type: ignore[arg-type] # a Conv2d

    def forward(self, x: torch.Tensor) -> Stretched:
        """Move the second half."""
        stay, log_scale, shift = self._told(x)
        moved = x[:, self._stay :] * log_scale.exp() + shift
        return torch.cat([stay, moved], 1), log_scale.flatten(1).sum(1)

    def inverse(self, y: torch.Tensor) -> torch.Tensor:
        """Move it back."""
        stay, log_scale, shift = self._told(y)
        return torch.cat([stay, (y[:, self._stay :] - shift) * (-log_scale).exp()], 1)

    def _told(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        stay = x[:, : self._stay]
        given = self.conditioner(stay).unflatten(1, (-1, 2)).movedim(2, -1)
        return stay, *_affine(given)


class Scale(Layer):
    """Blocks of 2 x 2 pixels become channels, some steps, then half of the channels are done.

    What is done goes to the noise; the rest goes on in `inner`, at half the size.

    Args:
        shape: Of one image, `(channels, rows, columns)`, rows and columns even.
        steps: How many times normalise, mix, couple.
        width: Channels of the convolutions.
        scales: How many scales there are from here on.

    Source: Dinh, Sohl-Dickstein & Bengio (2017), Density estimation using Real NVP, section 3.6.
    """

    name = "scale"

    def __init__(self, shape: tuple[int, int, int], *, steps: int, width: int, scales: int) -> None:
        super().__init__()
        channels, rows, columns = shape[0] * 4, shape[1] // 2, shape[2] // 2
        self._shape = (channels, rows, columns)
        self.layers = nn.ModuleList(
            layer
            for _ in range(steps)
            for layer in (ActNorm(channels), Mix(channels), HalfCoupling(channels, width))
        )
        inner = (channels // 2, rows, columns)
        self.inner: Scale | None = None
        if scales > 1:
            self.inner = Scale(inner, steps=steps, width=width, scales=scales - 1)

    def meet(self, x: torch.Tensor) -> None:
        """Hand on to every layer what comes in there."""
        x = functional.pixel_unshuffle(x, 2)
        for layer in self.layers:
            layer.meet(x)  # type: ignore[operator] # a Layer
            x = layer(x)[0]
        if self.inner is not None:
            self.inner.meet(x[:, : len(x[0]) // 2])

    def forward(self, x: torch.Tensor) -> Stretched:
        """Images `(n, channels, rows, columns)` -> noise `(n, size)`."""
        x = functional.pixel_unshuffle(x, 2)
        total = torch.zeros(len(x))
        for layer in self.layers:
            x, stretch = layer(x)
            total = total + stretch
        if self.inner is None:
            return x.flatten(1), total
        on, done = x.chunk(2, 1)
        z, stretch = self.inner(on)
        return torch.cat([z, done.flatten(1)], 1), total + stretch

    def inverse(self, y: torch.Tensor) -> torch.Tensor:
        """Noise back to images."""
        if self.inner is None:
            x = y.view(-1, *self._shape)
        else:
            half = math.prod(self._shape) // 2
            done = y[:, half:].view(-1, self._shape[0] // 2, *self._shape[1:])
            x = torch.cat([self.inner.inverse(y[:, :half]), done], 1)
        for layer in reversed(self.layers):
            x = layer.inverse(x)  # type: ignore[operator] # a Layer
        return functional.pixel_shuffle(x, 2)


class Flat(Layer):
    """Images as rows of numbers."""

    name = "flatten"

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self._shape = shape

    def forward(self, x: torch.Tensor) -> Stretched:
        """`(n, *shape)` -> `(n, size)`."""
        return x.flatten(1), torch.zeros(len(x))

    def inverse(self, y: torch.Tensor) -> torch.Tensor:
        """And back."""
        return y.view(-1, *self._shape)


def chequered(shape: tuple[int, ...], which: int) -> torch.Tensor:
    """Every second number of a sample, `(size,)` of 0 and 1: pixels as on a board."""
    places = torch.stack(torch.meshgrid(*map(torch.arange, shape), indexing="ij")).sum(0)
    return ((places + which) % 2).float().flatten()
