"""Python that is laid out as ruff lays it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Call:
    """Things in brackets: `open` with its bracket, what is between, and the closing bracket."""

    open: str
    parts: Sequence[str | Call]
    close: str = ")"

    def __str__(self) -> str:
        return f"{self.open}{', '.join(map(str, self.parts))}{self.close}"


def lines(indent: int, thing: str | Call, before: str = "", after: str = "") -> list[str]:
    """`before thing after` on one line, or on as many as it takes."""
    space = " " * indent
    whole = f"{space}{before}{thing}{after}"
    if len(whole) <= WIDTH or isinstance(thing, str) or not thing.parts:
        return [whole]
    inner = f"{space}    {', '.join(map(str, thing.parts))}"
    found = [f"{space}{before}{thing.open}"]
    if len(inner) <= WIDTH:
        found.append(inner)
    elif len(thing.parts) == 1 and isinstance(thing.parts[0], Call):
        found += lines(indent + 4, thing.parts[0])
    else:
        for part in thing.parts:
            found += lines(indent + 4, part, after=",")
    return [*found, f"{space}{thing.close}{after}"]


def commented(line: str, comment: str) -> str:
    """A line with a comment behind it, if there is room."""
    whole = f"{line}  # {comment}"
    return whole if len(whole) <= WIDTH else line
