"""What is shown of a model's attention: each function makes one view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from torch.nn import functional

from engine.attention.heads import scores
from engine.attention.methods.seeing import tokens_of
from engine.attention.subject import Subject
from engine.attention.watch import Seen
from engine.views import Array, Attention, Bars, Heads, Matrix, Patches, Products, Tokens, View

SIDE = 32  # cells of a small map, either way
MOST_KEYS = 24  # rows of the view of queries and keys
MOST_BARS = 10
MOST_COLUMNS = 16  # of the lens


def overview(subject: Subject, layers: Sequence[Seen], picked: int) -> Heads:
    """Every head as a small map; where many cells become one, the strongest counts."""
    across = max(layer.heads for layer in layers)
    longest = max(max(layer.weights.shape[-2:]) for layer in layers)
    side = min(SIDE, longest)
    maps = np.full((len(layers), across, side, side), np.nan, dtype=np.float32)
    for number, layer in enumerate(layers):
        maps[number, : layer.heads] = _small(layer.weights[0], side)
    return Heads(
        maps.reshape(-1, side, side),
        tuple(f"{number} {layer.name}" for number, layer in enumerate(layers)),
        across,
        picked,
        tuple((layer.weights.shape[2], layer.weights.shape[3]) for layer in layers),
        tuple(axes(subject, layer) for layer in layers),
        title="every head of every layer",
    )


def _small(weights: torch.Tensor, side: int) -> Array:
    """`(heads, n, m)` as `(heads, side, side)`, each head on its own scale."""
    if max(weights.shape[-2:]) > side:
        small = functional.adaptive_max_pool2d(weights, (side, side))
    else:
        small = functional.interpolate(weights[None], (side, side), mode="nearest")[0]
    # a few very strong cells, as the first token's own, shall not darken all others
    high = small.flatten(1).quantile(0.99, dim=1)[:, None, None]
    high = torch.where(high > 0, high, small.amax((1, 2), keepdim=True))
    return np.asarray((small / high.clamp_min(1e-9)).clamp_max(1).numpy())


def head(
    subject: Subject,
    layer: Seen,
    number: int,
    place: int,
    drawn: Literal["lines", "matrix"],
    name: str,
) -> Attention:
    """One head's weights between its two rows of tokens."""
    return Attention(
        layer.weights[0, number].numpy(),
        subject.rows(layer),
        subject.columns(layer),
        axes(subject, layer),
        drawn,
        place,
        title=f"head {name}: {'who looks at whom' if drawn == 'lines' else 'row looks at column'}",
    )


def square(
    subject: Subject, layer: Seen, weights: Array, place: int, title: str, signed: bool = False
) -> Attention:
    """Another table over the tokens of a layer."""
    return Attention(
        weights,
        subject.rows(layer),
        subject.columns(layer),
        axes(subject, layer),
        "matrix",
        place,
        "signed" if signed else "sequential",
        title,
    )


def axes(subject: Subject, layer: Seen) -> tuple[str, str]:
    """What the layer's two rows of tokens are called."""
    looking, looked_at = subject.of(layer)
    return subject.streams[looking].role, subject.streams[looked_at].role


def products(subject: Subject, layer: Seen, number: int, place: int) -> Products | None:
    """How one place comes to its weights; None where they come of no queries and keys."""
    if layer.query is None or layer.key is None:
        return None
    query, keys = layer.query[0, number, place], layer.key[0, number]
    weights = layer.weights[0, number, place]
    count = max(1, min(MOST_KEYS, int((weights > 0).sum())))
    shown = weights.topk(count).indices.sort().values
    names = subject.columns(layer)
    of = subject.rows(layer)[place]
    allowed = int((weights > 0).sum())
    more = f"; the {count} strongest of {allowed}" if allowed > count else ""
    return Products(
        query.numpy(),
        keys[shown].numpy(),
        (keys[shown] @ query * layer.scale).numpy(),
        weights[shown].numpy(),
        tuple(names[i] for i in shown.tolist()),
        tuple(shown.tolist()),
        of,
        layer.scale,
        axes(subject, layer),
        place,
        f"softmax(q·k / √d) of {of}{more}",
    )


def values(subject: Subject, layer: Seen, number: int, place: int) -> Matrix:
    """What is mixed: the values of the places most looked at, and their mixture."""
    weights = layer.weights[0, number, place]
    shown = weights.topk(min(8, len(weights))).indices.sort().values
    names = subject.columns(layer)
    table = torch.cat([layer.value[0, number, shown], layer.mixed[0, number, place][None]])
    return Matrix(
        table.numpy(),
        rows=(*(f"{names[i]} × {float(weights[i]):.2f}" for i in shown.tolist()), "mixed"),
        xlabel="numbers of v",
        scale="signed",
        title="values, and what the head hands on",
    )


def picture(subject: Subject, weights: Array, place: int) -> Patches | None:
    """Attention over the picture; None where there is none."""
    grid, image = subject.grid, subject.picture
    if grid is None or image is None or weights.shape[0] != len(grid.places) + len(grid.extra):
        return None
    words = subject.streams[0].words
    return Patches(
        image,
        weights,
        (grid.rows, grid.columns),
        grid.places,
        {words[token]: token for token in grid.extra},
        place,
        title=f"what {words[place]} looks at",
    )


def strip(
    subject: Subject, stream: int, weights: Array | None, title: str, signed: bool = False
) -> Tokens:
    """An input as a row of tokens, weights behind them."""
    one = subject.streams[stream]
    behind = np.zeros(0) if weights is None else weights
    words = one.words
    if len(behind) and len(behind) != len(words):  # class tokens come first
        behind = behind[len(behind) - len(words) :] if len(behind) > len(words) else np.zeros(0)
    return Tokens(words, behind if signed else np.abs(behind), title=title, row=one.role)


def answers(
    subject: Subject, before: torch.Tensor, after: torch.Tensor | None, chances: bool
) -> Bars:
    """The largest outputs of one answer, `(outputs,)`, before and after a change."""
    now = before.softmax(0) if chances else before
    then = None if after is None else (after.softmax(0) if chances else after)
    most = now if then is None else torch.maximum(now, then)
    top = most.topk(min(MOST_BARS, len(most))).indices
    series = {"as it is": now[top].numpy()}
    if then is not None:
        series["changed"] = then[top].numpy()
    names = tuple(subject.name(i) for i in top.tolist())
    return Bars(names, series, ylabel="chance" if chances else "output")


def through_lens(
    subject: Subject, logits: torch.Tensor, points: Sequence[str], place: int
) -> Matrix:
    """What each layer would say: its best guess, and how sure it is."""
    chances = logits.softmax(-1)
    if chances.ndim == 2:  # one answer for all
        best = chances.max(-1)
        return Matrix(
            best.values[:, None].numpy(),
            tuple(points),
            ("answer",),
            words=tuple((subject.name(int(i)),) for i in best.indices),
            title="what the network would answer after each layer",
        )
    begin = max(0, min(place - MOST_COLUMNS // 2, chances.shape[1] - MOST_COLUMNS))
    part = chances[:, begin : begin + MOST_COLUMNS]
    best = part.max(-1)
    words = subject.streams[-1].words
    columns = tuple(
        words[i] if i < len(words) else str(i) for i in range(begin, begin + part.shape[1])
    )
    return Matrix(
        best.values.numpy(),
        tuple(points),
        columns,
        words=tuple(tuple(subject.name(i) for i in row) for row in best.indices.tolist()),
        xlabel="after this token",
        title="what would come next, if the network ended after each layer",
    )


def detected(subject: Subject, layers: Sequence[Seen], picked: int) -> Mapping[str, View]:
    """A table of layers and heads for every detector."""
    own = [(number, layer) for number, layer in enumerate(layers) if layer.kind != "cross"]
    across = max((layer.heads for layer in layers), default=1)
    tables: dict[str, Array] = {}
    for row, (_, layer) in enumerate(own):
        for name, found in scores(layer.weights[0].numpy(), tokens_of(subject, layer)).items():
            table = tables.setdefault(name, np.full((len(own), across), np.nan))
            table[row, : len(found)] = found
    marked = [row for row, (number, _) in enumerate(own) if number == picked // across]
    frame = tuple((row, picked % across) for row in marked)
    return {
        f"detector_{name.replace(' ', '_')}": Matrix(
            table,
            tuple(f"layer {number}" for number, _ in own),
            tuple(f"head {number}" for number in range(across)),
            numbers=True,
            highlight=frame,
            title=_titled(name, table),
        )
        for name, table in tables.items()
        if np.isfinite(table).any()
    }


def _titled(name: str, table: Array) -> str:
    row, column = np.unravel_index(int(np.nanargmax(table)), table.shape)
    return f"{name}: most in {row}.{column}, {100 * table[row, column]:.0f} %"
