"""What a page says of a data set before anything is trained on it."""

from __future__ import annotations

from typing import Any

from engine.data.dataset import IGNORED, DataSet, load
from engine.data.tokens import decode

EXAMPLES = 3


def about(name: str) -> dict[str, Any]:
    """Sizes, classes and their balance, and where it comes from, as plain data.

    Raises:
        LookupError: There is no such data set, or its files cannot be had.
        ValueError: A setting or a file is no good.
    """
    found = load(name)
    answers = found.train_y[found.train_y != IGNORED]
    counts = (
        answers.flatten().bincount(minlength=len(found.classes)).tolist() if found.classes else []
    )
    return {
        "name": found.name,
        "task": found.task,
        "shape": list(found.shape),
        "outputs": found.outputs,
        "train": len(found.train_x),
        "valid": len(found.valid_x),
        "balance": dict(zip(found.classes, counts, strict=True)),
        "features": list(found.features),
        "kind": found.kind,
        "shapes": [list(shape) for shape in found.shapes],
        "parts": list(found.parts),
        "vocabulary": list(found.vocabulary),
        "per_place": found.per_place,
        "per_pixel": found.per_pixel,
        "itself": found.itself,
        "answer": list(found.answer),
        "test": len(found.test_x),
        "examples": _examples(found),
        "note": found.note,
    }


def _examples(found: DataSet) -> list[str]:
    """A few samples of a text with their answers, in words."""
    if not found.vocabulary:
        return []
    told = []
    for x, y in zip(found.train_x[:EXAMPLES], found.train_y[:EXAMPLES], strict=True):
        parts = [decode(part[0].tolist(), found.vocabulary) for part in found.inputs(x[None])]
        answer = "" if found.per_place else f" → {found.classes[int(y)]}"
        told.append((" → ".join(parts) + answer).replace("\n", "↵"))
    return told
