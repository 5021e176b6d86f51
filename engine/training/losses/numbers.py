"""How wrong predicted numbers are; the mean over a sample's outputs."""

from __future__ import annotations

import torch
from torch.nn import functional

from engine.training.losses import losses

Tensor = torch.Tensor
TASKS = ["regression"]


@losses.add("squared error", tasks=TASKS)
def squared_error(scores: Tensor, y: Tensor) -> Tensor:
    """(p − t)²: large errors count most; least at the mean.

    Source: Gauss (1809), Theoria motus.
    """
    return (scores - y).square().mean(1)


@losses.add("absolute error", tasks=TASKS)
def absolute_error(scores: Tensor, y: Tensor) -> Tensor:
    """|p − t|: an outlier pulls no harder than others; least at the median.

    Source: Laplace (1774), Mémoire sur la probabilité des causes.
    """
    return (scores - y).abs().mean(1)


@losses.add("Huber", tasks=TASKS)
def huber(scores: Tensor, y: Tensor, huber_delta: float = 1.0) -> Tensor:
    """Squared (halved) for errors below δ, straight beyond.

    Source: Huber (1964), Robust estimation of a location parameter.
    """
    return functional.huber_loss(scores, y, reduction="none", delta=huber_delta).mean(1)
