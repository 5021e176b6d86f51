"""Gradient descent, plain and with memory."""

from __future__ import annotations

import torch

from engine.training.optimizers import Parameters, optimizers


@optimizers.add("SGD", rate=0.1, momentum=False)
def sgd(
    parameters: Parameters, learning_rate: float, weight_decay: float, momentum: float
) -> torch.optim.Optimizer:
    """Stochastic gradient descent: a step against the gradient of each batch.

    Source: Robbins & Monro (1951), A stochastic approximation method.
    """
    del momentum
    return torch.optim.SGD(parameters, lr=learning_rate, weight_decay=weight_decay, fused=True)


@optimizers.add("Momentum", rate=0.03, momentum=True)
def heavy_ball(
    parameters: Parameters, learning_rate: float, weight_decay: float, momentum: float
) -> torch.optim.Optimizer:
    """Descent that keeps part of its last step, like a heavy ball.

    Source: Polyak (1964), Some methods of speeding up the convergence of iteration methods.
    """
    return torch.optim.SGD(
        parameters, lr=learning_rate, weight_decay=weight_decay, momentum=momentum, fused=True
    )


@optimizers.add("Nesterov", rate=0.03, momentum=True)
def nesterov(
    parameters: Parameters, learning_rate: float, weight_decay: float, momentum: float
) -> torch.optim.Optimizer:
    """Momentum that looks at the gradient where it is about to be.

    Source: Nesterov (1983), A method of solving a convex programming problem with convergence
    rate O(1/k²); Sutskever et al. (2013).
    """
    return torch.optim.SGD(
        parameters,
        lr=learning_rate,
        weight_decay=weight_decay,
        momentum=max(momentum, 1e-3),  # torch refuses Nesterov without any
        nesterov=True,
        fused=True,
    )
