"""What a generative model learns from: points drawn from a target, or the images of a data set."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

import torch

from engine.data import load
from engine.data.dataset import datasets
from engine.generate.model import Labels, Outline
from engine.generate.pairs import Pairs, pairs
from engine.generate.targets import Target, targets

POINTS = 20_000  # drawn once from a target to learn from
HELD = 4_000  # drawn besides, to judge by
PAIRS = 2000  # of images, likewise
LARGEST = 64  # rows and columns of an image to learn from


@dataclass(frozen=True)
class Source:
    """Samples to learn from and samples to judge by.

    Attributes:
        name: What it was asked for by.
        outline: What one sample looks like.
        x: Training samples, `(n, *shape)`; images in [-1, 1].
        labels: Their classes, `(n,)`; None without classes.
        held: Samples held out, `(m, *shape)`.
        held_labels: Their classes.
        target: The true distribution, where it is known.
        matched: Where `labels` are what samples are to be made from: whether they belong together.
    """

    name: str
    outline: Outline
    x: torch.Tensor
    labels: Labels
    held: torch.Tensor
    held_labels: Labels
    target: Target | None = None
    matched: bool = True


def open_source(text: str, ink: Sequence[float] = ()) -> Source:
    """The source of a name: a target (`ring?modes=5`), pairs (`outlines`) or a data set (`digits`).

    Args:
        text: Its name, perhaps with settings after a question mark.
        ink: For the target called `drawn`, what was drawn.

    Raises:
        LookupError: There is neither a target nor a data set of that name.
        ValueError: A setting is refused, or the data are no images that can be learnt here.
    """
    name, _, query = text.partition("?")
    if name not in targets.all() and name not in pairs.all():
        return _samples(text)
    settings = {key: json.loads(word) for key, word in parse_qsl(query)}
    if name in pairs.all():
        return from_pairs(text, pairs.find(name)(**settings))
    if name == "drawn":
        settings["ink"] = tuple(ink)
    return from_target(text, targets.find(name)(**settings))


def from_target(name: str, target: Target) -> Source:
    """Points drawn once and for all from a distribution of the plane."""
    draw = torch.Generator().manual_seed(0)
    x, labels = target.draw(POINTS + HELD, draw)
    outline = Outline((2,), target.classes, target.extent)
    known = bool(target.classes)
    return Source(
        name,
        outline,
        x[:POINTS],
        labels[:POINTS] if known else None,
        x[POINTS:],
        labels[POINTS:] if known else None,
        target,
    )


def from_pairs(name: str, both: Pairs) -> Source:
    """Samples of two domains; those that are given stand where else the labels do."""
    count, beside = (POINTS, HELD) if both.outline.plane else (PAIRS, PAIRS // 8)
    draw = torch.Generator().manual_seed(0)
    given, wanted = both.draw(count + beside, draw)
    return Source(
        name,
        both.outline,
        wanted[:count],
        given[:count],
        wanted[count:],
        given[count:],
        matched=both.matched,
    )


def image_sets() -> dict[str, str]:
    """Name -> first sentence of every data set of images."""
    return {
        name: entry.help for name, entry in datasets.all().items() if entry.facts["kind"] == "image"
    }


def _samples(text: str) -> Source:
    """The samples of a data set: images, or points of the plane whose density nobody knows."""
    data = load(text)
    if data.kind not in ("image", "plane"):
        raise ValueError(
            f"{text.partition('?')[0]}: holds neither images nor points of the plane; generate "
            f"learns from those, and from the distributions {', '.join(targets.all())}"
        )
    if data.kind == "image" and max(data.shape[1:]) > LARGEST:
        raise ValueError(
            f"{data.name}: images must have at most {LARGEST} x {LARGEST} pixels here; these have "
            f"{data.shape[1]} x {data.shape[2]}: bring them in smaller"
        )
    known = data.task == "classification" and data.train_y.ndim == 1
    outline = Outline(data.shape, data.classes if known else ())
    if data.extent is not None:
        outline = replace(outline, extent=data.extent)
    image = data.kind == "image"
    return Source(
        text,
        outline,
        2 * data.train_x - 1 if image else data.train_x,
        data.train_y if known else None,
        2 * data.valid_x - 1 if image else data.valid_x,
        data.valid_y if known else None,
    )
