"""What a network makes of its inputs just before it decides: the last hidden layer."""

from __future__ import annotations

import torch
from torch import nn

from engine.explain.table import calm

BATCH = 500


def features(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The inputs of the last layer with weights, `(batch, features)`.

    Raises:
        ValueError: The network has no layer with weights.
    """
    last = last_layer(module)
    seen: list[torch.Tensor] = []

    def keep(_module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        seen.append(inputs[0].detach().flatten(1))

    hook = last.register_forward_pre_hook(keep)
    try:
        with calm(module), torch.no_grad():
            for part in x.split(BATCH):
                module(part)
    finally:
        hook.remove()
    return torch.cat(seen)


def last_layer(module: nn.Module) -> nn.Module:
    """The last layer that has weights of its own.

    Raises:
        ValueError: There is none.
    """
    own = [part for part in module.modules() if list(part.parameters(recurse=False))]
    if not own:
        raise ValueError("features: the network needs a layer with weights")
    return own[-1]
