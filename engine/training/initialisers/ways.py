"""Ways to begin: what each unit's weights are drawn from."""

from __future__ import annotations

import torch

from engine.training.initialisers import Fans, initialisers


@initialisers.add("zeros")
def zeros(weight: torch.Tensor, fans: Fans) -> None:
    """All nought: every unit is the same for ever."""
    del fans
    weight.zero_()


@initialisers.add("normal")
def normal(weight: torch.Tensor, fans: Fans) -> None:
    """A bell of spread 0.01, whatever the layer's size.

    Source: Krizhevsky et al. (2012), ImageNet classification with deep convolutional networks.
    """
    del fans
    weight.normal_(0.0, 0.01)


@initialisers.add("wide normal")
def wide(weight: torch.Tensor, fans: Fans) -> None:
    """A bell of spread 1: saturates tanh, explodes deep ReLU networks."""
    del fans
    weight.normal_(0.0, 1.0)


@initialisers.add("Xavier")
def xavier(weight: torch.Tensor, fans: Fans) -> None:
    """Even between ±√(6 / (in + out)): keeps the variance through tanh, both ways.

    Source: Glorot & Bengio (2010), Understanding the difficulty of training deep networks.
    """
    limit = (6 / (fans[0] + fans[1])) ** 0.5
    weight.uniform_(-limit, limit)


@initialisers.add("He")
def he(weight: torch.Tensor, fans: Fans) -> None:
    """A bell of spread √(2 / in): keeps the variance through ReLU.

    Source: He et al. (2015), Delving deep into rectifiers.
    """
    weight.normal_(0.0, (2 / fans[0]) ** 0.5)


@initialisers.add("orthogonal")
def orthogonal(weight: torch.Tensor, fans: Fans) -> None:
    """Rows at right angles, of length 1: keeps lengths exactly.

    Source: Saxe et al. (2014), Exact solutions to the nonlinear dynamics of learning.
    """
    del fans
    torch.nn.init.orthogonal_(weight)
