"""People's own tables: kept by their checksum, told back column by column, asked for by name."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.data.dataset import DataSet
from engine.data.prepare import MOST_LEVELS, SETTINGS, Plan, looks_like, made
from engine.data.sheet import LARGEST, PARQUET, Sheet, missing, parse
from engine.store.home import home

SHOWN = 8  # rows and levels of a preview
PREFIX = "own:"
__all__ = ["SETTINGS", "columns", "keep", "kept", "read", "read_file", "survey"]


def keep(content: bytes) -> str:
    """Keep an uploaded table; the words by which `load` finds it again.

    Raises:
        ValueError: It is no table; says where.
    """
    sheet = parse(content)
    name = hashlib.sha256(content).hexdigest()[:24]
    path = home() / "data" / "own" / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_bytes(content if not content.startswith(PARQUET) else _written(sheet))
    draft.replace(path)
    return PREFIX + name


def _written(sheet: Sheet) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([sheet.names, *sheet.rows])
    return text.getvalue().encode()


def columns(words: str) -> list[str]:
    """What the columns of an uploaded table are called, by the words that `keep` gave."""
    return list(parse(_path(words).read_bytes()).names)


def survey(words: str) -> dict[str, Any]:
    """What is in an uploaded table, column by column, as plain data.

    Raises:
        LookupError: There is no such upload any more.
    """
    sheet = parse(_path(words).read_bytes())
    return {
        "rows": len(sheet.rows),
        "columns": [_seen(sheet, name) for name in sheet.names],
        "preview": [dict(zip(sheet.names, row, strict=True)) for row in sheet.rows[:SHOWN]],
    }


def _seen(sheet: Sheet, name: str) -> dict[str, Any]:
    """A column: what it looks like, what is missing, what stands in it, and what is odd."""
    cells = sheet.column(name)
    values, wrong = sheet.numbers(name)
    there = [cell for cell in cells if not missing(cell)]
    levels = Counter(there).most_common()
    use = looks_like(sheet, name)
    told: dict[str, Any] = {
        "name": name,
        "use": use,
        "missing": len(cells) - len(there),
        "different": len(levels),
        "levels": [[word, count] for word, count in levels[:MOST_LEVELS]],
        "odd": [],
        "range": [],
    }
    if use == "number":
        told["range"] = [float(np.nanmin(values)), float(np.nanmax(values))]
        told["odd"] = [f"{sheet.at(row, name)}: {cells[row]!r:.40}" for row in wrong[:SHOWN]]
    if use == "ignore":
        told["odd"] = ["nothing stands in it" if not there else f"{len(levels)} different words"]
    return told


def _path(words: str) -> Path:
    name = words.removeprefix(PREFIX)
    path = home() / "data" / "own" / f"{name}.csv"
    if not re.fullmatch(r"[0-9a-f]{24}", name) or not path.is_file():
        raise LookupError(f"no uploaded table {name!r:.40}; upload it again")
    return path


def kept(words: str, settings: Mapping[str, object]) -> DataSet:
    """The data set of an uploaded table, by the words that `keep` gave.

    Raises:
        LookupError: There is no such upload any more.
        ValueError: A setting or a cell is no good.
    """
    return made(_path(words).read_bytes(), words, Plan.of(settings))


def read_file(path: Path, target: str = "") -> DataSet:
    """The data set in a file on this machine; for command lines, never for names from the web."""
    with path.open("rb") as file:
        return read(file.read(LARGEST + 1), path.stem, target=target)


def read(content: bytes, name: str, *, target: str = "", seed: int = 0) -> DataSet:
    """A data set from a table's bytes, everything else as it usually is; see `made`."""
    return made(content, name, Plan(target=target, seed=seed))
