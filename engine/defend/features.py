"""What a network makes of its inputs just before it decides: the last hidden layer."""

from __future__ import annotations

import torch
from torch import nn

from engine.explain.table import calm

BATCH = 500


def features(module: nn.Module, x: torch.Tensor, *, back: int = 0) -> torch.Tensor:
    """The inputs of the last layer with weights, `(batch, features)`, or of one before it.

    Args:
        module: The network.
        x: Samples.
        back: How many layers with weights before the last one; the first, where there are fewer.

    Raises:
        ValueError: The network has no layer with weights.
    """
    layers = _layers(module)
    last = layers[max(0, len(layers) - 1 - back)]
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


def _layers(module: nn.Module) -> list[nn.Module]:
    """The layers that have weights of their own, in order.

    Raises:
        ValueError: There is none.
    """
    own = [part for part in module.modules() if list(part.parameters(recurse=False))]
    if not own:
        raise ValueError("features: the network needs a layer with weights")
    return own
