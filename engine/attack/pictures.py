"""Samples, changes and answers as views, the same in every section of the arena."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from engine.models.kept import Kept
from engine.views import Bars, Scale, Tiles

MOST_BARS = 32


def tiles(
    x: torch.Tensor,
    captions: Sequence[str] = (),
    *,
    scale: Scale = "grey",
    shared: bool = True,
    across: int = 0,
    title: str = "",
    marks: Mapping[int, str] | None = None,
) -> Tiles:
    """Samples `(n, ...)` as pictures; rows of a table become one row of cells each."""
    if x.ndim != 4:
        images = x.flatten(1)[:, None]
    elif x.shape[1] == 3 and scale == "grey":
        images = x.permute(0, 2, 3, 1)
    else:
        images = x.mean(1)
    shown = images.detach().contiguous().numpy()
    return Tiles(
        shown,
        tuple(captions),
        scale=scale,
        shared=shared,
        across=across,
        title=title,
        marks=marks or {},
    )


def told(kept: Kept, chances: torch.Tensor) -> str:
    """An answer in words: the likeliest class and its chance; `chances` is `(classes,)`."""
    best = int(chances.argmax())
    return f"{kept.name(best)} ({100 * float(chances[best]):.0f} %)"


def bars(kept: Kept, series: Mapping[str, torch.Tensor], ylabel: str, title: str = "") -> Bars:
    """Numbers for each class, `(classes,)`, side by side."""
    count = min(MOST_BARS, len(next(iter(series.values()))))
    names = tuple(kept.name(output) for output in range(count))
    heights = {name: values[:count].numpy() for name, values in series.items()}
    return Bars(names, heights, ylabel=ylabel, title=title)
