"""A diffusion model on its way, as pictures: what is shown at one moment of a walk."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from engine.generate.diffusion.exact import Mixture
from engine.generate.diffusion.model import Diffusion
from engine.generate.diffusion.path import Level
from engine.generate.panels.diffusion import ACROSS, arrows
from engine.generate.panels.samples import plane, tiles
from engine.generate.samplers import Moment
from engine.tables import Entry
from engine.views import Arrows, Curve, Extent, Field, Note, Points, Tiles, View

TRACKS = 24  # particles whose way is drawn
STRIP = 10  # moments of a film strip
FINE = 60  # cells along an axis of a density
WIDEST = 3.3  # deviations of the noise that are shown


def wide(level: Level) -> float:
    """By what a noisy sample is divided on a picture, so that it stays as wide as the data."""
    return math.hypot(level.alpha, level.sigma)


def extent(model: Diffusion) -> Extent:
    """The part of the plane that holds the data and the noise."""
    left, right, bottom, top = model.outline.extent
    x, y = model.centre.tolist()
    far = WIDEST * float(model.scale)
    return min(left, x - far), max(right, x + far), min(bottom, y - far), max(top, y + far)


def shown(model: Diffusion, x: torch.Tensor, level: Level) -> torch.Tensor:
    """Noisy samples, as wide as the data are, in their units; codes are decoded."""
    return model.outside(x / wide(level))


# --- the plane --------------------------------------------------------------------------------


def cloud(
    model: Diffusion, walk: Sequence[Moment], at: int, names: tuple[str, ...], labels: torch.Tensor
) -> Points:
    """The samples at a moment, and the way that some of them came."""
    moment = walk[at]
    way = torch.stack([shown(model, one.x[:TRACKS], one.level) for one in walk[: at + 1]])
    lines = {f"way {n + 1}": way[:, n].numpy() for n in range(way.shape[1])} if at else {}
    return Points(
        shown(model, moment.x, moment.level).numpy(),
        labels.int().numpy() if names else np.zeros(0, dtype=np.int32),
        names,
        lines=lines,
        extent=extent(model),
        equal=True,
        behind=True,
        title=f"samples after {moment.number} steps" if moment.number else "pure noise",
    )


def expected(
    model: Diffusion, moment: Moment, names: tuple[str, ...], labels: torch.Tensor
) -> Points:
    """What the network expects to come out: at first, the middle of everything."""
    return Points(
        model.outside(moment.clean).numpy(),
        labels.int().numpy() if names else np.zeros(0, dtype=np.int32),
        names,
        extent=extent(model),
        equal=True,
        title="x̂₀: where the network expects them to end",
    )


def score_field(model: Diffusion, moment: Moment, label: int | None, weight: float) -> Arrows:
    """The score that the model has at the moment's level."""
    place, level = extent(model), moment.level
    if level.sigma == 0:
        level = model.plan.path.level(model.plan.path.first())
    at = plane(place, ACROSS)
    x = model.inside(at) * wide(level)
    labels = None if label is None else torch.full((len(x),), label)
    found = model.denoise(labels, weight)(x, level)
    slope = (level.alpha * found - x) / level.sigma**2
    starts, vectors = arrows(at, slope, place)
    few = shown(model, moment.x[:300], moment.level).numpy()
    return Arrows(
        starts,
        vectors,
        place,
        points=Points(few, extent=place),
        title=f"score (α x̂₀ - x) / σ² at σ = {level.sigma:.3g}",
    )


def density(model: Diffusion, moment: Moment, known: Mixture | None) -> Field:
    """The true density at the moment's noise level; where it is unknown, that of the samples."""
    place, level = extent(model), moment.level
    if known is None:
        return _counted(shown(model, moment.x, level), place)
    inside = known.moved(model.centre, float(model.scale))
    at = model.inside(plane(place, FINE)) * wide(level)
    told = inside.log_density(at, level.alpha, level.sigma).exp() * wide(level) ** 2
    values = (told / model.scale.square()).reshape(FINE, FINE).numpy()
    return Field(values, place, title=f"true density at σ = {level.sigma:.3g}")


def _counted(x: torch.Tensor, place: Extent) -> Field:
    left, right, bottom, top = place
    bins = ((left, right), (bottom, top))
    counts, _, _ = np.histogram2d(x[:, 0].numpy(), x[:, 1].numpy(), FINE // 2, bins)
    area = (right - left) * (top - bottom) / counts.size
    return Field(counts.T / (len(x) * area), place, title="density of the samples")


# --- images -----------------------------------------------------------------------------------


def grid(
    model: Diffusion, moment: Moment, captions: tuple[str, ...], *, clean: bool = False
) -> Tiles:
    """All images at a moment, or what the network expects of them."""
    x = model.outside(moment.clean) if clean else shown(model, moment.x, moment.level)
    words = f"after {moment.number} steps" if moment.number else "pure noise"
    title = "x̂₀: what the network expects to come out" if clean else f"samples, {words}"
    return Tiles(tiles(x), captions, title=title)


def strip(model: Diffusion, walk: Sequence[Moment], at: int, which: int) -> Tiles:
    """One image on its way: above x, below x̂₀; the moment on the slider is framed."""
    places = np.unique(np.linspace(0, len(walk) - 1, STRIP).round().astype(int))
    near = int(np.abs(places - at).argmin())
    some = [walk[place] for place in places]
    one_of = slice(which, which + 1)
    noisy = torch.cat([shown(model, one.x[one_of], one.level) for one in some])
    clean = torch.cat([model.outside(one.clean[one_of]) for one in some])
    return Tiles(
        tiles(torch.cat([noisy, clean])),
        tuple([f"x, {one.number}" for one in some] + [f"x̂₀, {one.number}" for one in some]),
        across=len(places),
        marks={near: "now", len(places) + near: "now"},
        title=f"image {which + 1} step by step: above x, below x̂₀",
    )


# --- both -------------------------------------------------------------------------------------


def step(walk: Sequence[Moment], at: int, sampler: Entry) -> Note:
    """The step from a moment in symbols and with its numbers; at the end, the one before."""
    if len(walk) < 2:
        return Note("The first step is being taken.", title=str(sampler.facts["title"]))
    begin = min(at, len(walk) - 2)
    moment, after = walk[begin], walk[begin + 1]
    level = moment.level
    here = f"α = {level.alpha:.4f}   σ = {level.sigma:.4f}"
    there = f"α' = {after.level.alpha:.4f}  σ' = {after.level.sigma:.4f}"
    filled = sampler.facts["filled"].format_map(moment.numbers)
    lines = [sampler.facts["formula"], filled, "", here, there]
    return Note(
        "```\n" + "\n".join(lines) + "\n```",
        title=f"{sampler.facts['title']}, step {moment.number + 1}",
    )


def levels(walk: Sequence[Moment], at: int) -> Curve:
    """How much data and how much noise there is at each step."""
    return Curve(
        np.array([one.number for one in walk], dtype=np.float64),
        {
            "α, of the data": np.array([one.level.alpha for one in walk]),
            "σ, of the noise": np.array([one.level.sigma for one in walk]),
        },
        marks={"now": float(walk[at].number)},
        log=max(one.level.sigma for one in walk) > 2,
        dots=len(walk) < 40,
        title="the levels that are visited",
    )


def side_by_side(rows: Sequence[torch.Tensor], words: Sequence[str], title: str) -> View:
    """Rows of images under each other, each with its word."""
    across = len(rows[0])
    captions = tuple(word for word in words for _ in range(across))
    return Tiles(tiles(torch.cat(list(rows))), captions, across=across, title=title)
