"""What a visitor has done: which labs were opened, predicted and verified."""

from __future__ import annotations

import json
from pathlib import Path

from engine.store.files import write_json
from engine.store.home import home


def done(visitor: str) -> dict[str, list[str]]:
    """Lab id -> what was done with it."""
    try:
        found: dict[str, list[str]] = json.loads(_path(visitor).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found


def mark(visitor: str, lab: str, what: str) -> None:
    """Remember that `what` was done with a lab."""
    now = done(visitor)
    if what in now.get(lab, []):
        return
    now.setdefault(lab, []).append(what)
    write_json(_path(visitor), now)


def _path(visitor: str) -> Path:
    return home() / "progress" / f"{visitor}.json"
