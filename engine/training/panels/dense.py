"""Answers that are more than a class or a number: pictures, masks, graphs, clouds and curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from engine.data.dataset import IGNORED
from engine.data.painted import in_colour, painted
from engine.data.spread import spread
from engine.training.panels import Memory, looking, panels
from engine.training.session import Session
from engine.views import Points, Tiles, View

SHOWN = 6  # validation samples
CLOUDS = 12
MOST_POINTS = 400
PLACES = 200  # of a curve

Floats = npt.NDArray[Any]


@panels.add("masks", place=1, shown=True, slow=True)
def masks(session: Session, memory: Memory) -> View | None:
    """Validation pictures, what stands at each pixel, and what the network says stands there."""
    del memory
    data = session.data
    if not data.per_pixel:
        return None
    x, y = data.valid_x[:SHOWN], data.valid_y[:SHOWN]
    with looking(session) as module:
        said = session.objective.said(module(*data.inputs(x)))
    rows = [in_colour(x), painted(y), painted(said)]
    right = (said == y).flatten(1).float().mean(1)
    captions = [*["picture"] * len(x), *["true"] * len(x)]
    captions += [f"{100 * float(part):.0f} % right" for part in right]
    named = ", ".join(data.classes)
    return Tiles(
        np.concatenate(rows),
        tuple(captions),
        across=len(x),
        title=f"a class for each pixel: {named}",
    )


@panels.add("copies", place=1, shown=True, slow=True)
def copies(session: Session, memory: Memory) -> View | None:
    """Validation pictures, and what the network gives back for them."""
    del memory
    data = session.data
    if not data.itself or data.kind != "image":
        return None
    x = data.valid_x[: 2 * SHOWN]
    with looking(session) as module:
        given = module(*data.inputs(x))
    error = (given - data.valid_y[: 2 * SHOWN]).square().flatten(1).mean(1)
    captions = [*["sample"] * len(x), *(f"off by {float(one) ** 0.5:.2f}" for one in error)]
    tiles = np.concatenate([in_colour(x), in_colour(given)])
    return Tiles(tiles, tuple(captions), across=len(x), title="above the sample, below its copy")


@panels.add("nodes", place=1, shown=True, slow=True)
def nodes(session: Session, memory: Memory) -> View | None:
    """The graph twice: with its true classes, and with those that the network says."""
    data = session.data
    if data.links is None:
        return None
    links = data.links.numpy().astype(np.float64)
    at: Floats = memory.setdefault("at", spread(links))
    known, asked = data.train_y[0], data.valid_y[0]
    with looking(session) as module:
        said = module(*data.inputs(data.valid_x))[0].argmax(-1)
    judged = asked != IGNORED
    right = int((said == asked)[judged].sum())
    ends = np.argwhere(np.triu(links))
    gap = np.full((len(ends), 1, 2), np.nan)
    both = (at, at + np.array([1.25, 0.0]))
    lines = np.concatenate(
        [np.concatenate([one[ends], gap], 1).reshape(-1, 2) for one in both]
    )  # each link, then a gap
    true = torch.where(judged, asked, known)
    return Points(
        np.concatenate(both),
        torch.cat([true, said]).numpy().astype(np.int32),
        names=data.classes,
        lines={"links": lines},
        behind=True,
        title=f"left true, right said: {right} of {int(judged.sum())} unknown nodes right "
        f"({int((~judged).sum())} were learnt from)",
    )


@panels.add("clouds", place=1, shown=True, slow=True)
def clouds(session: Session, memory: Memory) -> View | None:
    """Clouds of points seen from the front, in the colour of the class the network says."""
    del memory
    data = session.data
    if data.kind != "points" or not session.classifies:
        return None
    x, y = data.valid_x[:CLOUDS], data.valid_y[:CLOUDS]
    with looking(session) as module:
        said = module(x).argmax(1)
    across = 4
    spot = np.arange(len(x))
    corner = 2.6 * np.stack([spot % across, -(spot // across)], axis=1)
    seen = x[:, :MOST_POINTS, :2].numpy() + corner[:, None]  # (clouds, points, 2)
    labels = said[:, None].expand(-1, seen.shape[1]).flatten()
    wrong = [f"{n + 1}" for n in (said != y).nonzero()[:, 0].tolist()]
    told = f"wrong: number {', '.join(wrong)}" if wrong else "all right"
    return Points(
        seen.reshape(-1, 2),
        labels.numpy().astype(np.int32),
        names=data.classes,
        equal=True,
        title=f"validation clouds in the colour of what is said of them ({told})",
    )


@panels.add("fit", place=1, shown=True)
def fit(session: Session, memory: Memory) -> View | None:
    """One number from another: the samples, and the curve that the network draws through them."""
    del memory
    data = session.data
    if session.classifies or data.shape != (1,) or data.itself:
        return None
    x = data.train_x[:MOST_POINTS, 0]
    places = torch.linspace(float(x.min()), float(x.max()), PLACES)
    with looking(session) as module:
        curve = torch.stack([places, module(places[:, None])[:, 0]], dim=1)
    name = data.features[0] if data.features else "x"
    return Points(
        torch.stack([x, data.train_y[:MOST_POINTS, 0]], dim=1).numpy(),
        lines={"network": curve.numpy()},
        xlabel=name,
        ylabel="answer",
        title="training samples and the network's curve",
    )
