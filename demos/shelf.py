"""Finding the labs: every file of every chapter, in the order of chapters and names."""

from __future__ import annotations

import difflib
import functools
import importlib
import pkgutil
import traceback
from dataclasses import dataclass

import demos
from demos.kit import Lab


@dataclass(frozen=True, slots=True)
class Broken:
    """A lab file that is no lab; shown in its place with the reason, never dropped."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """A folder of labs.

    Attributes:
        id: Its name in addresses.
        title: The first sentence of its `__init__` docstring, without the full stop.
        order: Its place in the curriculum.
        labs: Its labs, in the order of their file names.
    """

    id: str
    title: str
    order: int
    labs: tuple[Lab | Broken, ...]


@functools.cache
def chapters() -> tuple[Chapter, ...]:
    """All chapters in the order of the curriculum."""
    found = [_chapter(m.name) for m in pkgutil.iter_modules(demos.__path__) if m.ispkg]
    return tuple(sorted(found, key=lambda chapter: chapter.order))


def shelf() -> tuple[Lab | Broken, ...]:
    """All labs, chapter by chapter."""
    return tuple(entry for chapter in chapters() for entry in chapter.labs)


def find(id: str) -> Lab:
    """The lab of that id, or the one that covers the ledger's topic of that id.

    Raises:
        LookupError: There is none, or its file is broken; says why, or what is near.
    """
    by_id = {entry.id: entry for entry in shelf()}
    by_topic = {
        topic: entry for entry in shelf() if isinstance(entry, Lab) for topic in entry.covers
    }
    match by_id.get(id, by_topic.get(id)):
        case Lab() as lab:
            return lab
        case Broken(reason=reason):
            raise LookupError(f"the file of lab {id!r} is broken: {reason}")
        case None:
            near = difflib.get_close_matches(id, [*by_id, *by_topic], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise LookupError(f"no lab {id!r:.80}{hint}")


def _chapter(name: str) -> Chapter:
    package = importlib.import_module(f"demos.{name}")
    files = sorted(m.name for m in pkgutil.iter_modules(package.__path__))
    return Chapter(
        id=name,
        title=(package.__doc__ or name).strip().splitlines()[0].rstrip("."),
        order=getattr(package, "ORDER", 99),
        labs=tuple(_open(f"demos.{name}.{file}") for file in files if not file.startswith("_")),
    )


def _open(name: str) -> Lab | Broken:
    id = name.removeprefix("demos.")
    try:
        module = importlib.import_module(name)
    except Exception:  # noqa: BLE001 - a fault of one file must not hide the others
        return Broken(id, traceback.format_exc())
    if not isinstance(getattr(module, "run", None), Lab):
        return Broken(id, "it has no function run decorated with @lab")
    if not callable(getattr(module, "check", None)):
        return Broken(id, "it has no function check")
    run: Lab = module.run
    return run
