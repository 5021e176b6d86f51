"""Descent with a step size of its own for every weight."""

from __future__ import annotations

import torch

from engine.training.optimizers import Parameters, optimizers


@optimizers.add("Adagrad", rate=0.02, momentum=False)
def adagrad(
    parameters: Parameters, learning_rate: float, weight_decay: float, momentum: float
) -> torch.optim.Optimizer:
    """Divides each step by the root of all squared gradients so far.

    Source: Duchi, Hazan & Singer (2011), Adaptive subgradient methods.
    """
    del momentum
    return torch.optim.Adagrad(parameters, lr=learning_rate, weight_decay=weight_decay, fused=True)


@optimizers.add("Adadelta", rate=1.0, momentum=False)
def adadelta(
    parameters: Parameters, learning_rate: float, weight_decay: float, momentum: float
) -> torch.optim.Optimizer:
    """Steps in the units of the weights: recent steps over recent gradients.

    Source: Zeiler (2012), ADADELTA: an adaptive learning rate method.
    """
    del momentum
    return torch.optim.Adadelta(parameters, lr=learning_rate, weight_decay=weight_decay)


@optimizers.add("RMSprop", rate=0.001, momentum=False)
def rmsprop(
    parameters: Parameters, learning_rate: float, weight_decay: float, momentum: float
) -> torch.optim.Optimizer:
    """Divides each step by the root mean square of recent gradients.

    Source: Tieleman & Hinton (2012), Lecture 6.5: rmsprop.
    """
    del momentum
    return torch.optim.RMSprop(parameters, lr=learning_rate, weight_decay=weight_decay)


@optimizers.add("Adam", rate=0.003, momentum=True)
def adam(
    parameters: Parameters, learning_rate: float, weight_decay: float, momentum: float
) -> torch.optim.Optimizer:
    """Momentum and RMSprop together, corrected for their start at zero.

    Source: Kingma & Ba (2015), Adam: a method for stochastic optimization.
    """
    return torch.optim.Adam(
        parameters,
        lr=learning_rate,
        weight_decay=weight_decay,
        betas=(momentum, 0.999),
        fused=True,
    )


@optimizers.add("AdamW", rate=0.002, momentum=True)
def adamw(
    parameters: Parameters, learning_rate: float, weight_decay: float, momentum: float
) -> torch.optim.Optimizer:
    """Adam whose weight decay shrinks the weights themselves, not through the gradient.

    Source: Loshchilov & Hutter (2019), Decoupled weight decay regularization.
    """
    return torch.optim.AdamW(
        parameters,
        lr=learning_rate,
        weight_decay=weight_decay,
        betas=(momentum, 0.999),
        fused=True,
    )


@optimizers.add("NAdam", rate=0.002, momentum=True)
def nadam(
    parameters: Parameters, learning_rate: float, weight_decay: float, momentum: float
) -> torch.optim.Optimizer:
    """Adam with Nesterov's look ahead.

    Source: Dozat (2016), Incorporating Nesterov momentum into Adam.
    """
    return torch.optim.NAdam(
        parameters, lr=learning_rate, weight_decay=weight_decay, betas=(momentum, 0.999)
    )


@optimizers.add("RAdam", rate=0.002, momentum=True)
def radam(
    parameters: Parameters, learning_rate: float, weight_decay: float, momentum: float
) -> torch.optim.Optimizer:
    """Adam that waits for its variance estimate before it trusts it.

    Source: Liu et al. (2020), On the variance of the adaptive learning rate and beyond.
    """
    return torch.optim.RAdam(
        parameters, lr=learning_rate, weight_decay=weight_decay, betas=(momentum, 0.999)
    )


@optimizers.add("Adamax", rate=0.004, momentum=True)
def adamax(
    parameters: Parameters, learning_rate: float, weight_decay: float, momentum: float
) -> torch.optim.Optimizer:
    """Adam that divides by the largest recent gradient instead of their root mean square.

    Source: Kingma & Ba (2015), Adam: a method for stochastic optimization, section 7.
    """
    return torch.optim.Adamax(
        parameters, lr=learning_rate, weight_decay=weight_decay, betas=(momentum, 0.999)
    )
