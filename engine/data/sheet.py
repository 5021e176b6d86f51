"""A table of words out of a file, CSV, TSV and their kin or Parquet; what is none is told where."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LARGEST = 20_000_000  # bytes
LARGEST_UNPACKED = 200_000_000  # bytes that a Parquet file says it holds
MOST_ROWS = 200_000
MOST_COLUMNS = 500
FEWEST_ROWS = 10
MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-"}
PARQUET = b"PAR1"

Column = Sequence[str]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sheet:
    """A table of words, before anything is made of them.

    Attributes:
        names: What the columns are called.
        rows: The cells, row by row, all of one length.
        lines: In which line of the file each row ends, counted from 1.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def column(self, name: str) -> Column:
        """The cells of a column."""
        place = self.names.index(name)
        return [row[place] for row in self.rows]

    def numbers(self, name: str) -> tuple[Floats, list[int]]:
        """A column as numbers, NaN where missing, and the rows that hold something else."""
        cells = self.column(name)
        values = [math.nan if missing(cell) else number(cell) for cell in cells]
        wrong = [place for place, value in enumerate(values) if value is None]
        return np.array([math.nan if v is None else v for v in values]), wrong

    def at(self, row: int, name: str) -> str:
        """A cell's place in words: `line 9, column 'width'`."""
        return f"line {self.lines[row]}, column {name!r:.80}"


def parse(content: bytes) -> Sheet:
    """A table's bytes as rows of words; the first line names the columns if it has no number.

    Raises:
        ValueError: It is no table; says in which line.
    """
    if len(content) > LARGEST:
        raise ValueError(f"the table must have at most {LARGEST:,} bytes; got {len(content):,}")
    if content.startswith(PARQUET):
        content = from_parquet(content)
    lines = list(_lines(_text(content)))
    if not lines or len(lines[0][1]) < 2:
        raise ValueError(
            "the table must have at least 2 columns, parted by commas, semicolons, tabs or bars"
        )
    width = len(lines[0][1])
    for number_, row in lines:
        if len(row) != width:
            raise ValueError(f"line {number_}: must have {width} cells as line 1; got {len(row)}")
    named = not any(number(cell) is not None for cell in lines[0][1])
    names = tuple(lines[0][1]) if named else tuple(f"column {i + 1}" for i in range(width))
    _refuse_names(names)
    rows = lines[1:] if named else lines
    if len(rows) < FEWEST_ROWS:
        raise ValueError(
            f"the table must have at least {FEWEST_ROWS} rows under the names; got {len(rows)}"
        )
    return Sheet(names, tuple(tuple(row) for _, row in rows), tuple(line for line, _ in rows))


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"the table must be text in UTF-8; byte {error.start} is not") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ValueError(f"line {line}: must hold no zero bytes; is it another kind of file?")
    return text


def _refuse_names(names: Sequence[str]) -> None:
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled:
        raise ValueError(f"line 1: two columns are called {doubled!r:.80}; rename one")
    if "" in names:
        place = names.index("") + 1
        raise ValueError(f"line 1: column {place} has no name; give it one")


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Lines that are not empty, with their numbers, cut into cells.

    A comma parts cells only where the first line has no tab, semicolon or bar: it may be a point.
    """
    head = text[:4000].partition("\n")[0]
    sign = next((sign for sign in "\t;|" if sign in head), ",")
    reader = csv.reader(io.StringIO(text), delimiter=sign, strict=True)
    count = 0
    try:
        for row in reader:
            if len(row) > MOST_COLUMNS:
                raise ValueError(
                    f"line {reader.line_num}: the table must have at most {MOST_COLUMNS} columns; "
                    f"got {len(row)}"
                )
            if any(cell.strip() for cell in row):
                count += 1
                if count > MOST_ROWS + 1:
                    raise ValueError(f"the table must have at most {MOST_ROWS:,} rows")
                yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from None


def number(cell: str) -> float | None:
    """The number in a cell, with point or comma; None for words and for NaN."""
    try:
        value = float(cell.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def missing(cell: str) -> bool:
    """Whether a cell says that there is nothing."""
    return cell.lower() in MISSING


def from_parquet(content: bytes) -> bytes:
    """A Parquet file as CSV in UTF-8; what it says of its sizes is held against the limits first.

    Raises:
        ValueError: It is no Parquet file, too large, or a column holds no plain values.
    """
    import pyarrow as arrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        told = file.metadata
        size = sum(told.row_group(k).total_byte_size for k in range(told.num_row_groups))
        if told.num_rows > MOST_ROWS or told.num_columns > MOST_COLUMNS:
            raise ValueError(
                f"the table must have at most {MOST_ROWS:,} rows and {MOST_COLUMNS} columns; "
                f"got {told.num_rows:,} and {told.num_columns}"
            )
        if size > LARGEST_UNPACKED:
            raise ValueError(
                f"the table must unpack to at most {LARGEST_UNPACKED:,} bytes; got {size:,}"
            )
        for field in file.schema_arrow:
            if arrow.types.is_nested(field.type) or arrow.types.is_binary(field.type):
                raise ValueError(
                    f"column {field.name!r:.80}: must hold plain values; got {field.type}"
                )
        table = file.read()
    except (arrow.ArrowException, OSError) as error:
        raise ValueError(f"the Parquet file is corrupt: {str(error)[:200]}") from None
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(table.column_names)
    columns = [[_cell(value) for value in column.to_pylist()] for column in table.columns]
    writer.writerows(zip(*columns, strict=True))
    return written.getvalue().encode()


def _cell(value: object) -> str:
    """A value as a cell says it; nothing for what is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return repr(value) if isinstance(value, float) else str(value)
