"""Interventions: what somebody may change inside a model while it runs.

Each function gives an `engine.attention.watch.Edit`. A head that is ablated hands on nothing: its
weights become zero, so that what is left is the path around it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Literal

import torch

from engine.attention.watch import Edit, What

Tensor = torch.Tensor

Pattern = Literal["uniform", "previous", "first", "itself"]
Vector = Literal["query", "key", "value"]
VECTORS: dict[str, Vector] = {"query": "query", "key": "key", "value": "value"}
PATTERNS: tuple[Pattern, ...] = ("uniform", "previous", "first", "itself")


def pattern_of(name: str) -> Pattern:
    """The pattern of that name.

    Raises:
        LookupError: There is none.
    """
    for pattern in PATTERNS:
        if pattern == name:
            return pattern
    raise LookupError(f"no pattern {name!r:.40}; there are {', '.join(PATTERNS)}")


def ablate(layer: str, heads: Collection[int] | None = None) -> Edit:
    """Heads of a layer hand on nothing; None is all of them."""

    def edit(name: str, what: What, x: Tensor) -> Tensor:
        if name != layer or what != "weights":
            return x
        return _at_heads(x, heads, torch.zeros_like(x))

    return edit


def fix(layer: str, heads: Collection[int] | None, pattern: Pattern) -> Edit:
    """Heads of a layer look where we say, whatever comes in; what is masked stays masked."""

    def edit(name: str, what: What, x: Tensor) -> Tensor:
        if name != layer or what != "weights":
            return x
        return _at_heads(x, heads, _pattern(pattern, x))

    return edit


def freeze(layer: str, heads: Collection[int] | None, weights: Tensor) -> Edit:
    """Heads of a layer look as they did in another run, `(batch, heads, n, m)`."""

    def edit(name: str, what: What, x: Tensor) -> Tensor:
        if name != layer or what != "weights":
            return x
        return _at_heads(x, heads, weights.reshape(x.shape))

    return edit


def hide(places: Sequence[int], length: int) -> Edit:
    """Nobody may look at some places of a sequence of that length."""
    gone = [place for place in places if 0 <= place < length]

    def edit(_: str, what: What, x: Tensor) -> Tensor:
        if what != "scores" or x.shape[-1] != length or not gone:
            return x
        hidden = x.clone()
        hidden[..., gone] = -math.inf
        return hidden

    return edit


def turn(
    layer: str,
    what: Vector,
    head: int,
    place: int,
    number: int,
    to: float,
) -> Edit:
    """One number of one vector becomes another: head, place in the sequence, number in it."""

    def edit(name: str, kind: What, x: Tensor) -> Tensor:
        if name != layer or kind != what:
            return x
        turned = x.clone()
        flat = turned if x.ndim == 4 else turned.unflatten(0, (-1, _share(x)))
        flat[:, head, place, number] = to
        return turned

    return edit


def neuron(path: str, unit: int, to: float) -> Edit:
    """One number of what a submodule gives becomes another, at all places."""

    def edit(name: str, what: What, x: Tensor) -> Tensor:
        if name != path or what != "output":
            return x
        turned = x.clone()
        turned[..., unit] = to
        return turned

    return edit


def patch(path: str, other: Tensor, places: Collection[int] | None = None) -> Edit:
    """What a submodule gives is taken from another run, `(batch, n, features)`, at some places."""

    def edit(name: str, what: What, x: Tensor) -> Tensor:
        if name != path or what != "output":
            return x
        if places is None or x.ndim < 3:
            return other.expand_as(x).clone()
        mixed = x.clone()
        for place in places:
            mixed[:, place] = other[:, place]
        return mixed

    return edit


def _at_heads(x: Tensor, heads: Collection[int] | None, new: Tensor) -> Tensor:
    """`x` with some heads taken from `new`; both `(batch, [heads,] n, m)`."""
    if heads is None or x.ndim == 3:
        return new
    chosen = torch.zeros(x.shape[-3], dtype=torch.bool, device=x.device)
    chosen[[head for head in heads if head < len(chosen)]] = True
    return torch.where(chosen[:, None, None], new, x)


def _pattern(pattern: Pattern, weights: Tensor) -> Tensor:
    """Weights that follow a rule, among the places that were not masked."""
    n, m = weights.shape[-2:]
    rows = torch.arange(n, device=weights.device)
    if pattern == "uniform":
        open_ = (weights > 0).to(weights.dtype)
        return open_ / open_.sum(-1, keepdim=True).clamp_min(1)
    columns = {"previous": (rows - 1).clamp_min(0), "first": rows * 0, "itself": rows}[pattern]
    one = torch.nn.functional.one_hot(columns.clamp_max(m - 1), m).to(weights.dtype)
    return one.expand_as(weights)


def _share(x: Tensor) -> int:
    return 1 if x.ndim == 3 else x.shape[1]
