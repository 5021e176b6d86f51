"""What a page says of a data set before anything is trained on it."""

from __future__ import annotations

from typing import Any

from engine.data.dataset import load


def about(name: str) -> dict[str, Any]:
    """Sizes, classes and their balance, and where it comes from, as plain data.

    Raises:
        LookupError: There is no such data set, or its files cannot be had.
        ValueError: A setting or a file is no good.
    """
    found = load(name)
    counts = found.train_y.bincount(minlength=len(found.classes)).tolist() if found.classes else []
    return {
        "name": found.name,
        "task": found.task,
        "shape": list(found.shape),
        "outputs": found.outputs,
        "train": len(found.train_x),
        "valid": len(found.valid_x),
        "balance": dict(zip(found.classes, counts, strict=True)),
        "features": list(found.features),
        "note": found.note,
    }
