"""Which training samples made the model say so?"""

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
)
from engine.explain.training_samples import Read, influences, read
from engine.forms import Choice
from engine.views import Frame, Histogram, Note, Table, Tiles, View

MOST_TRAIN = 6000  # training samples that are looked at
BEST = 8
PORTION = 512


def study(
    model: str,
    *,
    source: Source = "test sample",
    sample: Sample = 0,
    drawing: Drawn = [],  # noqa: B006 - read only
    yours: Yours = "",
    target: Target = "predicted",
    way: Annotated[
        str, Choice(tuple(influences.all()), help="How influence is measured", live=True)
    ] = "influence_functions",
) -> Steered:
    """Show the training samples that spoke most for the answer, and most against it.

    Args:
        model: The folder of a trained run.
        source: A sample of the validation set, the drawing, or what the visitor brought.
        sample: Its number.
        drawing: Grey levels in [0, 1], row by row.
        yours: What the visitor brought, see `engine.explain.own`.
        target: The answer that is asked about.
        way: Of the table of influences.

    Yields:
        Frames while the training samples are read; the last one waits.
    """
    archive = _Archive(Desk(model))
    controls = {
        "source": source, "sample": sample, "drawing": drawing, "yours": yours, "target": target,
        "way": way,
    }  # fmt: skip
    yield from steered(archive.frames, controls)


class _Archive:
    """The training samples as the last layer sees them, read once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._train: Read | None = None

    def frames(self, controls: Mapping[str, Any]) -> Iterator[Frame]:
        """The sample, then what spoke for and against; the last frame waits."""
        desk = self._desk
        try:
            if desk.data is None or not desk.classifies or desk.data.train_y.ndim != 1:
                raise ValueError(
                    "Influence needs a model that tells classes apart, and its training data."
                )
            case = desk.case(controls)
            if self._train is None:
                yield from self._read(case)
            test = read(desk.kept.module, case.given.x, torch.tensor([case.target]))
            if self._train is None:
                raise ValueError("There are no training samples to look at.")
            found = influences.find(controls["way"])(self._train, test)[0]
            yield Frame(1, 1, self._views(case, found), _facts(case, found), waits=True)
        except (ValueError, LookupError, RuntimeError) as error:
            yield refused(error)

    def _read(self, case: Case) -> Iterator[Frame]:
        desk = self._desk
        if desk.data is None:
            return
        x, y = desk.data.train_x[:MOST_TRAIN], desk.data.train_y[:MOST_TRAIN]
        portions: list[Read] = []
        for start in range(0, len(x), PORTION):
            end = start + PORTION
            portions.append(read(desk.kept.module, x[start:end], y[start:end]))
            yield Frame(start, len(x), {"input": pictures.shown(desk, case)})
        self._train = Read(
            torch.cat([one.inputs for one in portions]),
            torch.cat([one.errors for one in portions]),
            torch.cat([one.chances for one in portions]),
        )

    def _views(self, case: Case, found: torch.Tensor) -> dict[str, View]:
        order = found.argsort(descending=True)
        size = float(found.abs().max()) or 1.0
        counts, edges = np.histogram(found.numpy(), bins=41, range=(-size, size))
        name = self._desk.name(case.target)
        return {
            "for": self._some(order[:BEST], found, f"spoke most for {name}"),
            "against": self._some(order.flip(0)[:BEST], found, f"spoke most against {name}"),
            "input": pictures.shown(self._desk, case),
            "all": Histogram(
                edges, {"training samples": counts}, xlabel="influence", ylabel="how many", log=True
            ),
            "notes": Note(
                f"Of {len(found):,} training samples, seen through the last layer. Among those "
                f"that speak against an answer one often finds samples with a wrong label."
            ),
        }

    def _some(self, numbers: torch.Tensor, found: torch.Tensor, title: str) -> View:
        desk, data = self._desk, self._desk.data
        if data is None:
            return Table((), ())
        labels = [desk.name(int(data.train_y[i])) for i in numbers]
        values = [float(found[i]) for i in numbers]
        if desk.kind == "image":
            images = np.stack([pictures.grey(data.train_x[int(i)]) for i in numbers])
            captions = tuple(
                f"{label}: {value:.2g}" for label, value in zip(labels, values, strict=True)
            )
            return Tiles(images, captions, title=title)
        rows = tuple(
            (int(i), label, value, _words(desk, data.train_x[int(i)]))
            for i, label, value in zip(numbers, labels, values, strict=True)
        )
        return Table(("training sample", "class", "influence", "begins with"), rows, title=title)


def _words(desk: Desk, x: torch.Tensor) -> str:
    some = x.flatten()[:8].tolist()
    if desk.vocabulary:
        return " ".join(desk.vocabulary[int(token)] for token in some)
    return ", ".join(f"{value:.3g}" for value in some)


def _facts(case: Case, found: torch.Tensor) -> dict[str, float]:
    return {
        "explained output": float(case.target),
        "most for": float(found.max()),
        "most against": float(found.min()),
    }
