"""The model on stage: what one visitor is building, on which data, and the run that trained it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.store.files import write_json
from engine.store.home import home

_VISITOR = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True, slots=True)
class Project:
    """One model and where it is on its journey.

    Attributes:
        name: What the visitor calls it.
        spec: The network, as `NetworkSpec` in JSON.
        data: Name of the data set it is for.
        run: The id of the run that trained this very network, or "" when there is none.
        revision: Counts the edits of the network, so that echoes of an older one are ignored.
    """

    name: str
    spec: dict[str, Any]
    data: str
    run: str = ""
    revision: int = 0


def load(visitor: str) -> Project | None:
    """The visitor's project as it was last kept; None when there is none that can be read."""
    path = _path(visitor)
    try:
        return Project(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None


def keep(visitor: str, project: Project) -> None:
    """Write the project so that a half-written file can never be read."""
    write_json(_path(visitor), asdict(project))


def _path(visitor: str) -> Path:
    if not _VISITOR.fullmatch(visitor):
        raise ValueError(f"visitor: must be 8 to 64 letters, digits, - or _; got {visitor!r:.80}")
    return home() / "projects" / f"{visitor}.json"
