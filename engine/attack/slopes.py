"""Gradients of several scores of one sample: the linear picture of a network at a place."""

from __future__ import annotations

import torch
from torch import nn

from engine.attack.table import asked


def slopes(
    module: nn.Module, x: torch.Tensor, classes: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores `(batch, k)` and their gradients `(batch, k, features)`.

    Args:
        module: The network.
        x: Samples, `(batch, ...)`.
        classes: Which scores of each sample, `(batch, k)`; None for all.
    """
    x, scores = asked(module, x)
    with torch.enable_grad():
        chosen = scores if classes is None else scores.gather(1, classes)
        columns = [one.sum() for one in chosen.unbind(1)]
    rows = [torch.autograd.grad(one, x, retain_graph=True)[0].flatten(1) for one in columns]
    return chosen.detach(), torch.stack(rows, 1)
