"""From a cell of the confusion matrix to its samples to their explanations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
import torch

from engine.explain import pictures
from engine.explain.adapt import Embedded, adapted
from engine.explain.desk import Desk, Steered, steered
from engine.explain.study import Layer
from engine.explain.table import explainers
from engine.forms import Choice, Pick
from engine.models.inputs import Given
from engine.views import Frame, Matrix, Note, Tiles, View
from engine.views import Table as TableView

MOST_JUDGED = 4000  # validation samples
MOST_SHOWN = 24  # samples of a cell
MOST_CLASSES = 40
NONE = -1  # no cell is clicked yet: the most frequent error is shown
BATCH = 256

Method = Annotated[str, Choice(tuple(explainers.all()), help="How to explain", live=True)]


def study(
    model: str,
    *,
    cell: Annotated[
        int, Pick(MOST_CLASSES**2, "confusion", none=True, help="Of the matrix")
    ] = NONE,
    member: Annotated[int, Pick(MOST_SHOWN, "samples", help="Of that cell")] = 0,
    method: Method = "integrated_gradients",
    layer: Layer = "",
) -> Steered:
    """Show what is taken for what; explain the samples of the cell that is clicked.

    Args:
        model: The folder of a trained run.
        cell: A cell of the matrix, row by row; at first it is the most frequent error.
        member: Which of its samples.
        method: How to explain.
        layer: The layer that the methods of a layer look at.

    Yields:
        The matrix with a cell's samples, then the explanation; the last frame waits.
    """
    book = _Book(Desk(model))
    controls = {"cell": cell, "member": member, "method": method, "layer": layer}
    yield from steered(book.frames, controls)


class _Book:
    """What the model says to the validation samples."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._said: torch.Tensor | None = None

    def frames(self, controls: Mapping[str, Any]) -> Iterator[Frame]:
        """Frames for the chosen cell and sample; the last one waits."""
        desk, data = self._desk, self._desk.data
        if data is None or not desk.classifies or data.valid_y.ndim != 1:
            words = (
                "A confusion matrix needs a model that tells classes apart and the data it was "
                "trained on. Compare methods shows single samples of this one."
            )
            yield Frame(1, 1, {"notes": Note(words, tone="warning")}, {}, waits=True)
            return
        if self._said is None:
            yield from self._judge()
        matrix = self._matrix()
        cell = self._chosen(controls["cell"], matrix)
        row, column = divmod(cell, len(matrix))
        found = self._samples(row, column)
        views = self._views(matrix, (row, column), found, int(controls["member"]))
        facts = {"right [%]": 100 * float(np.trace(matrix)) / max(1.0, float(matrix.sum()))}
        if not len(found):
            yield Frame(1, 1, views, facts, waits=True)
            return
        yield Frame(0, 1, views, facts)
        number = int(found[min(int(controls["member"]), len(found) - 1)])
        words = f"validation sample {number}"
        given = Given(data.valid_x[number : number + 1], int(data.valid_y[number]), words)
        yield from self._explained(given, column, views, facts, controls)

    def _judge(self) -> Iterator[Frame]:
        """Ask the model about every validation sample, batch by batch."""
        desk, data = self._desk, self._desk.data
        if data is None:
            return
        x = data.valid_x[:MOST_JUDGED]
        said: list[torch.Tensor] = []
        for start in range(0, len(x), BATCH):
            some = x[start : start + BATCH]
            module, real = adapted(desk.kept.module, some, desk.kind)
            with torch.no_grad():
                scores = desk.kept.module(some) if isinstance(module, Embedded) else module(real)
            said.append((scores[:, -1] if scores.ndim == 3 else scores).argmax(1))
            note = Note(f"Asking about {len(x):,} validation samples.")
            yield Frame(start, len(x), {"notes": note}, {})
        self._said = torch.cat(said)

    def _matrix(self) -> np.ndarray:
        """How many of each true class (row) are taken for each class (column)."""
        said, data = self._said, self._desk.data
        if said is None or data is None:
            return np.zeros((0, 0))
        true = data.valid_y[: len(said)]
        count = min(MOST_CLASSES, max(len(data.classes), int(said.max()) + 1))
        inside = (true < count) & (said < count)
        flat = torch.bincount(true[inside] * count + said[inside], minlength=count * count)
        return flat.reshape(count, count).numpy().astype(np.float64)

    def _chosen(self, cell: int, matrix: np.ndarray) -> int:
        """The cell that is meant; before one is clicked the most frequent error."""
        if cell == NONE:
            wrong = matrix - np.diag(np.diag(matrix))
            return int(wrong.argmax())
        return min(cell, matrix.size - 1)

    def _samples(self, row: int, column: int) -> torch.Tensor:
        """The numbers of the validation samples of a cell."""
        if self._said is None or self._desk.data is None:
            return torch.zeros(0)
        true = self._desk.data.valid_y[: len(self._said)]
        return ((true == row) & (self._said == column)).nonzero()[:, 0]

    def _views(
        self, matrix: np.ndarray, cell: tuple[int, int], found: torch.Tensor, sample: int
    ) -> dict[str, View]:
        desk, data = self._desk, self._desk.data
        names = tuple(desk.name(output) for output in range(len(matrix)))
        true, said = (desk.name(one) for one in cell)
        views: dict[str, View] = {
            "confusion": Matrix(
                matrix, names, names, xlabel="the model says", ylabel="true class",
                numbers=len(matrix) <= 12, highlight=(cell,), title="Click a cell",
            )
        }  # fmt: skip
        title = f"{true} taken for {said}: {len(found)} (click one)"
        if data is None or not len(found):
            words = f"No {true} was taken for {said}. Click another cell."
            return {**views, "samples": Note(words), "notes": Note("")}
        some = found[:MOST_SHOWN]
        if desk.kind == "image":
            images = np.stack([pictures.grey(data.valid_x[int(i)]) for i in some])
            captions = tuple(str(int(i)) for i in some)
            shown: View = Tiles(images, captions, title=title, marks={})
        else:
            rows = tuple((n == sample, int(i), *self._told(int(i))) for n, i in enumerate(some))
            shown = TableView(("shown", "sample", "begins with"), rows, title=title)
        return {**views, "samples": shown}

    def _told(self, number: int) -> tuple[str]:
        """A sample that is no picture, in words."""
        desk, data = self._desk, self._desk.data
        if data is None:
            return ("",)
        x = data.valid_x[number].flatten()[:8].tolist()
        if desk.vocabulary:
            return (" ".join(desk.vocabulary[int(token)] for token in x),)
        return (", ".join(f"{value:.3g}" for value in x),)

    def _explained(
        self,
        given: Given,
        said: int,
        views: dict[str, View],
        facts: dict[str, float],
        controls: Mapping[str, Any],
    ) -> Iterator[Frame]:
        """Why it said what it said, and what speaks for the true class, side by side."""
        desk, maps = self._desk, {}
        true = given.label if given.label is not None else said
        for target in dict.fromkeys((said, true)):
            case = desk.put(given, str(target))
            work = desk.explain(controls["method"], case, {"layer": controls["layer"]})
            try:
                while True:
                    next(work)
                    yield Frame(0, 1, views, facts)
            except StopIteration as end:
                maps[f"for {desk.name(target)}"] = end.value.map
            except (ValueError, LookupError, RuntimeError) as error:
                note = Note(str(error), title="That does not fit", tone="warning")
                yield Frame(1, 1, {**views, "notes": note}, facts, waits=True)
                return
            finally:
                work.close()
            views = {
                **views,
                "maps": pictures.maps(desk, case, maps, tuple(maps), shared=True),
                "input": pictures.shown(desk, case),
                "scores": pictures.scores(desk, case),
            }
        yield Frame(1, 1, views, facts, waits=True)
