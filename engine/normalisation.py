"""Normalisations, written out: over which numbers is a mean taken?

Pictures are `(batch, channels, rows, columns)`. Batch norm averages over batch and places, layer
norm over channels and places, instance norm over places only, group norm over some channels and
places. All but batch norm look at one example at a time.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


def normalised(x: Tensor, over: tuple[int, ...], epsilon: float = 1e-5) -> Tensor:
    """Brought to mean 0 and variance 1 over the axes `over`; same shape."""
    mean, variance = x.mean(over, keepdim=True), x.var(over, correction=0, keepdim=True)
    return (x - mean) / (variance + epsilon).sqrt()


def batch_norm(x: Tensor, epsilon: float = 1e-5) -> Tensor:
    """Over batch and places, a channel at a time: `(batch, channels, ...)` to the same.

    Source: Ioffe & Szegedy (2015), Batch normalization.
    """
    return normalised(x, (0, *range(2, x.dim())), epsilon)


def layer_norm(x: Tensor, epsilon: float = 1e-5) -> Tensor:
    """Over all features of an example: `(batch, ...)` to the same.

    Source: Ba, Kiros & Hinton (2016), Layer normalization.
    """
    return normalised(x, tuple(range(1, x.dim())), epsilon)


def instance_norm(x: Tensor, epsilon: float = 1e-5) -> Tensor:
    """Over places, a channel of an example at a time: `(batch, channels, ...)` to the same.

    Source: Ulyanov, Vedaldi & Lempitsky (2016), Instance normalization.
    """
    return normalised(x, tuple(range(2, x.dim())), epsilon)


def group_norm(x: Tensor, groups: int, epsilon: float = 1e-5) -> Tensor:
    """Over places and the channels of a group: `(batch, channels, ...)` to the same.

    Source: Wu & He (2018), Group normalization.
    """
    parts = x.unflatten(1, (groups, -1))  # (batch, groups, channels of a group, ...)
    return normalised(parts, tuple(range(2, parts.dim())), epsilon).flatten(1, 2)


def rms_norm(x: Tensor, epsilon: float = 1e-5) -> Tensor:
    """Divided by the root mean square of the last axis, not centred; same shape.

    Source: Zhang & Sennrich (2019), Root mean square layer normalization.
    """
    return x / (x.square().mean(-1, keepdim=True) + epsilon).sqrt()


class BatchNorm(nn.Module):
    """Brings each neuron to mean 0 and variance 1 over the batch; `(batch, neurons)` stays so.

    Attributes:
        on: Whether it does anything; its running means are kept up to date anyway.
    """

    def __init__(self, neurons: int, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.on, self.epsilon = True, epsilon
        self.gamma, self.beta = (
            nn.Parameter(torch.ones(neurons)),
            nn.Parameter(torch.zeros(neurons)),
        )
        self.mean, self.variance = torch.zeros(neurons), torch.ones(neurons)

    def forward(self, z: Tensor) -> Tensor:
        """In training with the batch's own mean and variance, in use with the running ones."""
        mean, variance = self.mean, self.variance
        if self.training:
            mean, variance = z.mean(0), z.var(0, correction=0)
            self.mean = self.mean.lerp(mean.detach().to(self.mean), 0.1)
            self.variance = self.variance.lerp(variance.detach().to(self.mean), 0.1)
        ready = (z - mean) / (variance + self.epsilon).sqrt()
        return self.gamma * ready + self.beta if self.on else z

    def fold(self, linear: nn.Linear) -> nn.Linear:
        """One layer that does what the linear layer and this norm do in use."""
        factor = self.gamma / (self.variance + self.epsilon).sqrt()
        one = copy.deepcopy(linear)
        one.weight.data = linear.weight * factor[:, None]
        one.bias.data = (linear.bias - self.mean) * factor + self.beta
        return one


def folded(net: nn.Sequential) -> nn.Sequential:
    """The same function in use, with every norm folded into the linear layer before it."""
    layers = list(net)
    for place, layer in enumerate(layers):
        if isinstance(layer, BatchNorm):
            linear = layers[place - 1]
            layers[place - 1], layers[place] = layer.fold(linear), nn.Identity()  # type: ignore[arg-type]
    return nn.Sequential(*layers)
