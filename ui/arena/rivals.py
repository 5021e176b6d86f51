"""The visitor's kept models that can be compared with the one on stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.jobs import board
from engine.store.home import run_folder
from engine.store.projects import Project
from ui.visitor import visitor

TRAINED = "engine.training.run:train"
HARDENED = "engine.defend.harden:harden"
MOST = 12


def rivals(now: Project) -> list[dict[str, str]]:
    """The model on stage first, then others that learnt from the same data, newest first."""
    own = run_folder(now.run)
    found = [{"name": now.name, "folder": str(own)}]
    data = _data(own)
    for run in board().runs(visitor()):
        if run.entry == TRAINED and run.folder != own:
            _add(found, run.title or "model", run.folder, data)
        if run.entry == HARDENED:
            recipe = str(run.settings.get("recipe", "defended"))
            _add(found, f"{run.title}, {recipe}", run.folder, data)
            _add(found, f"{run.title}, plain beside {recipe}", run.folder / "plain", data)
        if len(found) >= MOST:
            break
    return found


def _add(found: list[dict[str, str]], name: str, folder: Path, data: str) -> None:
    if not (folder / "weights.safetensors").is_file() or _data(folder) != data:
        return
    taken = {one["name"] for one in found}
    number = 2
    wanted = name
    while wanted in taken:
        wanted, number = f"{name} ({number})", number + 1
    found.append({"name": wanted, "folder": str(folder)})


def _data(folder: Path) -> str:
    try:
        settings: dict[str, Any] = json.loads((folder / "settings.json").read_text("utf-8"))
    except (OSError, json.JSONDecodeError):
        return ""
    return str(settings.get("data", ""))
