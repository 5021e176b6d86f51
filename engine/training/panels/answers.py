"""What the network says of validation samples: how often, how wrong, how sure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from engine.data.dataset import IGNORED
from engine.training.panels import Memory, looking, panels
from engine.training.session import Session
from engine.views import Bars, Matrix, Note, Table, Tiles, Tokens, View

MOST_NUMBERED = 20  # classes of a confusion whose cells say their numbers
WORST = 16
SHOWN = 24  # samples of a cell
FIRST = 6  # numbers of a sample that are told
JUDGED = 1000  # validation samples among which mistakes are looked for
BATCH = 500
MOST_CELLS = 10_000  # of a confusion that is opened


@panels.add("confusion", place=5, shown=True, slow=True)
def confusion(session: Session, memory: Memory) -> View | None:
    """Which classes are taken for which."""
    del memory
    if not session.classifies:
        return None
    newest = session.full or session.judged
    classes = session.data.classes
    if newest is None:
        return Matrix(np.zeros((len(classes),) * 2))
    can = " (click a cell)" if session.data.train_y.ndim == 1 else ""
    return Matrix(
        newest.confusion.numpy().astype(np.float64),
        rows=classes,
        columns=classes,
        xlabel="predicted",
        ylabel="true",
        numbers=len(classes) <= MOST_NUMBERED,
        title=f"{newest.samples:,} validation samples at step {newest.step:,}{can}",
    )


@panels.add("text", place=6, shown=True, slow=True)
def text(session: Session, memory: Memory) -> View | None:
    """The first validation sample's answers, each with the chance the network gave it."""
    del memory
    data = session.data
    if not data.per_place or not data.vocabulary:
        return None
    x, y = data.valid_x[:1], data.valid_y[0]
    with looking(session) as module:
        chances = module(*data.inputs(x))[0].softmax(-1)  # (places, classes)
    judged = y != IGNORED
    sure = chances.gather(1, y.clamp(min=0)[:, None])[:, 0]
    pairs = zip(y.tolist(), judged.tolist(), strict=True)
    wanted = [data.classes[answer] if counts else "–" for answer, counts in pairs]
    return Tokens(
        tuple(wanted),
        torch.where(judged, sure, 0.0).numpy().astype(np.float64),
        title="how likely it held each right answer, of one validation sample",
    )


@panels.add("cell", place=5.5, shown=False, slow=True, clicked=True)
def cell(session: Session, memory: Memory) -> View | None:
    """The very samples of the cell of the confusion matrix that was clicked."""
    data, newest = session.data, session.full or session.judged
    if data.train_y.ndim > 1 or not session.classifies or newest is None or "number" not in memory:
        return None
    said = newest.said
    if not len(said):  # it was read from a checkpoint
        said = _chances(session, newest.samples).argmax(1)
    row, column = divmod(int(memory["number"]), len(data.classes))
    if row >= len(data.classes):
        return Note("There is no such cell.")
    found = ((data.valid_y[: len(said)] == row) & (said == column)).nonzero()[:, 0]
    true, taken = data.classes[row], data.classes[column]
    what = f"{true} that is seen as {true}" if row == column else f"{true} taken for {taken}"
    title = f"{what}: {len(found)} of the samples judged at step {newest.step:,}"
    if not len(found):
        return Note(f"No {true} was taken for {taken}.", title)
    return _pictured(session, found[:SHOWN], [f"sample {int(i)}" for i in found[:SHOWN]], title)


@panels.add("mistakes", place=10, shown=False, slow=True)
def mistakes(session: Session, memory: Memory) -> View | None:
    """The samples it was surest about, and wrong."""
    del memory
    data = session.data
    if not session.classifies or data.train_y.ndim > 1 or data.kind == "text":
        return None
    worst, chances = _worst(session)
    sure, said = chances.max(1)
    told = [
        f"{data.classes[int(said[i])]} ({100 * float(sure[i]):.0f} %), is "
        f"{data.classes[int(data.valid_y[i])]}"
        for i in worst
    ]
    if not len(worst):
        return Note("No mistake among the samples that it was judged by.", "surest mistakes")
    return _pictured(session, worst, told, "surest mistakes (click one)")


@panels.add("mistake", place=10.5, shown=False, slow=True, clicked=True)
def mistake(session: Session, memory: Memory) -> View | None:
    """What the network holds of the mistake that was clicked: the chance of each class."""
    data = session.data
    apt = session.classifies and data.train_y.ndim == 1 and data.kind != "text"
    if not apt or "number" not in memory:
        return None
    worst, chances = _worst(session)
    if int(memory["number"]) >= len(worst):
        return Note("There are not so many mistakes any more.")
    number = int(worst[int(memory["number"])])
    true = data.classes[int(data.valid_y[number])]
    return Bars(
        data.classes,
        {"chance": 100 * chances[number].numpy().astype(np.float64)},
        ylabel="chance [%]",
        title=f"validation sample {number}, which is {true}",
    )


def _worst(session: Session) -> tuple[torch.Tensor, torch.Tensor]:
    """Numbers of the surest mistakes, `(n,)`, and the chances of all, `(samples, classes)`."""
    chances = _chances(session, JUDGED)
    sure, said = chances.max(1)
    wrong = (said != session.data.valid_y[: len(said)]).nonzero()[:, 0]
    return wrong[sure[wrong].argsort(descending=True)][:WORST], chances


def _chances(session: Session, samples: int) -> torch.Tensor:
    """What the network says of the first validation samples, `(samples, classes)`."""
    data = session.data
    with looking(session) as module:
        parts = data.valid_x[:samples].split(BATCH)
        return torch.cat([module(*data.inputs(part)) for part in parts]).softmax(1)


def _pictured(session: Session, numbers: torch.Tensor, captions: Sequence[str], title: str) -> View:
    """Some validation samples: pictures as pictures, others as a table of their first numbers."""
    data = session.data
    x = data.valid_x[numbers]
    if data.kind == "image":
        colour = x.permute(0, 2, 3, 1).clamp(0, 1) if x.shape[1] == 3 else x.mean(1)
        return Tiles(colour.numpy().copy(), tuple(captions), title=title)
    rows: list[tuple[str | float | bool, ...]] = [
        (f"sample {int(i)}", words, *_first(session, one))
        for i, words, one in zip(numbers, captions, x, strict=True)
    ]
    columns = data.features[:FIRST] or tuple(f"x{k + 1}" for k in range(len(rows[0]) - 2))
    return Table(("which", "said", *columns), tuple(rows), title=title)


def _first(session: Session, sample: torch.Tensor) -> tuple[str | float, ...]:
    """The first numbers of a sample, or its first words."""
    words = session.data.vocabulary
    if words:
        return tuple(words[int(token)] for token in sample.flatten()[:FIRST])
    return tuple(round(float(v), 3) for v in sample.flatten()[:FIRST])
