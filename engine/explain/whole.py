"""What a network uses over a whole data set, not for one sample."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from engine.explain.parts import players
from engine.explain.table import calm

BATCH = 256


def importance(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    classes: bool = True,
    grid: int = 7,
    rounds: int = 3,
    seed: int = 0,
) -> Iterator[torch.Tensor]:
    """How much worse a network gets when a part of its inputs is shuffled among the samples.

    After each part the falls so far, `(parts,)`, NaN where a part has not had its turn: the fall of
    the share of right answers, or for numbers the rise of the mean square error.

    Args:
        module: The network.
        x: Samples, `(n, ...)`.
        y: Their answers.
        classes: Whether the answers are classes.
        grid: Into how many parts, see `engine.explain.parts`.
        rounds: How often each part is shuffled.
        seed: Of the shuffles.

    Source: Breiman (2001), Random forests, section 10; for any model: Fisher, Rudin & Dominici
    (2019), All models are wrong, but many are useful.
    """
    parts = players(x, grid)
    count = int(parts.max()) + 1
    found = torch.full((count,), float("nan"))
    generator = torch.Generator().manual_seed(seed)
    with calm(module), torch.no_grad():
        whole = _good(module, x, y, classes)
        for part in range(count):
            falls = []
            for _ in range(rounds):
                order = torch.randperm(len(x), generator=generator)
                mixed = torch.where(parts == part, x[order], x)
                falls.append(whole - _good(module, mixed, y, classes))
            found[part] = sum(falls) / rounds
            yield found.clone()


def _good(module: nn.Module, x: torch.Tensor, y: torch.Tensor, classes: bool) -> float:
    """The share of right answers, or minus the mean square error."""
    scores = torch.cat([module(some) for some in x.split(BATCH)])
    if classes:
        return float((scores.argmax(1) == y).float().mean())
    return -float((scores.reshape(y.shape) - y).square().mean())


def plane(maps: torch.Tensor) -> tuple[torch.Tensor, tuple[float, float]]:
    """Explanations `(n, ...)` as points of the plane that shows most of their scatter.

    Returns:
        The points, `(n, 2)`, and the part of the scatter that each axis shows.

    Source: Pearson (1901), On lines and planes of closest fit; of explanations: Lapuschkin et al.
    (2019), Unmasking Clever Hans predictors.
    """
    flat = maps.flatten(1)
    flat = flat / flat.norm(dim=1, keepdim=True).clamp_min(1e-12)
    flat = flat - flat.mean(0)
    left, sizes, axes = torch.linalg.svd(flat, full_matrices=False)
    count = min(2, len(sizes))
    points = torch.zeros(len(flat), 2)
    points[:, :count] = left[:, :count] * sizes[:count]
    for axis in range(count):  # an axis has no sign of its own: its largest number is positive
        if axes[axis, axes[axis].abs().argmax()] < 0:
            points[:, axis] *= -1
    share = sizes.square() / sizes.square().sum().clamp_min(1e-12)
    shown = [float(one) for one in share[:2]] + [0.0, 0.0]
    return points, (shown[0], shown[1])
