"""Which token is which part of a picture, found by looking: no model says it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from engine.views import Array

BANDS = 64  # stripes of the picture that are tried, either way
FAINT = 1e-3  # of the strongest change; less is nothing


@dataclass(frozen=True, slots=True)
class PatchGrid:
    """How the tokens of a picture lie on it.

    Attributes:
        rows: How many patches from top to bottom.
        columns: From left to right.
        places: For each patch, row by row, the place of its token, `(rows * columns,)`.
        extra: Places of tokens that see no part of the picture: class tokens, registers.
    """

    rows: int
    columns: int
    places: tuple[int, ...]
    extra: tuple[int, ...]


class _Enough(Exception):  # noqa: N818 - no fault: all is known
    """The tokens have been seen; the rest of the network need not run."""


def find_grid(module: nn.Module, picture: torch.Tensor, layer: str) -> PatchGrid | None:
    """The grid of the tokens that come into an attention layer; None if they lie on none.

    One stripe of the picture after the other is changed, and it is noted which tokens change with
    it: where a token's stripes lie is where its patch is. A token that never changes is no patch.

    Args:
        module: The network.
        picture: `(1, channels, rows, columns)`.
        layer: Path of the first attention layer, or of a module around it.
    """
    down = _places(module, picture, layer, axis=2)
    across = _places(module, picture, layer, axis=3)
    if down is None or across is None:
        return None
    seen = np.isfinite(down) & np.isfinite(across)
    rows, row_of = _levels(down[seen])
    columns, column_of = _levels(across[seen])
    cells = row_of * columns + column_of
    if rows * columns != len(cells) or len(np.unique(cells)) != len(cells):
        return None
    patches = np.flatnonzero(seen)
    places = patches[np.argsort(cells)]
    extra = np.flatnonzero(~seen)
    return PatchGrid(rows, columns, tuple(places.tolist()), tuple(extra.tolist()))


def _places(module: nn.Module, picture: torch.Tensor, layer: str, axis: int) -> Array | None:
    """The middle of the stripes that move each token, `(n,)` in [0, 1]; NaN where none does."""
    size = picture.shape[axis]
    edges = np.linspace(0, size, min(size, BANDS) + 1).round().astype(int)
    tries = picture.repeat(len(edges), *[1] * (picture.ndim - 1))  # the last one stays as it is
    for number, (low, high) in enumerate(itertools.pairwise(edges)):
        stripe = tries[number].narrow(axis - 1, int(low), int(high - low))
        stripe.add_(torch.linspace(0.5, 1.0, stripe.numel()).reshape(stripe.shape))
    tokens = _tokens(module, tries, layer)
    if tokens is None:
        return None
    change = (tokens[:-1] - tokens[-1:]).norm(dim=-1).double().numpy()  # (bands, n)
    change[change < FAINT * max(change.max(), 1e-12)] = 0.0
    middle = (edges[:-1] + edges[1:]) / (2 * size)
    total = change.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        # the middle of the outermost stripes: how strongly each one counts plays no part
        touched = change > 0
        low = np.where(touched, middle[:, None], np.inf).min(0)
        high = np.where(touched, middle[:, None], -np.inf).max(0)
        return np.where(total > 0, (low + high) / 2, np.nan)


def _tokens(module: nn.Module, x: torch.Tensor, layer: str) -> torch.Tensor | None:
    """What comes into a layer, `(batch, n, features)`."""
    found: list[torch.Tensor] = []

    def catch(_: nn.Module, given: Sequence[object], named: dict[str, object]) -> None:
        for one in (*given, *named.values()):
            if isinstance(one, torch.Tensor) and one.ndim == 3 and len(one) == len(x):
                found.append(one.detach().clone())
                raise _Enough

    hook = module.get_submodule(layer).register_forward_pre_hook(catch, with_kwargs=True)
    training = module.training
    module.eval()
    try:
        with torch.no_grad():
            module(x)
    except _Enough:
        pass
    finally:
        hook.remove()
        module.train(training)
    return found[0] if found else None


def _levels(values: Array) -> tuple[int, Array]:
    """How many different heights there are, and the number of each value's."""
    ordered = np.sort(values)
    if not len(ordered):
        return 0, np.zeros(0, dtype=int)
    steps = np.diff(ordered)
    apart = steps > 0.5 * steps.max() if steps.size and steps.max() > 1e-9 else steps > 1
    bounds = (ordered[:-1] + ordered[1:])[apart] / 2
    return int(apart.sum()) + 1, np.searchsorted(bounds, values)
