"""Which units of a layer carry the answer, and which parts of the input work together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
import torch

from engine.explain import pictures
from engine.explain.desk import (
    Case,
    Desk,
    Drawn,
    Sample,
    Source,
    Steered,
    Target,
    Yours,
    refused,
    steered,
)  # fmt: skip
from engine.explain.inner import inner
from engine.explain.interactions import shapley_interactions
from engine.explain.parts import players
from engine.explain.study import Layer
from engine.explain.table import explainers
from engine.forms import Choice, Pick, Slider
from engine.views import Bars, Frame, Matrix, Note, View

MOST_UNITS = 24
PLACES = {
    "rows": {2: ("top", "bottom"), 3: ("top", "middle", "bottom")},
    "columns": {2: ("left", "right"), 3: ("left", "", "right")},
}


def units(
    model: str,
    *,
    source: Source = "test sample",
    sample: Sample = 0,
    drawing: Drawn = [],  # noqa: B006 - read only
    yours: Yours = "",
    target: Target = "predicted",
    layer: Layer = "",
    method: Annotated[
        str, Choice(tuple(inner.all()), help="What is measured of each unit", live=True)
    ] = "unit_conductance",
    unit: Annotated[int, Pick(MOST_UNITS, "units", help="The bar to look into")] = 0,
) -> Steered:
    """Rank the units of a layer; explain the one that is clicked; wait for a control.

    Args:
        model: The folder of a trained run.
        source: A sample of the validation set, the drawing, or what the visitor brought.
        sample: Its number.
        drawing: Grey levels in [0, 1], row by row.
        yours: What the visitor brought, see `engine.explain.own`.
        target: Name or number of the output to explain.
        layer: The layer; empty for the last convolution.
        method: Of the table of layer methods.
        unit: Which of the shown units, the strongest first.

    Yields:
        The units, then the maps of one; the last frame waits.
    """
    desk = Desk(model)
    controls = {
        "source": source, "sample": sample, "drawing": drawing, "yours": yours, "target": target,
        "layer": layer, "method": method, "unit": unit,
    }  # fmt: skip
    yield from steered(lambda now: _units(desk, now), controls)


def _units(desk: Desk, controls: Mapping[str, Any]) -> Iterator[Frame]:
    try:
        case = desk.case(controls)
        layer = {"layer": controls["layer"]}
        found = inner.find(controls["method"])(case.module, case.x, case.target, **layer)[0]
        each = found.flatten(1).sum(1) if found.ndim > 1 else found
        order = each.abs().argsort(descending=True)[:MOST_UNITS]
        chosen = int(order[min(int(controls["unit"]), len(order) - 1)])
        views: dict[str, View] = {
            "units": Bars(
                tuple(str(int(i)) for i in order),
                {str(controls["method"]): each[order].numpy()},
                xlabel="unit, the strongest first (click one)",
            ),
            "input": pictures.shown(desk, case),
        }
        facts = {"unit": float(chosen), "units": float(len(each)), "sum": float(each.sum())}
        yield Frame(0, 1, views, facts)
        maps = {}
        for name in ("neuron_integrated_gradients", "neuron_conductance", "neuron_gradient"):
            maps[name] = explainers.find(name)(
                case.module, case.x, case.target, unit=chosen, **layer
            )
        words = ("what made it rise", "its share of the answer", "what would make it rise")
        views["maps"] = pictures.maps(desk, case, maps, words)
        yield Frame(1, 1, views, facts, waits=True)
    except (ValueError, LookupError, RuntimeError) as error:
        yield refused(error)


def pairs(
    model: str,
    *,
    source: Source = "test sample",
    sample: Sample = 0,
    drawing: Drawn = [],  # noqa: B006 - read only
    yours: Yours = "",
    target: Target = "predicted",
    grid: Annotated[int, Slider(2, 3, live=True, help="Smaller parts, more of them")] = 3,
) -> Steered:
    """Show what pairs of parts give together beyond what each gives alone; wait for a control.

    Args:
        model: The folder of a trained run.
        source: A sample of the validation set, the drawing, or what the visitor brought.
        sample: Its number.
        drawing: Grey levels in [0, 1], row by row.
        yours: What the visitor brought, see `engine.explain.own`.
        target: Name or number of the output to explain.
        grid: Into how many parts a side of a picture is cut.

    Yields:
        One frame; it waits.
    """
    desk = Desk(model)
    controls = {
        "source": source, "sample": sample, "drawing": drawing, "yours": yours, "target": target,
        "grid": grid,
    }  # fmt: skip
    yield from steered(lambda now: _pairs(desk, now), controls)


def _pairs(desk: Desk, controls: Mapping[str, Any]) -> Iterator[Frame]:
    try:
        case = desk.case(controls)
        grid = int(controls["grid"])
        found = shapley_interactions(case.module, case.x, case.target, grid=grid)
    except (ValueError, LookupError, RuntimeError) as error:
        yield refused(error)
        return
    names = _parts(desk, case, grid, len(found))
    shares = torch.from_numpy(found.sum(1)).float()
    parts = players(case.x, grid)[0]
    size = torch.bincount(parts.flatten())
    spread = (shares / size)[parts][None]
    off = found - np.diag(np.diag(found))
    row, column = np.unravel_index(int(np.abs(off).argmax()), off.shape)
    together = "more" if off[row, column] > 0 else "less"
    views: dict[str, View] = {
        "pairs": Matrix(
            found, names, names, scale="signed", numbers=len(found) <= 9,
            title="together beyond alone; on the diagonal: alone",
        ),
        "maps": pictures.maps(desk, case, {"shapley": spread}, ("Shapley values: sums of rows",)),
        "input": pictures.shown(desk, case),
        "notes": Note(
            f"**{names[row]}** and **{names[column]}** say {together} for "
            f"{desk.name(case.target)} together than one by one. Every coalition was tried, so "
            f"this is exact."
        ),
    }  # fmt: skip
    facts = {"evaluations": float(2 ** len(found)), "sum": float(found.sum())}
    yield Frame(1, 1, views, facts, waits=True)


def _parts(desk: Desk, case: Case, grid: int, count: int) -> tuple[str, ...]:
    """What the parts are called: rows and columns of a picture, names of columns, tokens."""
    if case.kind == "image":
        rows, columns = (PLACES[kind][grid] for kind in ("rows", "columns"))
        return tuple(
            f"{row} {column}".strip().replace("middle middle", "middle").removeprefix("middle ")
            for row in rows
            for column in columns
        )
    names = pictures.places(desk, case)
    if len(names) == count:
        return names
    return tuple(f"stretch {i + 1}" for i in range(count))
