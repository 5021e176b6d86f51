"""One step of training with an update rule of ours, without PyTorch's optimizers.

PyTorch loads its compiler with the first optimizer that is made, for a second or more of processor
time. A lab that must answer at once moves its weights here, by a rule that can be read.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from engine.optimisers import Memory, Rule, adam


def one_step(
    net: nn.Module, loss: Tensor, memory: Memory, rule: Rule = adam, **settings: float
) -> Memory:
    """Move all weights of a network once against the slope of a loss.

    Args:
        net: Its parameters must all take part in the loss.
        loss: One number, computed from `net`.
        memory: What the rule remembers of earlier steps; `Memory()` at first.
        rule: An update rule of `engine.optimisers`.
        **settings: Of that rule: `learning_rate=0.01`.

    Returns:
        What the rule remembers now.
    """
    weights = list(net.parameters())
    slope = parameters_to_vector(torch.autograd.grad(loss, weights))
    moved, memory = rule(parameters_to_vector(weights).detach(), slope, memory, **settings)
    vector_to_parameters(moved, weights)
    return memory
