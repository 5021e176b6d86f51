"""A data set to look at before anything is trained on it: samples, balance, split."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import torch

from engine.data.dataset import IGNORED, DataSet, Kind, load
from engine.data.painted import in_colour, painted
from engine.data.spread import spread
from engine.data.tokens import decode, shown
from engine.forms import Choice, Slider, Value
from engine.training.augmentations import augmentations
from engine.views import Bars, Curve, Frame, Histogram, Note, Points, Sound, Table, Tiles, View

TILES = 24
ROWS = 12
COLUMNS = 8
CURVES = 6
CLOUDS = 8
MOST_POINTS = 2_000
BINS = 24

Floats = npt.NDArray[Any]
Controls = Mapping[str, Value]


def look(
    data: str,
    *,
    first: Annotated[int, Slider(0, 500, live=True, help="Look at later samples")] = 0,
    augmentation: Annotated[
        str,
        Choice(("none", *augmentations.all()), live=True, help="How training would change samples"),
    ] = "none",
    strength: Annotated[float, Slider(0.0, 1.0, live=True, help="They are changed more")] = 0.5,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Samples of a data set with their answers, how often each answer comes, and the split.

    Args:
        data: Name of the data set, perhaps with settings.
        first: Number of the first training sample that is shown.
        augmentation: What is done to the samples shown.
        strength: How much.

    Yields:
        A frame that waits for another wish.

    Raises:
        LookupError: There is no such data set, or its files cannot be had.
        ValueError: A setting or a file is no good.
    """
    found = load(data)
    wishes: dict[str, Value] = {
        "first": first,
        "augmentation": augmentation,
        "strength": strength,
    }
    while True:
        wishes.update((yield _frame(found, wishes)) or {})


def _frame(data: DataSet, wishes: Controls) -> Frame:
    views: dict[str, View] = {}
    x, complaint = _augmented(data, wishes)
    if complaint:
        views["notice"] = Note(complaint, "not shown", "warning")
    begin = min(int(float(str(wishes["first"]))), len(data.train_x) - 1)
    chosen = slice(begin, begin + MOST_POINTS)
    if (samples := _SAMPLES[data.kind](data, x[chosen], data.train_y[chosen])) is not None:
        views["samples"] = samples
    if (sound := _sound(data, begin)) is not None:
        views["sound"] = sound
    views["balance"] = _balance(data)
    views["origin"] = Note(data.note, "Where they are from, and what was done to them")
    facts = {"to learn from": float(len(data.train_x)), "validation": float(len(data.valid_x))}
    if len(data.test_x):
        facts["test"] = float(len(data.test_x))
    if data.links is not None:
        facts = {
            "nodes to learn from": float((data.train_y != IGNORED).sum()),
            "nodes that judge": float((data.valid_y != IGNORED).sum()),
        }
    return Frame(0, 1, views, facts, waits=True)


def _augmented(data: DataSet, wishes: Controls) -> tuple[torch.Tensor, str]:
    """The training samples as the augmentation leaves them, and why it does not, if so."""
    name = str(wishes["augmentation"])
    if name == "none":
        return data.train_x, ""
    entry = augmentations.find(name)
    if data.kind not in entry.facts["kinds"]:
        return data.train_x, f"{name} is no change for data of this kind ({data.kind})."
    begin = int(float(str(wishes["first"])))
    few = data.train_x.clone()
    some = slice(begin, begin + TILES) if data.kind == "image" else slice(0, MOST_POINTS)
    random = torch.Generator().manual_seed(0)
    few[some] = entry.function(few[some], float(str(wishes["strength"])), random)
    return few, ""


def _names(data: DataSet, y: torch.Tensor) -> tuple[str, ...]:
    """What each answer is called."""
    if data.classes:
        return tuple(data.classes[int(one)] for one in y)
    return tuple(f"{float(one):.3g}" for one in y[:, 0]) if y.ndim == 2 else ()


def _images(data: DataSet, x: torch.Tensor, y: torch.Tensor) -> View:
    if data.per_pixel:
        half = TILES // 3
        pairs = np.concatenate([in_colour(x[:half]), painted(y[:half])])
        words = (*["picture"] * len(x[:half]), *["classes"] * len(y[:half]))
        return Tiles(pairs, words, across=half, title="pictures, and the class of each pixel")
    names = _names(data, y[:TILES]) if y.ndim < 3 else ()
    return Tiles(in_colour(x[:TILES]), names, title="training samples")


def _plane(data: DataSet, x: torch.Tensor, y: torch.Tensor) -> View:
    labels = y if data.classes and y.ndim == 1 else torch.zeros(0)
    return Points(
        x.numpy(),
        labels.numpy().astype(np.int32),
        names=data.classes,
        extent=data.extent,
        equal=True,
        title="training samples",
    )


def _table(data: DataSet, x: torch.Tensor, y: torch.Tensor) -> View:
    if data.shape == (1,) and not data.classes:
        both = torch.cat([x, y[:, :1]], dim=1)
        return Points(both.numpy(), xlabel="x", ylabel="answer", title="training samples")
    if data.shape == (3,) and data.classes and y.ndim == 1:  # as if seen from above
        return Points(
            x[:, [0, 2]].numpy(),
            y.numpy().astype(np.int32),
            names=data.classes,
            xlabel=data.features[0],
            ylabel=data.features[2],
            title="training samples, two of three columns",
        )
    names = data.features or tuple(f"x{k + 1}" for k in range(x.shape[1]))
    told = _names(data, y[:ROWS]) or ("itself",) * ROWS
    rows: list[tuple[str | float | bool, ...]] = [
        (word, *(round(float(value), 3) for value in row[:COLUMNS]))
        for word, row in zip(told, x[:ROWS], strict=False)
    ]
    more = f", {COLUMNS} of {len(names)} columns" if len(names) > COLUMNS else ""
    title = f"training samples as the network gets them{more}"
    return Table(("answer", *names[:COLUMNS]), tuple(rows), title=title)


def _text(data: DataSet, x: torch.Tensor, y: torch.Tensor) -> View:
    rows: list[tuple[str | float | bool, ...]] = []
    for sample, answer in zip(x[:ROWS], y[:ROWS], strict=True):
        parts = [decode(part[0].tolist(), data.vocabulary) for part in data.inputs(sample[None])]
        told = "the next token at each place" if data.per_place else data.classes[int(answer)]
        rows.append((told, " → ".join("".join(map(shown, part)) for part in parts)))
    return Table(("answer", "text"), tuple(rows), title="training samples")


def _series(data: DataSet, x: torch.Tensor, y: torch.Tensor) -> View:
    names = _names(data, y[:CURVES])
    lines = {
        f"{number + 1}: {name}": x[number, :, 0].numpy().astype(np.float64)
        for number, name in enumerate(names)
    }
    return Curve(
        np.arange(data.shape[0], dtype=np.float64), lines, xlabel="place", title="training samples"
    )


def _points(data: DataSet, x: torch.Tensor, y: torch.Tensor) -> View:
    few = x[:CLOUDS]
    place = np.arange(len(few))
    corner = 2.6 * np.stack([place % 4, -(place // 4)], axis=1)
    seen = few[:, :, :2].numpy() + corner[:, None]
    labels = y[: len(few), None].expand(-1, few.shape[1]) if y.ndim == 1 else torch.zeros(0)
    return Points(
        seen.reshape(-1, 2),
        labels.flatten().numpy().astype(np.int32),
        names=data.classes,
        equal=True,
        title="clouds of points, seen from the front",
    )


def _graph(data: DataSet, x: torch.Tensor, y: torch.Tensor) -> View:
    del x
    links = np.zeros((0, 0)) if data.links is None else data.links.numpy().astype(np.float64)
    at = spread(links)
    ends = np.argwhere(np.triu(links))
    gaps = np.full((len(ends), 1, 2), np.nan)
    lines = np.concatenate([at[ends], gaps], axis=1).reshape(-1, 2)
    true = torch.where(y[0] != IGNORED, y[0], data.valid_y[0])
    return Points(
        at,
        true.numpy().astype(np.int32),
        names=data.classes,
        lines={"links": lines},
        behind=True,
        title="the graph with its true classes",
    )


_SAMPLES: Mapping[Kind, Callable[[DataSet, torch.Tensor, torch.Tensor], View | None]] = {
    "image": _images,
    "plane": _plane,
    "table": _table,
    "text": _text,
    "series": _series,
    "points": _points,
    "graph": _graph,
}


def _sound(data: DataSet, begin: int) -> View | None:
    """The first sample to be heard, where samples are sounds."""
    if not data.rate or data.kind != "series":
        return None
    wave = data.train_x[begin, :, 0].numpy().astype(np.float64)
    name = _names(data, data.train_y[begin : begin + 1])[0]
    return Sound(wave / max(1e-9, float(abs(wave).max())), data.rate, f"the first: {name}")


def _balance(data: DataSet) -> View:
    """How often each class comes, or how the answers are spread."""
    parts = {"to learn from": data.train_y, "validation": data.valid_y}
    if len(data.test_x):
        parts["test"] = data.test_y
    if data.classes:
        shares = {
            name: y[y != IGNORED].flatten().bincount(minlength=len(data.classes)).double()
            for name, y in parts.items()
        }
        what = "pixels" if data.per_pixel else "nodes" if data.links is not None else "samples"
        what = "places" if data.vocabulary and data.per_place else what
        return Bars(
            data.classes,
            {name: count.numpy() for name, count in shares.items()},
            ylabel=what,
            log=data.per_pixel,
            title="how often each class comes",
        )
    every = torch.cat([y.flatten() for y in parts.values()]).numpy()
    edges = np.histogram_bin_edges(every[:100_000], BINS).astype(np.float64)
    counts = {
        name: np.histogram(y.flatten().numpy(), edges)[0].astype(np.float64)
        for name, y in parts.items()
    }
    return Histogram(edges, counts, xlabel="answer", ylabel="how many", title="the answers")
