"""The network as a picture: boxes from top to bottom, with shapes and parameters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from engine.export.table import Wanted, export_format
from engine.network.describe import describe
from engine.network.graph import ordered
from engine.network.registry import find, layers
from engine.network.spec import NetworkSpec, Node

WIDTH, HEIGHT = 260, 46
ACROSS, DOWN = 30, 30  # between boxes
MARGIN = 24
LANE = 14  # between lines that run side by side
COLOURS = {  # the same as of the bars on every page
    "Convolution": "#0072b2",
    "Pooling": "#56b4e9",
    "Normalisation": "#cc79a7",
    "Activation": "#e69f00",
    "Basic": "#009e73",
    "Attention": "#d55e00",
    "Recurrence": "#8c6bb1",
}
OTHER = "#8a8f96"


@export_format("Picture (SVG)", "model.svg", "image/svg+xml", place=8)
def svg(wanted: Wanted) -> bytes:
    """A drawing of the graph for a paper or a slide, with every layer's output shape."""
    return draw(wanted.spec).encode()


@dataclass(frozen=True)
class _Box:
    node: Node
    x: float
    y: float


def draw(spec: NetworkSpec) -> str:
    """The picture's text."""
    told = describe(spec.to_json())
    boxes = _placed(spec)
    lanes = _lanes(spec, boxes)
    wide = max((box.x for box in boxes.values()), default=0) + WIDTH + MARGIN
    wide += LANE * max(lanes.values(), default=0)
    high = max((box.y for box in boxes.values()), default=0) + HEIGHT + MARGIN + 26
    title = spec.title or "A network"
    total = f"{told['totals']['parameters']:,} parameters"
    edges = [
        _edge(boxes[edge.node], boxes[edge.target], lanes.get(place, 0))
        for place, edge in enumerate(spec.edges)
        if edge.node in boxes and edge.target in boxes
    ]
    drawn = [_box(box, told["nodes"].get(box.node.id, {})) for box in boxes.values()]
    label = quoteattr(f"{title}, {total}: {', '.join(n.type for n in spec.nodes[:60])}")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high:.0f}" '
            f'width="{wide:.0f}" height="{high:.0f}" role="img" aria-label={label} '
            'font-family="system-ui, sans-serif">',
            f"<title>{escape(title)}</title>",
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            f'<text x="{MARGIN}" y="{MARGIN}" font-size="14" font-weight="600" fill="#1f2328">'
            f"{escape(title)}</text>",
            f'<text x="{MARGIN}" y="{MARGIN + 16}" font-size="11" fill="#57606a">{total}</text>',
            '<g fill="none" stroke="#8a8f96" stroke-width="1.3">',
            *edges,
            "</g>",
            *drawn,
            "</svg>\n",
        ]
    )


def _placed(spec: NetworkSpec) -> dict[str, _Box]:
    """Each node below all that lead to it, near the middle of those."""
    before: dict[str, list[str]] = defaultdict(list)
    for edge in spec.edges:
        before[edge.target].append(edge.node)
    rank: dict[str, int] = {}
    rows: dict[int, list[Node]] = defaultdict(list)
    for node in ordered(spec):
        rank[node.id] = 1 + max((rank[one] for one in before[node.id] if one in rank), default=-1)
        rows[rank[node.id]].append(node)
    widest = max((len(row) for row in rows.values()), default=1)
    middle = MARGIN + (widest * (WIDTH + ACROSS) - ACROSS) / 2
    boxes: dict[str, _Box] = {}
    for number in sorted(rows):

        def pull(node: Node) -> float:
            above = [boxes[one].x for one in before[node.id] if one in boxes]
            return sum(above) / len(above) if above else middle

        row = sorted(rows[number], key=pull)
        left = middle - (len(row) * (WIDTH + ACROSS) - ACROSS) / 2
        for place, node in enumerate(row):
            x, y = left + place * (WIDTH + ACROSS), MARGIN + 34 + number * (HEIGHT + DOWN)
            boxes[node.id] = _Box(node, x, y)
    return boxes


def _lanes(spec: NetworkSpec, boxes: Mapping[str, _Box]) -> dict[int, int]:
    """Edge's place -> the lane beside the boxes it runs in; no two share one side by side."""
    busy: list[list[tuple[float, float]]] = []
    found: dict[int, int] = {}
    for place, edge in enumerate(spec.edges):
        if edge.node not in boxes or edge.target not in boxes:
            continue
        source, target = boxes[edge.node], boxes[edge.target]
        if not _passes(source, target):
            continue
        top, bottom = source.y, target.y
        free = (n for n, taken in enumerate(busy) if all(b <= top or bottom <= a for a, b in taken))
        lane = next(free, len(busy))
        if lane == len(busy):
            busy.append([])
        busy[lane].append((top, bottom))
        found[place] = lane
    return found


def _passes(source: _Box, target: _Box) -> bool:
    """Whether boxes stand between the two."""
    return target.y - source.y > HEIGHT + DOWN + 1 and abs(target.x - source.x) < 1


def _edge(source: _Box, target: _Box, lane: int) -> str:
    """A line from the bottom of one box to the top of another; round what stands between."""
    x, y = source.x + WIDTH / 2, source.y + HEIGHT
    to_x, to_y = target.x + WIDTH / 2, target.y
    if _passes(source, target):
        side = x + WIDTH / 2 + ACROSS / 2 + lane * LANE
        path = f"M{x:.0f} {y:.0f} C{side:.0f} {y + DOWN:.0f} {side:.0f} {y + DOWN:.0f} "
        path += f"{side:.0f} {y + 1.6 * DOWN:.0f} L{side:.0f} {to_y - 1.6 * DOWN:.0f} "
        path += f"C{side:.0f} {to_y - DOWN:.0f} {side:.0f} {to_y - DOWN:.0f} {to_x:.0f} {to_y:.0f}"
    else:
        bend = (to_y - y) / 2
        path = f"M{x:.0f} {y:.0f} C{x:.0f} {y + bend:.0f} {to_x:.0f} {to_y - bend:.0f} "
        path += f"{to_x:.0f} {to_y:.0f}"
    return f'<path d="{path}"/>'


def _box(box: _Box, told: Mapping[str, Any]) -> str:
    node = box.node
    category = find(node.type).category if node.type in layers() else ""
    colour = COLOURS.get(category, OTHER)
    sizes = " × ".join(map(str, told.get("output") or [])) or "?"
    count = told.get("parameters", 0)
    below = f"{sizes} · {count:,} parameters" if count else sizes
    what = _words(node)
    return (
        f'<g transform="translate({box.x:.0f} {box.y:.0f})">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#ffffff" stroke="#d0d7de"/>'
        f'<rect width="5" height="{HEIGHT}" rx="2" fill="{colour}"/>'
        f'<text x="14" y="19" font-size="12" fill="#1f2328"><tspan font-weight="600">'
        f"{escape(_short(node.label or node.id, 15))}</tspan>"
        f'<tspan dx="6" fill="#57606a">{escape(what)}</tspan></text>'
        f'<text x="14" y="36" font-size="10.5" fill="#57606a">{escape(below)}</text></g>'
    )


def _words(node: Node) -> str:
    if node.type != "Block":
        return _short(node.type, 16)
    repeat = node.params.get("repeat")
    name = _short(str(node.params.get("block", "")), 12)
    return f"{name} × {repeat}" if repeat else name


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
