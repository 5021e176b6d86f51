"""Views to Plotly figures: for Gradio, notebooks and reports, where nothing moves."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine import palette
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

MARGIN = {"l": 8, "r": 8, "t": 36, "b": 8}


def figure(view: View) -> go.Figure:
    """The chart of a view, transparent so that it suits light and dark pages."""
    chart = _draw(view)
    return chart.update_layout(
        title={"text": view.title, "font": {"size": 14}},
        margin=MARGIN,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        colorway=list(palette.CLASSES),
    )


@functools.singledispatch
def _draw(view: View) -> go.Figure:
    raise TypeError(f"no figure for a view of type {type(view).__name__}")


@_draw.register
def _(view: Curve) -> go.Figure:
    chart = go.Figure()
    for name, y in view.lines.items():
        chart.add_scatter(x=view.x, y=y, name=name, mode="lines+markers" if view.dots else "lines")
    for words, where in view.marks.items():
        chart.add_vline(x=where, line_dash="dot")
        # Plotly takes a line's place in the data's units, but words' on a log axis as exponents
        at = math.log10(where) if view.logx else where
        chart.add_annotation(x=at, y=1, yref="paper", text=words, showarrow=False, xanchor="left")
    chart.update_xaxes(title=view.xlabel, type="log" if view.logx else "linear")
    chart.update_yaxes(title=view.ylabel, type="log" if view.log else "linear")
    return chart.update_layout(showlegend=len(view.lines) > 1)


@_draw.register
def _(view: Points) -> go.Figure:
    chart = go.Figure()
    _scatter(chart, view)
    if view.extent:
        chart.update_xaxes(range=view.extent[:2])
        chart.update_yaxes(range=view.extent[2:])
    chart.update_xaxes(title=view.xlabel)
    chart.update_yaxes(title=view.ylabel, scaleanchor="x" if view.equal else None)
    return chart


@_draw.register
def _(view: Field) -> go.Figure:
    left, right, bottom, top = view.extent
    rows, columns = view.values.shape
    chart = go.Figure(
        go.Heatmap(
            z=view.values,
            x=np.linspace(left, right, columns),
            y=np.linspace(bottom, top, rows),
            showscale=False,
            **_colours(view.values, view.scale),
        )
    )
    for name, points in view.paths.items():
        chart.add_scatter(
            x=points[:, 0], y=points[:, 1], name=name, mode="lines+markers", line_color="white"
        )
    if view.points is not None:
        _scatter(chart, view.points)
    chart.update_xaxes(title=view.xlabel)
    chart.update_yaxes(title=view.ylabel)
    return chart.update_layout(showlegend=False)


@_draw.register
def _(view: Bars) -> go.Figure:
    chart = go.Figure()
    for name, heights in view.series.items():
        chart.add_bar(x=list(view.names), y=heights, name=name)
    for words, height in view.level.items():
        chart.add_hline(y=height, line_dash="dash", annotation_text=words)
    chart.update_xaxes(title=view.xlabel, type="category")
    chart.update_yaxes(title=view.ylabel, type="log" if view.log else "linear")
    return chart.update_layout(showlegend=len(view.series) > 1)


@_draw.register
def _(view: Histogram) -> go.Figure:
    chart = go.Figure()
    middle, width = (view.edges[1:] + view.edges[:-1]) / 2, np.diff(view.edges)
    for name, counts in view.counts.items():
        chart.add_bar(x=middle, y=counts, width=width, name=name, opacity=0.7)
    for name, heights in view.curve.items():
        chart.add_scatter(x=view.edges, y=heights, name=name, mode="lines")
    chart.update_xaxes(title=view.xlabel)
    chart.update_yaxes(title=view.ylabel, type="log" if view.log else "linear")
    return chart.update_layout(barmode="overlay")


@_draw.register
def _(view: Matrix) -> go.Figure:
    chart = go.Figure(
        go.Heatmap(
            z=view.values,
            x=list(view.columns) or None,
            y=list(view.rows) or None,
            **_texts(view),
            showscale=False,
            **_colours(view.values, view.scale),
        )
    )
    chart.update_xaxes(title=view.xlabel)
    return chart.update_yaxes(title=view.ylabel, autorange="reversed")


@_draw.register
def _(view: Tiles) -> go.Figure:
    across = view.across or max(1, int(np.ceil(np.sqrt(len(view.images) * 1.6))))
    mosaic = _mosaic(view.images, across)
    if mosaic.ndim == 3:
        chart = go.Figure(go.Image(z=np.clip(mosaic * 255, 0, 255)))
    else:
        colours = _colours(mosaic, view.scale)
        chart = go.Figure(go.Heatmap(z=mosaic, showscale=False, **colours))
        chart.update_yaxes(autorange="reversed")
    step = np.array(view.images.shape[1:3]) + 1
    for number, words in enumerate(view.captions):
        row, column = divmod(number, across)
        at = {"x": column * step[1] + step[1] / 2, "y": row * step[0]}
        chart.add_annotation(text=words, showarrow=False, font={"size": 9}, **at)
    chart.update_xaxes(visible=False)
    return chart.update_yaxes(visible=False, scaleanchor="x")


@_draw.register
def _(view: Tokens) -> go.Figure:
    weights = view.weights if len(view.weights) else np.zeros(len(view.tokens))
    cells = Matrix(weights[None, :], columns=view.tokens, scale="signed")
    return _draw(cells)


@_draw.register
def _(view: Attention) -> go.Figure:
    cells = Matrix(view.weights, view.rows, view.columns, scale=view.scale)
    return _draw(cells)


@_draw.register
def _(view: Heads) -> go.Figure:
    return _draw(Tiles(view.maps, scale="sequential", across=view.across))


@_draw.register
def _(view: Products) -> go.Figure:
    products = view.keys * view.query
    columns = tuple(str(number) for number in range(len(view.query)))
    return _draw(Matrix(products, view.names, columns, scale="signed"))


@_draw.register
def _(view: Patches) -> go.Figure:
    rows, columns = view.grid
    row = view.weights[view.place] if 0 <= view.place < len(view.weights) else view.weights.mean(0)
    seen = row[list(view.places)].reshape(rows, columns)
    down, across = (
        max(1, round(size / parts))
        for size, parts in zip(view.image.shape, view.grid, strict=False)
    )
    large = np.kron(seen, np.ones((down, across)))
    return _draw(Matrix(large))


@_draw.register
def _(view: Graph) -> go.Figure:
    chart = go.Figure()
    at = {node.id: node for node in view.nodes}
    for edge in view.edges:
        start, end = at[edge.source], at[edge.target]
        known = np.isfinite(edge.value)
        colour = palette.POSITIVE if not known or edge.value >= 0 else palette.NEGATIVE
        width = min(6.0, 1 + abs(edge.value)) if known else 1.0
        chart.add_scatter(
            x=[start.x, end.x],
            y=[start.y, end.y],
            mode="lines",
            line={"color": colour, "width": width},
            hoverinfo="skip",
        )
    chart.add_scatter(
        x=[node.x for node in view.nodes],
        y=[node.y for node in view.nodes],
        text=[_node_text(node.label, node.value) for node in view.nodes],
        mode="markers+text",
        textposition="top center",
        marker={"size": 14, "color": palette.CLASSES[0]},
    )
    chart.update_xaxes(visible=False)
    return chart.update_yaxes(visible=False).update_layout(showlegend=False)


@_draw.register
def _(view: Parallel) -> go.Figure:
    axes = []
    for place, name in enumerate(view.names):
        column = view.values[:, place]
        log = name in view.log
        axis: dict[str, Any] = {"label": name, "values": np.log10(column) if log else column}
        if name in view.words:
            axis |= {
                "tickvals": list(range(len(view.words[name]))),
                "ticktext": view.words[name],
            }
        elif log and len(column):
            ticks = np.unique(np.round(np.log10(column)))
            axis |= {"tickvals": ticks, "ticktext": [f"{10**t:g}" for t in ticks]}
        axes.append(axis)
    line = {"color": view.values[:, -1], "colorscale": "Viridis"}
    return go.Figure(go.Parcoords(line=line, dimensions=axes))


@_draw.register
def _(view: Neurons) -> go.Figure:
    captions = tuple(
        f"{view.names[layer] if layer < len(view.names) else layer}.{unit + 1}"
        for layer, size in enumerate(view.sizes)
        for unit in range(size)
    )
    return _draw(Tiles(view.maps, captions, scale="signed"))


@_draw.register
def _(view: Surface) -> go.Figure:
    left, right, bottom, top = view.extent
    rows, columns = view.values.shape
    x, y = np.linspace(left, right, columns), np.linspace(bottom, top, rows)
    chart = go.Figure(go.Surface(z=view.values, x=x, y=y, showscale=False, colorscale="Viridis"))
    for name, path in view.paths.items():
        chart.add_scatter3d(x=path[:, 0], y=path[:, 1], z=path[:, 2], mode="lines", name=name)
    axes = {"xaxis_title": view.xlabel, "yaxis_title": view.ylabel, "zaxis_title": view.zlabel}
    return chart.update_layout(scene=axes)


@_draw.register
def _(view: Arrows) -> go.Figure:
    chart = go.Figure()
    for (x, y), (across, up) in zip(view.at, view.vectors, strict=True):
        chart.add_annotation(
            x=x + across, y=y + up, ax=x, ay=y, axref="x", ayref="y", xref="x", yref="y",
            showarrow=True, arrowhead=3, text="",
        )  # fmt: skip
    for name, line in view.lines.items():
        chart.add_scatter(x=line[:, 0], y=line[:, 1], mode="lines", name=name)
    if view.points is not None:
        _scatter(chart, view.points)
    chart.update_xaxes(title=view.xlabel, range=view.extent[:2])
    return chart.update_yaxes(title=view.ylabel, range=view.extent[2:])


@_draw.register
def _(view: Table) -> go.Figure:
    cells = [[_cell(row[n]) for row in view.rows] for n in range(len(view.columns))]
    return go.Figure(go.Table(header={"values": list(view.columns)}, cells={"values": cells}))


@_draw.register
def _(view: Timeline) -> go.Figure:
    chart = go.Figure()
    kinds = {kind: n for n, kind in enumerate(dict.fromkeys(span.kind for span in view.spans))}
    for span in view.spans:
        chart.add_bar(
            x=[span.end - span.start],
            y=[span.lane],
            base=[span.start],
            orientation="h",
            text=span.label,
            marker_color=palette.class_colour(kinds[span.kind]),
        )
    chart.update_xaxes(title=view.xlabel)
    chart.update_yaxes(categoryorder="array", categoryarray=list(reversed(view.lanes)))
    return chart.update_layout(showlegend=False, barmode="overlay")


@_draw.register
def _(view: Sound) -> go.Figure:
    time = np.arange(len(view.samples)) / view.rate
    return _draw(Curve(time, {"sound": view.samples}, xlabel="time [s]"))


@_draw.register
def _(view: Note) -> go.Figure:
    chart = go.Figure()
    chart.add_annotation(text=view.text.replace("\n", "<br>"), showarrow=False, align="left")
    chart.update_xaxes(visible=False)
    return chart.update_yaxes(visible=False)


def _scatter(chart: go.Figure, points: Points) -> None:
    labels = points.labels if len(points.labels) else np.zeros(len(points.xy), dtype=int)
    for number in np.unique(labels).tolist():
        mine = points.xy[labels == number]
        known = 0 <= number < len(points.names)
        chart.add_scatter(
            x=mine[:, 0],
            y=mine[:, 1],
            mode="markers",
            name=points.names[number] if known else str(number),
            marker={"color": palette.class_colour(number), "size": 6},
        )
    for name, line in points.lines.items():
        chart.add_scatter(x=line[:, 0], y=line[:, 1], mode="lines", name=name)


def _colours(values: Array, scale: str) -> dict[str, Any]:
    if scale == "signed":
        reach = float(np.nanmax(np.abs(values))) if values.size else 1.0
        return {"colorscale": palette.SIGNED, "zmin": -(reach or 1.0), "zmax": reach or 1.0}
    if scale == "classes":
        steps = len(palette.CLASSES) - 1
        stops = [[n / steps, colour] for n, colour in enumerate(palette.CLASSES)]
        return {"colorscale": stops, "zmin": 0, "zmax": steps}
    return {"colorscale": "gray" if scale == "grey" else palette.SEQUENTIAL}


def _texts(view: Matrix) -> dict[str, Any]:
    """What the cells say."""
    if view.words:
        return {"text": [list(row) for row in view.words], "texttemplate": "%{text}"}
    return {"texttemplate": "%{z:.3g}" if view.numbers else None}


def _mosaic(images: Array, across: int) -> Array:
    """Tiles set side by side with a gap of one pixel: `(n, r, c[, 3])` to one picture."""
    count, rows, columns = images.shape[:3]
    down = -(-count // across)
    shape = (down * (rows + 1), across * (columns + 1), *images.shape[3:])
    picture = np.full(shape, np.nan if images.ndim == 3 else 1.0)
    for number, image in enumerate(images):
        row, column = divmod(number, across)
        y, x = row * (rows + 1), column * (columns + 1)
        picture[y : y + rows, x : x + columns] = image
    return picture


def _node_text(label: str, value: float) -> str:
    return f"{label}<br>{value:.3g}" if np.isfinite(value) else label


def _cell(value: str | float | bool) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
