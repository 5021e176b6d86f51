"""Pictures as data: what a lab, an explainer or a training run shows.

A view holds numbers and words, never a figure, so one view can become a drawing in the
browser, a Plotly figure, a line in a terminal, or an assertion in a test. Arrays are NumPy
and real; a shape is written in the docstring next to the field it is of. Fields whose
metadata say `wire: byte` are pictures to look at: on their way to a browser they are
rounded to 256 levels between their own minimum and maximum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Extent = tuple[float, float, float, float]  # left, right, bottom, top, in the units of the axes
Scale = Literal["sequential", "signed", "classes", "grey"]
# sequential: 0 to large; signed: blue above zero, orange below, the same distance either way;
# classes: whole numbers, one colour each; grey: black to white

_BYTES = {"wire": "byte"}


def _names() -> dict[str, Array]:
    return {}


@dataclass(frozen=True, slots=True)
class Curve:
    """Lines over one horizontal axis.

    Attributes:
        x: Where on the axis, `(n,)`, rising.
        lines: Name of a line -> its values there, `(n,)`; NaN leaves a gap.
        xlabel: Words under the axis, the unit in brackets: `"time [s]"`.
        ylabel: Words beside the axis, likewise.
        log: Whether the vertical axis is logarithmic.
        logx: Whether the horizontal axis is.
        marks: Words -> where on the horizontal axis a thin line marks an event.
        dots: Whether the points themselves are drawn too.
        title: A caption of a few words.
    """

    x: Array
    lines: Mapping[str, Array]
    xlabel: str = "step"
    ylabel: str = ""
    log: bool = False
    logx: bool = False
    marks: Mapping[str, float] = field(default_factory=dict)
    dots: bool = False
    title: str = ""

    def __post_init__(self) -> None:
        for name, values in self.lines.items():
            if values.shape != self.x.shape or values.ndim != 1:
                raise ValueError(
                    f"Curve: line {name!r} must have the shape of x, {self.x.shape}; "
                    f"got {values.shape}"
                )


@dataclass(frozen=True, slots=True)
class Points:
    """Points of the plane, coloured by class, with lines drawn on top.

    Attributes:
        xy: `(n, 2)`.
        labels: Class of each point, `(n,)` whole numbers; empty for one colour.
        names: What the classes are called, by number.
        lines: Name -> a line's points, `(m, 2)`.
        extent: What part of the plane is shown; None fits everything.
        equal: Whether one unit is as long on both axes.
        behind: Whether the lines lie thin behind the points, as the links of a graph do.
    """

    xy: Array
    labels: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    names: tuple[str, ...] = ()
    lines: Mapping[str, Array] = field(default_factory=_names)
    extent: Extent | None = None
    xlabel: str = ""
    ylabel: str = ""
    equal: bool = False
    title: str = ""
    behind: bool = False

    def __post_init__(self) -> None:
        if self.xy.ndim != 2 or self.xy.shape[1] != 2:
            raise ValueError(f"Points.xy must be (n, 2); got {self.xy.shape}")
        if len(self.labels) not in (0, len(self.xy)):
            raise ValueError(f"Points: {len(self.xy)} points but {len(self.labels)} labels")


@dataclass(frozen=True, slots=True)
class Field:
    """A scalar over a rectangle of the plane, with paths and points drawn on top.

    Attributes:
        values: `(rows, columns)`, row 0 at the bottom of the picture.
        extent: The rectangle, `(left, right, bottom, top)`.
        paths: Name of a path -> its points, `(n, 2)` as (x, y).
        points: Points drawn over the field, for instance the training set.
        scale: How values become colours.
        contours: Whether lines of equal height are drawn.
    """

    values: Array = field(metadata=_BYTES)
    extent: Extent
    paths: Mapping[str, Array] = field(default_factory=_names)
    title: str = ""
    points: Points | None = None
    scale: Scale = "sequential"
    contours: bool = False
    xlabel: str = ""
    ylabel: str = ""

    def __post_init__(self) -> None:
        if self.values.ndim != 2:
            raise ValueError(f"Field.values must be (rows, columns); got {self.values.shape}")


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars side by side, one group a name.

    Attributes:
        names: What stands under each group, `n` of them.
        series: Name of a colour -> its heights, `(n,)`.
        log: Whether heights are on a logarithmic axis.
        level: Heights at which a dashed line is drawn, by name.
    """

    names: tuple[str, ...]
    series: Mapping[str, Array]
    xlabel: str = ""
    ylabel: str = ""
    log: bool = False
    level: Mapping[str, float] = field(default_factory=dict)
    title: str = ""

    def __post_init__(self) -> None:
        for name, heights in self.series.items():
            if heights.shape != (len(self.names),):
                raise ValueError(
                    f"Bars: series {name!r} must have shape ({len(self.names)},), one for each "
                    f"name; got {heights.shape}"
                )


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often values fall between edges.

    Attributes:
        edges: Rising, `(n + 1,)`.
        counts: Name -> how many (or which density), `(n,)`.
        curve: Name -> a smooth curve over the edges, `(n + 1,)`, for instance a density.
    """

    edges: Array
    counts: Mapping[str, Array]
    curve: Mapping[str, Array] = field(default_factory=_names)
    xlabel: str = ""
    ylabel: str = ""
    log: bool = False
    title: str = ""

    def __post_init__(self) -> None:
        for name, counts in self.counts.items():
            if counts.shape != (len(self.edges) - 1,):
                raise ValueError(
                    f"Histogram: {name!r} must have one count between each two of the "
                    f"{len(self.edges)} edges; got {counts.shape}"
                )


@dataclass(frozen=True, slots=True)
class Matrix:
    """A table of numbers as coloured cells.

    Attributes:
        values: `(rows, columns)`, row 0 at the top.
        rows: What the rows are called; empty for numbers.
        columns: Likewise.
        numbers: Whether each cell says its number.
        highlight: Cells to frame, as (row, column).
        words: What each cell says instead, row by row; empty for nothing.
    """

    values: Array
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    xlabel: str = ""
    ylabel: str = ""
    scale: Scale = "sequential"
    numbers: bool = False
    highlight: tuple[tuple[int, int], ...] = ()
    title: str = ""
    words: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        if self.values.ndim != 2:
            raise ValueError(f"Matrix.values must be (rows, columns); got {self.values.shape}")


@dataclass(frozen=True, slots=True)
class Tiles:
    """Small pictures in a grid.

    Attributes:
        images: `(n, rows, columns)`, or `(n, rows, columns, 3)` for colour in [0, 1].
        captions: Words under each, or none.
        scale: How numbers become colours; colour pictures ignore it.
        shared: Whether all tiles share one scale; otherwise each has its own.
        across: How many side by side; 0 leaves it to the page.
        marks: Index of a tile -> why it is framed.
    """

    images: Array = field(metadata=_BYTES)
    captions: tuple[str, ...] = ()
    scale: Scale = "grey"
    shared: bool = True
    across: int = 0
    marks: Mapping[int, str] = field(default_factory=dict)
    title: str = ""

    def __post_init__(self) -> None:
        if self.images.ndim not in (3, 4):
            raise ValueError(
                f"Tiles.images must be (n, rows, columns[, 3]); got {self.images.shape}"
            )


@dataclass(frozen=True, slots=True)
class Tokens:
    """Words in a row, each with a weight behind it and lines between them.

    Attributes:
        tokens: The words.
        weights: `(n,)`, or empty; signed, drawn as a background.
        links: From token (row) to token (column), `(n, n)` or `(0, 0)`; drawn as lines.
        row: Which row of tokens this is, where views point at each other; see `Attention.axes`.
    """

    tokens: tuple[str, ...]
    weights: Array = field(default_factory=lambda: np.zeros(0))
    links: Array = field(default_factory=lambda: np.zeros((0, 0)))
    title: str = ""
    row: str = ""


@dataclass(frozen=True, slots=True)
class Attention:
    """Who looks at whom: weights between two rows of tokens, as lines or as a matrix.

    A token under the pointer is marked in every view of a page that shows its row of tokens.

    Attributes:
        weights: `(n, m)`: row a place that looks, column one that is looked at.
        rows: What the places are called that look.
        columns: What those are called that are looked at.
        axes: Names of the two rows of tokens; the same name twice for self-attention.
        drawn: How.
        place: The row that is picked; -1 for none.
        scale: How weights become colours.
    """

    weights: Array = field(metadata=_BYTES)
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    axes: tuple[str, str] = ("tokens", "tokens")
    drawn: Literal["lines", "matrix"] = "matrix"
    place: int = -1
    scale: Scale = "sequential"
    title: str = ""

    def __post_init__(self) -> None:
        if self.weights.shape != (len(self.rows), len(self.columns)):
            raise ValueError(
                f"Attention.weights must be ({len(self.rows)}, {len(self.columns)}), as there are "
                f"names; got {self.weights.shape}"
            )


@dataclass(frozen=True, slots=True)
class Heads:
    """Every head of every layer as a small map: layers from top to bottom, heads side by side.

    Attributes:
        maps: `(layers * across, rows, columns)`, each in [0, 1]; NaN where there is no such head.
        layers: What the layers are called.
        across: How many heads stand side by side.
        picked: Number of the head that is chosen, layer by layer; -1 for none.
        places: How many places a full map has, as (rows, columns), for each layer.
        axes: The two rows of tokens of each layer; see `Attention`.
    """

    maps: Array = field(metadata=_BYTES)
    layers: tuple[str, ...]
    across: int
    picked: int = -1
    places: tuple[tuple[int, int], ...] = ()
    axes: tuple[tuple[str, str], ...] = ()
    title: str = ""

    def __post_init__(self) -> None:
        if self.maps.ndim != 3 or len(self.maps) != len(self.layers) * self.across:
            raise ValueError(
                f"Heads.maps must be ({len(self.layers)} * {self.across}, rows, columns); got "
                f"{self.maps.shape}"
            )


@dataclass(frozen=True, slots=True)
class Products:
    """How one place comes to its weights: its query, each key, their products, the softmax.

    Attributes:
        query: `(size,)`.
        keys: One a row, `(m, size)`.
        scores: q·k times the scale, `(m,)`.
        weights: Their softmax, `(m,)`; 0 where a mask forbids to look.
        names: What the places are called that are looked at.
        places: Their numbers; a long text shows only some of them.
        at: What the place is called that looks.
        scale: By what q·k is multiplied: 1 / √size.
        axes: See `Attention`.
        row: The number of the place that looks.
    """

    query: Array
    keys: Array = field(metadata=_BYTES)
    scores: Array
    weights: Array
    names: tuple[str, ...]
    places: tuple[int, ...]
    at: str = ""
    scale: float = 1.0
    axes: tuple[str, str] = ("tokens", "tokens")
    row: int = -1
    title: str = ""

    def __post_init__(self) -> None:
        if self.keys.shape != (len(self.names), len(self.query)):
            raise ValueError(
                f"Products.keys must be ({len(self.names)}, {len(self.query)}); got "
                f"{self.keys.shape}"
            )


@dataclass(frozen=True, slots=True)
class Patches:
    """What a part of a picture looks at, over the picture itself.

    Attributes:
        image: `(rows, columns)` or `(rows, columns, 3)` in [0, 1].
        weights: `(n, n)` over all tokens.
        grid: How many patches from top to bottom and from left to right.
        places: The token of each patch, row by row.
        extra: Name of a token that is no part of the picture -> its number.
        place: The token that is picked.
        row: See `Tokens.row`.
    """

    image: Array = field(metadata=_BYTES)
    weights: Array = field(metadata=_BYTES)
    grid: tuple[int, int]
    places: tuple[int, ...]
    extra: Mapping[str, int] = field(default_factory=dict)
    place: int = -1
    row: str = "tokens"
    title: str = ""

    def __post_init__(self) -> None:
        if len(self.places) != self.grid[0] * self.grid[1]:
            raise ValueError(
                f"Patches: a grid of {self.grid} needs {self.grid[0] * self.grid[1]} places; got "
                f"{len(self.places)}"
            )


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a `Graph`: where it stands in the unit square, and what it says."""

    id: str
    label: str
    x: float
    y: float
    value: float = float("nan")
    kind: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge of a `Graph`; a signed value sets colour and width, a label stands on it."""

    source: str
    target: str
    value: float = float("nan")
    label: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes and edges: a network, a computation, a tree. `layered` places them."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    title: str = ""

    def __post_init__(self) -> None:
        known = {node.id for node in self.nodes}
        for edge in self.edges:
            for end in (edge.source, edge.target):
                if end not in known:
                    raise ValueError(
                        f"Graph: edge {edge.source} -> {edge.target} needs node {end!r}"
                    )


@dataclass(frozen=True, slots=True)
class Neurons:
    """A small network with a picture in every unit, and its weights as lines between them.

    Attributes:
        maps: What each unit gives over the plane, layer by layer, `(units, rows, columns)`; each
            layer is scaled to [-1, 1] by its largest value.
        sizes: Units of each layer, the inputs first.
        weights: One for each layer after the inputs, `(units, units before)`.
        names: What the layers are called.
        inputs: What the inputs are called.
        outputs: What the last layer's units are called.
    """

    maps: Array = field(metadata=_BYTES)
    sizes: tuple[int, ...]
    weights: tuple[Array, ...]
    names: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    title: str = ""

    def __post_init__(self) -> None:
        if self.maps.ndim != 3 or len(self.maps) != sum(self.sizes):
            raise ValueError(
                f"Neurons.maps must be ({sum(self.sizes)}, rows, columns), one a unit; got "
                f"{self.maps.shape}"
            )
        pairs = tuple(zip(self.sizes[1:], self.sizes[:-1], strict=True))
        if tuple(one.shape for one in self.weights) != pairs:
            shapes = [one.shape for one in self.weights]
            raise ValueError(f"Neurons.weights must have shapes {pairs}; got {shapes}")


@dataclass(frozen=True, slots=True)
class Parallel:
    """Many settings at once: an upright axis for each, a line for each trial.

    Attributes:
        values: `(trials, axes)`; the last axis gives the colour, NaN there is a failed trial. On an
            axis of words a number is the word's place among them.
        names: What the axes are called.
        words: Axis -> its words.
        log: Axes with equal ratios.
    """

    values: Array
    names: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    log: tuple[str, ...] = ()
    title: str = ""

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise ValueError(
                f"Parallel.values must be (trials, {len(self.names)}); got {self.values.shape}"
            )


@dataclass(frozen=True, slots=True)
class Surface:
    """A landscape in three dimensions that can be turned, with paths on it.

    Attributes:
        values: Heights, `(rows, columns)`, row 0 at the front.
        extent: The rectangle under it.
        paths: Name -> points, `(n, 3)` as (x, y, height).
    """

    values: Array = field(metadata=_BYTES)
    extent: Extent
    paths: Mapping[str, Array] = field(default_factory=_names)
    xlabel: str = ""
    ylabel: str = ""
    zlabel: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Arrows:
    """Arrows in the plane: vectors, gradients, flows.

    Attributes:
        at: Where they start, `(n, 2)`.
        vectors: How far they go, `(n, 2)`, in the units of the axes.
        names: A name for each arrow, or none.
        lines: Name -> points of a line drawn with them, `(m, 2)`.
    """

    at: Array
    vectors: Array
    extent: Extent
    names: tuple[str, ...] = ()
    lines: Mapping[str, Array] = field(default_factory=_names)
    points: Points | None = None
    xlabel: str = ""
    ylabel: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of words and numbers under headings."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | bool, ...], ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """One bar of a `Timeline`: from `start` to `end` in a lane."""

    lane: str
    start: float
    end: float
    label: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Who did what when: lanes from top to bottom, time from left to right."""

    lanes: tuple[str, ...]
    spans: tuple[Span, ...]
    xlabel: str = "time [s]"
    title: str = ""


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound to be played.

    Attributes:
        samples: `(n,)`, in [-1, 1].
        rate: Samples a second [Hz].
    """

    samples: Array
    rate: int = 16_000
    title: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A few words of Markdown beside the pictures."""

    text: str
    title: str = ""
    tone: Literal["plain", "good", "warning", "bad"] = "plain"


View = (
    Curve
    | Points
    | Field
    | Bars
    | Histogram
    | Matrix
    | Tiles
    | Tokens
    | Attention
    | Heads
    | Products
    | Patches
    | Graph
    | Neurons
    | Parallel
    | Surface
    | Arrows
    | Table
    | Timeline
    | Sound
    | Note
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One complete picture at a moment of a run.

    A frame is a state, never a change: whoever shows the newest one shows all
    there is. Frames may therefore be skipped, and are never merged.

    Attributes:
        step: How far the run is, `0 <= step <= of`.
        of: How far it goes.
        views: Slot -> view; a slot keeps its place on the page from frame to frame.
        facts: Headline numbers, name with the unit in brackets -> value.
        waits: Whether the run has shown all there is and now waits for a live control.
        leap: How many steps make a larger one from here, such as the rest of an epoch; 0 if there
            is no such thing.
    """

    step: int
    of: int
    views: Mapping[str, View]
    facts: Mapping[str, float] = field(default_factory=dict)
    waits: bool = False
    leap: int = 0


Yielded = Frame | Callable[[], Frame]
"""What a run yields: a frame, or a function that makes it when somebody will look."""


def frame_of(made: Yielded) -> Frame:
    """The frame that was yielded, made now if it was a function."""
    return made() if callable(made) else made


def layered(layers: Sequence[Sequence[str]]) -> dict[str, tuple[float, float]]:
    """Positions in the unit square for nodes in columns from left to right.

    Args:
        layers: The ids of each column, from top to bottom.
    """
    across = max(1, len(layers) - 1)
    return {
        id: (column / across, 1 - (row + 1) / (len(ids) + 1))
        for column, ids in enumerate(layers)
        for row, id in enumerate(ids)
    }
