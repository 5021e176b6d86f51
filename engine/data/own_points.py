"""People's own points of the plane, drawn on the pad or pasted as text."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.data.dataset import DataSet, split
from engine.data.sets.plane import EXTENT
from engine.data.sheet import number
from engine.store.home import home

PREFIX = "points:"
SETTINGS = ("seed",)
MOST = 20_000
FEWEST = 10
MOST_CLASSES = 10
VALID = 0.25  # part set aside for validation
FILLED = 1.3  # points from elsewhere are scaled until the furthest lies here
LARGEST = 2_000_000  # characters

Floats = npt.NDArray[np.float64]


def read(text: str) -> dict[str, Any]:
    """Pasted lines `x, y, class` as plain data: places, class of each, and their names.

    Commas, semicolons, tabs and blanks part; a first line without numbers is passed over.

    Raises:
        ValueError: A line is none; says which, and in which column.
    """
    if len(text) > LARGEST:
        raise ValueError(f"the points must have at most {LARGEST:,} characters; got {len(text):,}")
    points: list[list[float]] = []
    labels: list[str] = []
    lines = [(n, line.strip()) for n, line in enumerate(text.splitlines(), start=1)]
    for place, (line, words) in enumerate((n, words) for n, words in lines if words):
        cells = _cells(words)
        if place == 0 and len(cells) >= 3 and number(cells[0]) is None and number(cells[1]) is None:
            continue  # the names of the columns
        if len(cells) != 3:
            raise ValueError(f"line {line}: must be x, y and a class; got {len(cells)} columns")
        points.append([_number(cell, line, at) for at, cell in enumerate(cells[:2], start=1)])
        labels.append(cells[2][:30])
        if len(points) > MOST:
            raise ValueError(f"line {line}: there must be at most {MOST:,} points")
    names = sorted(set(labels))
    _refuse(len(points), names)
    return {
        "points": [[*xy, names.index(label)] for xy, label in zip(points, labels, strict=True)],
        "names": names,
    }


def _cells(line: str) -> list[str]:
    """A line in cells; a comma parts only where nothing else does, and it may be a point."""
    for sign in "\t;":
        if sign in line:
            return [cell.strip() for cell in line.split(sign)]
    by_blanks = line.split()
    if len(by_blanks) == 3 and not any(cell.endswith(",") for cell in by_blanks):
        return by_blanks
    return [cell.strip() for cell in line.split(",")] if "," in line else by_blanks


def _number(cell: str, line: int, column: int) -> float:
    value = number(cell)
    if value is None:
        raise ValueError(f"line {line}, column {column}: must be a number; got {cell!r:.60}")
    return value


def _refuse(count: int, names: Sequence[str]) -> None:
    if count < FEWEST:
        raise ValueError(f"there must be at least {FEWEST} points to learn from; got {count}")
    if not 2 <= len(names) <= MOST_CLASSES:
        raise ValueError(
            f"the points must be of 2 to {MOST_CLASSES} classes; got {len(names)}"
            + (f" ({names[0]})" if len(names) == 1 else "")
        )


def keep(points: Sequence[Sequence[float]], names: Sequence[str]) -> str:
    """Keep points, each x, y and the number of its class; the words by which `load` finds them.

    Raises:
        ValueError: They are none, too few, too many, or of one class only.
    """
    if len(points) > MOST:
        raise ValueError(f"there must be at most {MOST:,} points; got {len(points):,}")
    for place, point in enumerate(points, start=1):
        if len(point) != 3 or not all(math.isfinite(float(value)) for value in point):
            raise ValueError(f"point {place}: must be x, y and a class; got {point!r:.60}")
        if not 0 <= int(point[2]) < len(names):
            raise ValueError(f"point {place}: there is no class {point[2]!r:.20}")
    used = sorted({int(point[2]) for point in points})
    _refuse(len(points), [names[number] for number in used])
    rows = [f"{float(x)!r}\t{float(y)!r}\t{_word(names[int(c)])}" for x, y, c in points]
    content = "\n".join(rows).encode()
    name = hashlib.sha256(content).hexdigest()[:24]
    path = _folder() / f"{name}.points"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_bytes(content)
    draft.replace(path)
    return PREFIX + name


def _word(name: str) -> str:
    """A class's name without what parts cells."""
    return re.sub(r"\s+", " ", name).strip()[:30] or "unnamed"


def drawn(words: str) -> dict[str, Any]:
    """Points that are kept, as `read` gives them."""
    return read(_path(words).read_text(encoding="utf-8"))


def _path(words: str) -> Path:
    name = words.removeprefix(PREFIX)
    path = _folder() / f"{name}.points"
    if not re.fullmatch(r"[0-9a-f]{24}", name) or not path.is_file():
        raise LookupError(f"no points {name!r:.40} are kept here; draw or paste them again")
    return path


def kept(words: str, settings: Mapping[str, object]) -> DataSet:
    """The data set of drawn or pasted points, by the words that `keep` gave.

    Raises:
        LookupError: There are no such points any more.
        ValueError: A setting is unknown or out of range.
    """
    told = drawn(words)
    unknown = next((key for key in settings if key not in SETTINGS), None)
    if unknown is not None:
        raise ValueError(f"points have no setting {unknown!r:.80}; only seed")
    seed = settings.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed must be a whole number from 0; got {seed!r:.80}")
    rows = np.array(told["points"], dtype=np.float64)
    xy, note = _placed(rows[:, :2])
    valid = max(1, round(VALID * len(rows)))
    return split(
        words,
        xy,
        rows[:, 2].astype(np.int64),
        tuple(told["names"]),
        seed=seed,
        valid=valid,
        extent=EXTENT,
        note=f"{len(rows)} points of your own{note}; {valid} are set aside for validation",
    )


def _placed(xy: Floats) -> tuple[Floats, str]:
    """Points where the plane shows them, and what was done to them for it."""
    if abs(xy).max() <= EXTENT[1] and np.ptp(xy, axis=0).max() >= 0.5:
        return xy, ""
    middle = (xy.max(0) + xy.min(0)) / 2
    reach = abs(xy - middle).max() or 1.0
    told = f"; moved by ({-middle[0]:.4g}, {-middle[1]:.4g}) and scaled by {FILLED / reach:.4g}"
    return (xy - middle) * (FILLED / reach), told


def _folder() -> Path:
    return home() / "data" / "own"
