"""Views to sentences: what a picture shows, for screen readers, terminals and tests."""

from __future__ import annotations

import functools

import numpy as np

from engine.views import (
    Array,
    Arrows,
    Attention,
    Bars,
    Curve,
    Field,
    Graph,
    Heads,
    Histogram,
    Matrix,
    Neurons,
    Note,
    Parallel,
    Patches,
    Points,
    Products,
    Sound,
    Surface,
    Table,
    Tiles,
    Timeline,
    Tokens,
    View,
)


@functools.singledispatch
def describe(view: View) -> str:
    """One sentence, with the numbers that matter, that says what the view shows."""
    raise TypeError(f"no words for a view of type {type(view).__name__}")


def _span(values: Array) -> str:
    finite = values[np.isfinite(values)] if values.size else values
    if not finite.size:
        return "no finite values"
    return f"{finite.min():.3g} to {finite.max():.3g}"


def _title(view: View, otherwise: str) -> str:
    return view.title or otherwise


@describe.register
def _(view: Curve) -> str:
    over = f"{_title(view, view.ylabel or 'Curves')} over {view.xlabel}"
    if not len(view.x):
        return f"{over}: nothing yet."
    ends = ", ".join(f"{name} ends at {values[-1]:.3g}" for name, values in view.lines.items())
    return f"{over}: {ends}."


@describe.register
def _(view: Points) -> str:
    classes = len(set(view.labels.tolist()))
    kinds = f" of {classes} classes" if classes > 1 else ""
    return f"{_title(view, 'Points')}: {len(view.xy)} points{kinds}."


@describe.register
def _(view: Field) -> str:
    ends = "".join(
        f"; {name} ends at ({path[-1][0]:.2f}, {path[-1][1]:.2f})"
        for name, path in view.paths.items()
        if len(path)
    )
    return f"{_title(view, 'A field')} from {_span(view.values)}{ends}."


@describe.register
def _(view: Bars) -> str:
    parts = []
    for name, heights in view.series.items():
        if len(heights) and np.isfinite(heights).any():
            top = int(np.nanargmax(heights))
            parts.append(f"{name} is largest at {view.names[top]} with {heights[top]:.3g}")
    return f"{_title(view, view.ylabel or 'Bars')}: {', '.join(parts) or 'nothing yet'}."


@describe.register
def _(view: Histogram) -> str:
    peaks = ", ".join(
        f"{name} is most frequent near {view.edges[int(np.argmax(counts))]:.3g}"
        for name, counts in view.counts.items()
        if len(counts)
    )
    return f"{_title(view, view.xlabel or 'Histogram')}: {peaks or 'nothing yet'}."


@describe.register
def _(view: Matrix) -> str:
    rows, columns = view.values.shape
    size = f"{rows} rows and {columns} columns"
    return f"{_title(view, 'A table')} of {size}, {_span(view.values)}."


@describe.register
def _(view: Neurons) -> str:
    layers = " – ".join(map(str, view.sizes))
    strongest = max((float(np.abs(one).max()) for one in view.weights if one.size), default=0.0)
    return f"{_title(view, 'A network')}: {layers} units; the strongest weight is {strongest:.3g}."


@describe.register
def _(view: Parallel) -> str:
    scores = view.values[:, -1]
    if not np.isfinite(scores).any():
        return f"{_title(view, 'Trials')}: none has a {view.names[-1]} yet."
    best = int(np.nanargmax(scores))
    told = ", ".join(
        f"{name} {view.words[name][int(v)] if name in view.words else format(v, '.3g')}"
        for name, v in zip(view.names[:-1], view.values[best], strict=False)
    )
    return (
        f"{_title(view, 'Trials')}: {len(scores)} trials; the best, {scores[best]:.3g}, has {told}."
    )


@describe.register
def _(view: Tiles) -> str:
    rows, columns = view.images.shape[1:3]
    words = f": {', '.join(view.captions[:10])}" if view.captions else ""
    title = _title(view, "Pictures")
    return f"{title}, {len(view.images)} of {rows} × {columns} pixels{words}."


@describe.register
def _(view: Tokens) -> str:
    heaviest = ""
    if len(view.weights):
        top = int(np.nanargmax(np.abs(view.weights)))
        heaviest = f"; the heaviest is “{view.tokens[top]}” with {view.weights[top]:.3g}"
    return f"{_title(view, 'Words')}: {' '.join(view.tokens[:30])}{heaviest}."


@describe.register
def _(view: Attention) -> str:
    title = _title(view, "Attention")
    if not view.weights.size:
        return f"{title}: nothing yet."
    row, column = divmod(int(np.nanargmax(np.abs(view.weights))), len(view.columns))
    most = f"{view.rows[row]} looks most at {view.columns[column]}"
    size = f"{len(view.rows)} by {len(view.columns)} places"
    return f"{title}, {size}: {most}, {view.weights[row, column]:.3g}."


@describe.register
def _(view: Heads) -> str:
    picked = ""
    if view.picked >= 0:
        layer, head = divmod(view.picked, view.across)
        picked = f"; head {head} of {view.layers[layer]} is picked"
    heads = f"{len(view.layers)} layers of up to {view.across} heads"
    return f"{_title(view, 'Attention')} of {heads}{picked}."


@describe.register
def _(view: Products) -> str:
    title = _title(view, "Queries and keys")
    if not len(view.weights):
        return f"{title}: nothing yet."
    top = int(np.argmax(view.weights))
    score = f"q·k × {view.scale:.3g} = {view.scores[top]:.3g}"
    return (
        f"{title}: {view.at} looks most at {view.names[top]}, {view.weights[top]:.3g}, as {score}."
    )


@describe.register
def _(view: Patches) -> str:
    rows, columns = view.grid
    return f"{_title(view, 'Attention')} over a picture of {rows} × {columns} patches."


@describe.register
def _(view: Graph) -> str:
    names = ", ".join(node.label for node in view.nodes[:8])
    more = ", ..." if len(view.nodes) > 8 else ""
    counts = f"{len(view.nodes)} nodes and {len(view.edges)} edges"
    return f"{_title(view, 'A graph')} of {counts}: {names}{more}."


@describe.register
def _(view: Surface) -> str:
    return f"{_title(view, 'A surface')} with heights from {_span(view.values)}."


@describe.register
def _(view: Arrows) -> str:
    longest = np.linalg.norm(view.vectors, axis=1).max() if len(view.vectors) else 0.0
    return f"{_title(view, 'Arrows')}: {len(view.at)} arrows, the longest {longest:.3g}."


@describe.register
def _(view: Table) -> str:
    rows = f"{len(view.rows)} rows under {', '.join(view.columns)}"
    return f"{_title(view, 'A table')}: {rows}."


@describe.register
def _(view: Timeline) -> str:
    end = max((span.end for span in view.spans), default=0.0)
    return f"{_title(view, 'A time line')}: {len(view.lanes)} lanes until {end:.3g} {view.xlabel}."


@describe.register
def _(view: Sound) -> str:
    return f"{_title(view, 'A sound')} of {len(view.samples) / view.rate:.2g} s."


@describe.register
def _(view: Note) -> str:
    return " ".join(view.text.replace("*", "").split())
