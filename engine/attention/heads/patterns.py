"""Patterns of attention that are known to matter: what a head is for."""

from __future__ import annotations

import numpy as np

from engine.attention.heads import detectors
from engine.views import Array


@detectors.add("previous token")
def previous_token(weights: Array, tokens: Array) -> Array:
    """Looks at the token just before."""
    return _spent(weights, np.eye(len(tokens), k=-1, dtype=bool))


@detectors.add("first token")
def first_token(weights: Array, tokens: Array) -> Array:
    """Looks at the beginning, where a head rests that has nothing to do.

    Source: Xiao et al. (2023), Efficient streaming language models with attention sinks.
    """
    there = np.zeros((len(tokens),) * 2, dtype=bool)
    there[1:, 0] = True
    return _spent(weights, there)


@detectors.add("current token")
def current_token(weights: Array, tokens: Array) -> Array:
    """Looks at its own place."""
    return _spent(weights, np.eye(len(tokens), dtype=bool))


@detectors.add("duplicate token", repeats=True)
def duplicate_token(weights: Array, tokens: Array) -> Array:
    """Looks at earlier places that hold the same token.

    Source: Wang et al. (2022), Interpretability in the wild: indirect object identification.
    """
    return _spent(weights, _repeated(tokens))


@detectors.add("induction", repeats=True)
def induction(weights: Array, tokens: Array) -> Array:
    """Looks at what came after the same token earlier: what will probably come again.

    Source: Olsson et al. (2022), In-context learning and induction heads.
    """
    after = np.zeros((len(tokens),) * 2, dtype=bool)
    after[:, 1:] = _repeated(tokens)[:, :-1]
    return _spent(weights, after)


def _repeated(tokens: Array) -> Array:
    """Where an earlier place holds the same token, `(n, n)`."""
    same = tokens[:, None] == tokens[None, :]
    return np.asarray(np.tril(same, k=-1))


def _spent(weights: Array, there: Array) -> Array:
    """Mean attention spent on `there` by the rows in which there is any, `(heads,)`."""
    rows = there.any(1)
    if not rows.any():
        return np.full(len(weights), np.nan)
    return np.asarray((weights * there)[:, rows].sum(-1).mean(-1))
