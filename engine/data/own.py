"""People's own tables: CSV, TSV and their kin, read cell by cell and told back in words.

Nothing is dropped without a word: a cell that cannot be read is refused with its row and column,
and what was filled in or spread out stands in the data set's note.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.data.dataset import DataSet, split
from engine.store.home import home

LARGEST = 20_000_000  # bytes
MOST_ROWS = 200_000
MOST_COLUMNS = 500
MOST_LEVELS = 40  # words in one column that are spread out into columns of their own
FEW = 20  # different whole numbers in the target that still count as classes
VALID = 0.2  # part set aside for validation
MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-"}
PREFIX = "own:"

Column = Sequence[str]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sheet:
    """A table of words, before anything is made of them.

    Attributes:
        names: What the columns are called.
        rows: The cells, row by row, all of one length.
        first: The line of the file in which the first row stands, counted from 1.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    first: int

    def column(self, name: str) -> Column:
        """The cells of a column."""
        place = self.names.index(name)
        return [row[place] for row in self.rows]


def keep(content: bytes) -> str:
    """Keep an uploaded table; the words by which `load` finds it again.

    Raises:
        ValueError: It is no table; says where.
    """
    parse(content)
    name = hashlib.sha256(content).hexdigest()[:24]
    path = home() / "data" / "own" / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_bytes(content)
    draft.replace(path)
    return PREFIX + name


def columns(words: str) -> list[str]:
    """What the columns of an uploaded table are called, by the words that `keep` gave."""
    return list(parse(_path(words).read_bytes()).names)


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
    """
    path = _path(words)
    unknown = next((name for name in settings if name not in ("target", "seed")), None)
    if unknown is not None:
        raise ValueError(f"an uploaded table has no setting {unknown!r:.80}; only target and seed")
    seed = settings.get("seed", 0)
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed must be a whole number from 0; got {seed!r:.80}")
    return read(path.read_bytes(), words, target=str(settings.get("target", "")), seed=seed)


def read_file(path: Path, target: str = "") -> DataSet:
    """The data set in a file on this machine; for command lines, never for names from the web."""
    with path.open("rb") as file:
        return read(file.read(LARGEST + 1), path.stem, target=target)


def read(content: bytes, name: str, *, target: str = "", seed: int = 0) -> DataSet:
    """A data set from a table's bytes.

    Args:
        content: The file.
        name: What the data set is called.
        target: The column to predict; empty for the last one.
        seed: For the split into training and validation.

    Raises:
        ValueError: A cell, the target or the whole is unfit; says in which row and column.
    """
    sheet = parse(content)
    wanted = target or sheet.names[-1]
    if wanted not in sheet.names:
        raise ValueError(f"target must be a column: {', '.join(sheet.names)}; got {wanted!r:.80}")
    y, classes = _answers(sheet, wanted)
    columns, features, remarks = _features(sheet, wanted)
    valid = max(1, round(VALID * len(columns)))
    train = np.random.default_rng(seed).permutation(len(columns))[:-valid]
    mean, spread = np.nanmean(columns[train], axis=0), np.nanstd(columns[train], axis=0)
    scaled = (columns - mean) / np.where(spread > 0, spread, 1)
    note = [f"{len(columns)} rows, columns scaled to mean 0 and standard deviation 1", *remarks]
    if not classes:
        middle, scale = y[train].mean(), y[train].std() or 1.0
        y = (y - middle) / scale
        note.append(f"{wanted} likewise (mean {middle:.4g}, standard deviation {scale:.4g})")
    return split(
        name,
        np.nan_to_num(scaled),  # a missing number is the mean
        y,
        classes,
        seed=seed,
        valid=valid,
        features=features,
        note="; ".join(note),
    )


def parse(content: bytes) -> Sheet:
    """A table's bytes as rows of words; the first line names the columns if it has no number.

    Raises:
        ValueError: It is no table; says in which line.
    """
    if len(content) > LARGEST:
        raise ValueError(f"the table must have at most {LARGEST:,} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"the table must be text in UTF-8; byte {error.start} is not") from None
    lines = _lines(text)
    if len(lines) < 11 or len(lines[0][1]) < 2:
        raise ValueError("the table must have at least 2 columns and 10 rows under their names")
    width = len(lines[0][1])
    for number, row in lines:
        if len(row) != width:
            raise ValueError(f"line {number}: must have {width} cells as line 1; got {len(row)}")
    named = not any(_number(cell) is not None for cell in lines[0][1])
    names = tuple(lines[0][1]) if named else tuple(f"column {i + 1}" for i in range(width))
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise ValueError(f"line 1: two columns are called {doubled!r:.80}; rename one")
    rows = lines[1:] if named else lines
    return Sheet(names, tuple(tuple(row) for _, row in rows), rows[0][0])


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """Lines that are not empty, with their numbers, cut into cells.

    A comma parts cells only where the first line has no tab, semicolon or bar: it may be a point.
    """
    head = text[:4000].partition("\n")[0]
    sign = next((sign for sign in "\t;|" if sign in head), ",")
    found = []
    reader = csv.reader(io.StringIO(text), delimiter=sign, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                found.append((reader.line_num, [cell.strip() for cell in row]))
            if len(found) > MOST_ROWS + 1 or len(row) > MOST_COLUMNS:
                raise ValueError(
                    f"the table must have at most {MOST_ROWS:,} rows and {MOST_COLUMNS} columns"
                )
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from None
    return found


def _number(cell: str) -> float | None:
    """The number in a cell, with point or comma; None for words and for NaN."""
    try:
        value = float(cell.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _numbers(sheet: Sheet, name: str) -> Floats | None:
    """A column as numbers, NaN where missing; None if it holds words.

    Raises:
        ValueError: Nearly all cells are numbers but one is not; names it.
    """
    cells = sheet.column(name)
    values = [math.nan if cell.lower() in MISSING else _number(cell) for cell in cells]
    wrong = [place for place, value in enumerate(values) if value is None]
    if wrong and len(wrong) < 0.05 * len(cells):
        raise ValueError(
            f"line {sheet.first + wrong[0]}, column {name!r}: must be a number like the others; "
            f"got {cells[wrong[0]]!r:.80}"
        )
    return None if wrong else np.array(values, dtype=np.float64)


def _answers(sheet: Sheet, target: str) -> tuple[Floats, tuple[str, ...]]:
    """The target as class numbers and their names, or as numbers `(n, 1)` and no names."""
    cells = sheet.column(target)
    gap = next((i for i, cell in enumerate(cells) if cell.lower() in MISSING), None)
    if gap is not None:
        raise ValueError(f"line {sheet.first + gap}, column {target!r}: the target is missing")
    numbers = _numbers(sheet, target)
    levels = sorted(set(cells))
    if numbers is not None:
        whole = bool((numbers == np.round(numbers)).all())
        if not whole or len(set(numbers.tolist())) > FEW:
            return numbers[:, None], ()
        levels = sorted(set(cells), key=float)
    if not 2 <= len(levels) <= MOST_LEVELS:
        raise ValueError(
            f"column {target!r}: a target of words must have 2 to {MOST_LEVELS} different ones; "
            f"got {len(levels)}"
        )
    place = {level: i for i, level in enumerate(levels)}
    return np.array([place[cell] for cell in cells], dtype=np.float64), tuple(levels)


def _features(sheet: Sheet, target: str) -> tuple[Floats, tuple[str, ...], list[str]]:
    """All other columns as numbers `(rows, features)`, their names, and what was done to them."""
    columns: list[Floats] = []
    names: list[str] = []
    remarks: list[str] = []
    for name in sheet.names:
        if name == target:
            continue
        numbers = _numbers(sheet, name)
        if numbers is None:
            levels = sorted(set(sheet.column(name)))
            if len(levels) > MOST_LEVELS:
                raise ValueError(
                    f"column {name!r}: has {len(levels)} different words, more than "
                    f"{MOST_LEVELS}; take it out (is it a name or a number of the row?)"
                )
            columns += [np.array([c == x for c in sheet.column(name)], float) for x in levels]
            names += [f"{name} = {level or 'missing'}" for level in levels]
            remarks.append(f"{name} spread out into {len(levels)} columns of 0 and 1")
            continue
        missing = int(np.isnan(numbers).sum())
        if missing == len(numbers):
            raise ValueError(f"column {name!r}: is empty; take it out")
        if missing:
            remarks.append(f"{missing} missing numbers of {name} set to its mean")
        columns.append(numbers)
        names.append(name)
    return np.stack(columns, axis=1), tuple(names), remarks
