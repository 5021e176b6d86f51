"""Samples and explanations as views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from engine.explain.desk import Case, Desk
from engine.views import Bars, Curve, Tiles, Tokens, View

MOST_BARS = 64


def shown(desk: Desk, case: Case) -> View:
    """The sample: a picture, words, a line over time, or the columns of a row."""
    truth = "" if case.given.label is None else f", true class {desk.name(case.given.label)}"
    words = case.given.words + truth
    x = case.given.x[0]
    match case.kind:
        case "image":
            return Tiles(grey(x)[None], (words,))
        case "text":
            return Tokens(places(desk, case), title=words)
        case "series":
            names = _features(desk, x.shape[1])
            lines = {name: x[:, i].numpy() for i, name in enumerate(names)}
            return Curve(np.arange(len(x)), lines, xlabel="place", title=words)
    names = places(desk, case)
    return Bars(names, {"value": x.flatten()[: len(names)].numpy()}, ylabel="value", title=words)


def grey(x: torch.Tensor) -> np.ndarray:
    """One picture `(channels, rows, columns)` to look at: in colour where it has three channels."""
    picture: np.ndarray = (x.permute(1, 2, 0) if len(x) == 3 else x.mean(0)).numpy()
    return picture


def maps(
    desk: Desk,
    case: Case,
    found: Mapping[str, torch.Tensor],
    captions: Sequence[str],
    *,
    shared: bool = False,
) -> View:
    """Explanations side by side, summed over channels.

    Args:
        desk: The model.
        case: The sample they are of.
        found: Name -> a map like the explained sample, `(1, ...)`.
        captions: Words under each.
        shared: Whether all have one scale.
    """
    if case.kind == "image":
        images = [one[0].sum(0).numpy() for one in found.values()]
        stack = np.stack(images) if images else np.zeros((0, 1, 1))
        return Tiles(stack, tuple(captions), scale="signed", shared=shared)
    names = places(desk, case)
    rows = {name: line(case, one)[: len(names)] for name, one in found.items()}
    if case.kind == "text" and len(rows) == 1:
        return Tokens(names, next(iter(rows.values())), title=captions[0] if captions else "")
    if case.kind == "series" and rows:
        return Curve(np.arange(len(names)), _scaled(rows, shared), xlabel="place", dots=True)
    return Bars(names, _scaled(rows, shared), xlabel="token" if case.kind == "text" else "column")


def line(case: Case, explanation: torch.Tensor) -> np.ndarray:
    """A map as one number a place: a token, a moment, a column or a pixel, `(places,)`."""
    one = explanation[0]
    flat: np.ndarray = (one.sum(0) if case.x.ndim > 2 else one).flatten().numpy()
    return flat


def places(desk: Desk, case: Case) -> tuple[str, ...]:
    """What the places of a sample are called."""
    x = case.given.x[0]
    if case.kind == "text":
        words = desk.vocabulary
        return tuple(words[int(i)] if int(i) < len(words) else str(int(i)) for i in x)
    if case.kind == "series":
        return tuple(str(i) for i in range(len(x)))
    return _features(desk, min(x.numel(), MOST_BARS))


def scores(desk: Desk, case: Case) -> Bars:
    """What the model says: the likeliest outputs first where there are many."""
    likely = desk.likelihood(case)
    order = range(len(likely))
    if len(likely) > 20:
        order = sorted(likely.topk(20).indices.tolist())  # type: ignore[assignment]
    names = tuple(desk.name(output) for output in order)
    return Bars(names, {desk.watched: likely[list(order)].numpy()}, ylabel=desk.watched)


def _features(desk: Desk, count: int) -> tuple[str, ...]:
    named = tuple(desk.data.features) if desk.data else ()
    return tuple(named[i] if i < len(named) else str(i) for i in range(count))


def _scaled(rows: dict[str, np.ndarray], shared: bool) -> dict[str, np.ndarray]:
    """Each line over its own largest number, unless all share one scale."""
    if shared:
        return rows
    return {name: row / max(float(np.abs(row).max()), 1e-12) for name, row in rows.items()}
