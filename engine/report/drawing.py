"""Views to drawings: HTML with SVG in it that needs no script and follows the page's colours.

What stands in a view, as text too, is escaped: a name is never markup. Kinds that only make
sense when they can be turned or pointed at are told in words.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from engine.report.axes import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    across,
    frame,
    number,
    text,
    upward,
)
from engine.report.pixels import coloured, png, tile
from engine.views import (
    Array,
    Bars,
    Curve,
    Field,
    Histogram,
    Matrix,
    Note,
    Points,
    Table,
    Tiles,
    Tokens,
    View,
)
from engine.words import describe

MOST_BARS = 40
MOST_CELLS = 64  # either way
NUMBERED = 20
ROWS = 12  # of the table behind a chart


def draw(view: View) -> str:
    """A figure with its caption, and its sentence for who cannot see it."""
    title = f"<figcaption>{escape(view.title)}</figcaption>" if view.title else ""
    return f"<figure>{title}{_draw(view)}</figure>"


@functools.singledispatch
def _draw(view: View) -> str:
    return f"<p>{escape(describe(view))}</p>"


@_draw.register
def _(view: Curve) -> str:
    usable = {name: y for name, y in view.lines.items() if _usable(y, view.log).any()}
    if not len(view.x) or not usable:
        return f"<p>{escape(describe(view))}</p>"
    values = np.concatenate([y[_usable(y, view.log)] for y in usable.values()])
    x = across(float(view.x[0]), float(view.x[-1]), view.logx)
    y = upward(float(values.min()), float(values.max()), view.log)
    lines = [
        f'<path class="line s{number_ % 10}" d="{_path(view.x, line, x, y)}"/>'
        for number_, line in enumerate(usable.values())
    ]
    marks = "".join(_mark(place, at, x) for place, at in enumerate(view.marks.values(), 1))
    body = frame(x, y, view.xlabel, view.ylabel) + marks + "".join(lines) + _legend(list(usable))
    return _svg(view, body) + _marks(view.marks) + _numbers(view)


@_draw.register
def _(view: Bars) -> str:
    names = view.names[:MOST_BARS]
    series = {name: heights[:MOST_BARS] for name, heights in view.series.items()}
    finite = [h[np.isfinite(h)] for h in series.values()]
    high = max((float(h.max()) for h in finite if h.size), default=0.0) or 1.0
    each, room = 14 * len(series) + 8, 110
    parts = []
    for row, name in enumerate(names):
        top = 30 + row * each
        parts.append(text(room - 8, top + each / 2, _short(name, 16), "end"))
        for place, heights in enumerate(series.values()):
            value = float(heights[row])
            wide = max(0.0, value / high) * (WIDTH - room - 70) if np.isfinite(value) else 0.0
            y = top + 14 * place
            parts.append(
                f'<rect class="fill s{place % 10}" x="{room}" y="{y}" width="{wide:.1f}" '
                'height="12"/>'
            )
            parts.append(text(room + wide + 5, y + 10, number(value)))
    more = len(view.names) - len(names)
    if more > 0:
        parts.append(text(room, 30 + len(names) * each + 10, f"and {more} more"))
    parts.append(_legend(list(series)) if len(series) > 1 else "")
    parts.append(text(WIDTH - RIGHT, 16, view.ylabel, "end", "label"))
    return _svg(view, "".join(parts), 30 + len(names) * each + (22 if more > 0 else 8))


@_draw.register
def _(view: Histogram) -> str:
    counts = [values for values in view.counts.values() if len(values)]
    if not counts:
        return f"<p>{escape(describe(view))}</p>"
    x = across(float(view.edges[0]), float(view.edges[-1]))
    y = upward(0.0, max(float(np.nanmax(one)) for one in counts))
    parts = [frame(x, y, view.xlabel, view.ylabel)]
    for place, values in enumerate(view.counts.values()):
        steps = [f"M{x.at(float(view.edges[0])):.1f} {y.at(0):.1f}"]
        for k, value in enumerate(values):
            steps.append(f"V{y.at(float(value)):.1f}H{x.at(float(view.edges[k + 1])):.1f}")
        parts.append(f'<path class="area s{place % 10}" d="{"".join(steps)}V{y.at(0):.1f}Z"/>')
    return _svg(view, "".join(parts) + _legend(list(view.counts)))


@_draw.register
def _(view: Matrix) -> str:
    values = view.values[:MOST_CELLS, :MOST_CELLS]
    if not values.size:
        return f"<p>{escape(describe(view))}</p>"
    rows, columns = values.shape
    turned = any(len(name) > 3 for name in view.columns)
    longest = max((len(name) for name in view.rows[:rows]), default=0)
    left, top = 34.0 + 6.5 * min(14, longest), 92 if turned else 44
    side = max(7.0, min(40.0, (WIDTH - left - RIGHT) / columns))
    most = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    numbers = view.numbers and max(rows, columns) <= NUMBERED
    parts = [
        _square(left + column * side, top + row * side, side, float(value), most, numbers)
        for (row, column), value in np.ndenumerate(values)
    ]
    for row, name in enumerate(view.rows[:rows]):
        parts.append(text(left - 6, top + (row + 0.5) * side + 4, _short(name, 14), "end"))
    for column, name in enumerate(view.columns[:columns]):
        x = left + (column + 0.5) * side
        more = f'transform="rotate(-45 {x:.1f} {top - 6})"' if turned else ""
        anchor = "start" if turned else "middle"
        parts.append(text(x, top - 6, _short(name, 12), anchor, "tick", more))
    parts.append(text(left, 14, f"{view.xlabel} →" if view.xlabel else "", "start", "label"))
    middle = top + rows * side / 2
    more = f'transform="rotate(-90 14 {middle:.0f})"'
    parts.append(text(14, middle, view.ylabel, "middle", "label", more))
    wide = left + columns * side + (60 if turned else RIGHT)
    return _svg(view, "".join(parts), top + rows * side + 8, min(WIDTH, wide))


def _square(x: float, y: float, side: float, value: float, most: float, numbered: bool) -> str:
    """A cell: the stronger its colour, the larger its number."""
    share = abs(value) / most if np.isfinite(value) else 0.0
    drawn = (
        f'<rect class="fill {"s1" if value < 0 else "s0"}" fill-opacity="{share:.2f}" '
        f'x="{x:.1f}" y="{y:.1f}" width="{side - 1:.1f}" height="{side - 1:.1f}"/>'
    )
    if not numbered:
        return drawn
    kind = "tick on" if share > 0.55 else "tick"
    return drawn + text(x + side / 2, y + side / 2 + 4, number(value), "middle", kind)


@_draw.register
def _(view: Points) -> str:
    x, y = _plane(view.extent or _extent(view.xy))
    return _svg(view, frame(x, y, view.xlabel, view.ylabel) + _dots(view, x, y))


@_draw.register
def _(view: Field) -> str:
    x, y = _plane(view.extent)
    picture = png(coloured(view.values[::-1], view.scale))
    body = (
        f'<image x="{LEFT}" y="{TOP}" width="{x.end - x.begin:.0f}" height="{y.begin - y.end:.0f}" '
        f'preserveAspectRatio="none" opacity="0.8" href="{picture}"/>'
    )
    body += frame(x, y, view.xlabel, view.ylabel)
    for path in view.paths.values():
        body += f'<path class="line s0" d="{_path(path[:, 0], path[:, 1], x, y)}"/>'
    body += _dots(view.points, x, y) if view.points is not None else ""
    return _svg(view, body)


@_draw.register
def _(view: Tiles) -> str:
    shown = []
    for place, image in enumerate(view.images[:MOST_BARS]):
        words = view.captions[place] if place < len(view.captions) else f"picture {place + 1}"
        told = escape(words, quote=True)
        shown.append(
            f'<li><img alt="{told}" src="{png(tile(image, view))}"><span>{told}</span></li>'
        )
    return f'<ul class="tiles">{"".join(shown)}</ul>'


@_draw.register
def _(view: Table) -> str:
    head = "".join(f"<th scope=col>{escape(str(one))}</th>" for one in view.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(_cell(one))}</td>" for one in row) + "</tr>"
        for row in view.rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="wide">{table}</div>'


@_draw.register
def _(view: Tokens) -> str:
    weights = view.weights if len(view.weights) else np.zeros(len(view.tokens))
    most = float(np.abs(weights).max(initial=0.0)) or 1.0
    words = "".join(
        f'<span class="token {"s1" if weight < 0 else "s0"}" style="--w:{abs(weight) / most:.2f}">'
        f"{escape(word)}</span>"
        for word, weight in zip(view.tokens, weights, strict=False)
    )
    return f'<p class="tokens">{words}</p><p class="soft">{escape(describe(view))}</p>'


@_draw.register
def _(view: Note) -> str:
    parts = (" ".join(part.replace("*", "").split()) for part in view.text.split("\n\n"))
    return "".join(f"<p>{escape(part)}</p>" for part in parts)


def _svg(view: View, body: str, height: float = HEIGHT, width: float = WIDTH) -> str:
    words = escape(describe(view), quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'style="max-width:{width:.0f}px" role="img" aria-label="{words}">{body}</svg>'
    )


def _usable(values: Array, log: bool) -> Array:
    """Which values can be drawn."""
    return np.isfinite(values) & ((values > 0) | (not log))


def _path(xs: Array, ys: Array, x: Axis, y: Axis) -> str:
    """A line through the points; a gap where there is no number."""
    parts, pen = [], "M"
    for at, value in zip(xs.tolist(), ys.tolist(), strict=True):
        if not np.isfinite(value) or (y.log and value <= 0):
            pen = "M"
            continue
        parts.append(f"{pen}{x.at(at):.1f} {y.at(value):.1f}")
        pen = "L"
    return "".join(parts)


def _mark(place: int, at: float, x: Axis) -> str:
    if not x.low <= at <= x.high:
        return ""
    here = x.at(at)
    line = f'<path class="mark" d="M{here:.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
    return line + text(here + 3, TOP + 10, str(place), "start", "label")


def _marks(marks: Mapping[str, float]) -> str:
    if not marks:
        return ""
    told = "".join(f"<li>{escape(words)}</li>" for words in marks)
    return f'<p class="soft">Turned while it ran:</p><ol class="marks">{told}</ol>'


def _legend(names: Sequence[str]) -> str:
    """Names with their colours in a row above the plot."""
    parts, at = [], float(LEFT)
    for place, name in enumerate(names):
        words = _short(name, 24)
        parts.append(f'<path class="line s{place % 10}" d="M{at:.0f} 14h18"/>')
        parts.append(text(at + 23, 18, words, "start", "label"))
        at += 40 + 6.4 * len(words)
    return "".join(parts)


def _numbers(view: Curve) -> str:
    """Some of a chart's numbers as a table, from the first to the last."""
    places = np.unique(np.linspace(0, len(view.x) - 1, min(ROWS, len(view.x))).astype(int))
    rows = tuple(
        (number(float(view.x[k])), *(number(float(line[k])) for line in view.lines.values()))
        for k in places
    )
    inside = _draw(Table((view.xlabel, *view.lines), rows))
    return f"<details><summary>Its numbers</summary>{inside}</details>"


def _plane(extent: tuple[float, float, float, float]) -> tuple[Axis, Axis]:
    left, right, bottom, top = extent
    x = across(left, right)
    side = HEIGHT - TOP - BOTTOM
    wide = min(WIDTH - LEFT - RIGHT, side * max(0.4, min(2.4, (right - left) / (top - bottom))))
    return Axis(x.low, x.high, LEFT, LEFT + wide), upward(bottom, top)


def _extent(xy: Array) -> tuple[float, float, float, float]:
    if not len(xy):
        return (0.0, 1.0, 0.0, 1.0)
    (left, bottom), (right, top) = xy.min(0).tolist(), xy.max(0).tolist()
    return (left, right if right > left else left + 1, bottom, top if top > bottom else bottom + 1)


def _dots(view: Points, x: Axis, y: Axis) -> str:
    labels = view.labels if len(view.labels) else np.zeros(len(view.xy), dtype=int)
    dots = "".join(
        f'<circle class="dot s{int(label) % 10}" cx="{x.at(a):.1f}" cy="{y.at(b):.1f}" r="2.6"/>'
        for (a, b), label in zip(view.xy.tolist(), labels.tolist(), strict=True)
    )
    present = sorted(set(labels.tolist()))
    names = [view.names[k] for k in present if k < len(view.names)]
    legend = "".join(
        f'<circle class="dot s{k % 10}" cx="{x.end + 24:.0f}" cy="{TOP + 12 + 18 * row}" r="4"/>'
        + text(x.end + 34, TOP + 16 + 18 * row, _short(name, 20), "start", "label")
        for row, (k, name) in enumerate(zip(present[:12], names[:12], strict=False))
    )
    return dots + (legend if x.end < WIDTH - 100 else "")


def _cell(value: str | float | bool) -> str:
    return number(value) if isinstance(value, float) else str(value)


def _short(words: str, longest: int) -> str:
    return words if len(words) <= longest else f"{words[: longest - 1]}…"
