"""SparseFool: to a flat picture of the border, changing as few inputs as possible."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from engine.attack.balls import across
from engine.attack.methods.minimal import nearest_border
from engine.attack.planes import to_plane
from engine.attack.slopes import slopes
from engine.attack.table import Steps, attack, fooled
from engine.attack.watch import seen, unseen
from engine.forms import Slider


@attack("sparsefool", norm="L0", gradients=True, minimal=True)
def sparsefool(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Annotated[int, Slider(0, 100, help="More pixels may change")] = 10,
    steps: Steps = 20,
    beyond: Annotated[float, Slider(1.0, 5.0, help="Aims further past the border")] = 1.05,
) -> torch.Tensor:
    """DeepFool finds the border's plane; the plane is then reached input by input, steepest first.

    Source: Modas, Moosavi-Dezfooli & Frossard (2019), SparseFool: a few pixels make a big
    difference.
    """
    del epsilon  # the ball is applied at the door
    found = x.clone()
    for _ in range(steps):
        open_ = ~fooled(module, found, y)
        if not bool(open_.any()):
            break
        here, own = found[open_], y[open_]
        with unseen():
            border = nearest_border(module, here, own, 50)  # x_B
        border = here + beyond * (border - here)
        normal = _normal(module, border, own)
        gap = (normal * (border - here).flatten(1)).sum(1)
        move = to_plane(here.flatten(1), normal, gap, "L1").reshape(here.shape)
        found[open_] = (here + move).clamp(0, 1)
        seen(found)
    return found


def _normal(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The way from the own class's score to the best other one's, `(batch, features)`."""
    with torch.no_grad():
        other = module(x).scatter(1, y[:, None], -torch.inf).argmax(1)
    _, slope = slopes(module, x.clamp(0, 1), torch.stack([y, other], 1))
    normal = slope[:, 1] - slope[:, 0]
    return normal / across(normal.norm(dim=1).clamp_min(1e-12), normal)
