"""What a run's folder says of itself: the truth that the register is an index of.

A folder counts as kept when it holds a network or weights; a lab's run, of which nothing but its
record is left, does not. What people call a run, and whose it is, stands in `label.json`, so that
a lost register is made anew from the folders alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.store.alive import alive
from engine.store.files import write_json

LONGEST_NAME = 80
ENDED = frozenset({"finished", "failed", "stopped"})
LABEL = "label.json"
_SIGNS = ("spec.json", "weights.safetensors", "checkpoint.json")  # any of them: it is kept
_FIGURES = ("accuracy", "R²", "loss", "perplexity", "samples")


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run as its folder tells it.

    Attributes:
        id: Its folder's name; cannot be guessed.
        owner: Whose it is; empty for a model that nobody has taken on stage yet.
        name: What people call it.
        entry: What ran, `"package.module:name"`; empty for a model that was not trained here.
        origin: `trained`, or where the weights are from: `first`, `imported`, `edited`.
        model: The network's title.
        data: Name of the data set.
        state: As of `engine.jobs`; a run whose server is gone has failed.
        created: When it was begun [s since 1970].
        ended: When it ended [s since 1970], or None.
        steps: Steps taken.
        epochs: Epochs completed.
        parameters: How many numbers it learns.
        size: What the folder takes on disk [byte].
        parent: The run it was branched or edited from; empty for none.
        settings: How it was trained, as at its beginning.
        figures: What was measured last, on validation samples: `accuracy` or `R²`, `loss`, ...
    """

    id: str
    owner: str = ""
    name: str = ""
    entry: str = ""
    origin: str = "trained"
    model: str = ""
    data: str = ""
    state: str = "finished"
    created: float = 0.0
    ended: float | None = None
    steps: int = 0
    epochs: int = 0
    parameters: int = 0
    size: int = 0
    parent: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in ENDED

    @property
    def standing(self) -> str:
        """Its state; of a model that was not trained here, where its weights are from."""
        return self.state if self.entry else self.origin.replace("first", "first weights")

    @property
    def score(self) -> float | None:
        """Its validation accuracy or R² [1]; None where there is none."""
        return self.figures.get("accuracy", self.figures.get("R²"))

    @property
    def seconds(self) -> float | None:
        """From its beginning to its end [s]; None while it goes on, or where that is unknown."""
        return None if self.ended is None or not self.entry else self.ended - self.created


def read(folder: Path) -> KeptRun | None:
    """The run in a folder; None where nothing worth keeping is in it."""
    record, label = content(folder / "run.json"), content(folder / LABEL)
    if not _begun(record) and not any((folder / sign).is_file() for sign in _SIGNS):
        return None
    asked = _mapping(record.get("settings"))
    spec = content(folder / "spec.json") or _mapping(asked.get("spec"))
    summary, settings = content(folder / "summary.json"), content(folder / "settings.json")
    branch = _mapping(asked.get("branch"))
    model = str(spec.get("title") or settings.get("family") or "")  # a family: it generates
    steps = summary.get("steps", content(folder / "checkpoint.json").get("step"))
    return KeptRun(
        id=folder.name,
        owner=str(label.get("owner") or record.get("owner") or ""),
        name=str(label.get("name") or record.get("title") or model or "A network"),
        entry=str(record.get("entry") or ""),
        origin=str(summary.get("origin") or ("trained" if record else "imported")),
        model=model,
        data=str(settings.get("data") or asked.get("data") or summary.get("data") or ""),
        state=_state(record),
        created=_number(record.get("created")) or _written(folder),
        ended=_number(record.get("ended")),
        steps=int(_number(steps) or 0),
        epochs=int(_number(summary.get("epochs")) or 0),
        parameters=int(_number(summary.get("parameters")) or 0),
        size=_size(folder),
        parent=str(branch.get("run") or summary.get("parent") or ""),
        settings={name: value for name, value in settings.items() if name != "data"},
        figures={name: v for name in _FIGURES if (v := _number(summary.get(name))) is not None},
    )


def label(folder: Path, **fields: str) -> None:
    """Write what people call a run, or whose it is."""
    write_json(folder / LABEL, {**content(folder / LABEL), **fields})


def good_name(name: str) -> str:
    """A name as it is kept.

    Raises:
        ValueError: It is empty, too long, or has signs that cannot be seen.
    """
    found = " ".join(name.split())
    if not found or len(found) > LONGEST_NAME or not found.isprintable():
        raise ValueError(
            f"a run's name must have 1 to {LONGEST_NAME} signs that can be seen; got {name!r:.120}"
        )
    return found


def content(path: Path) -> dict[str, Any]:
    """A small JSON file of a folder; empty where it is missing or broken: the rest is shown."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return _mapping(found)


def _begun(record: Mapping[str, Any]) -> bool:
    """Whether a training waits or has just begun, so that its files are still to come."""
    return str(record.get("entry") or "").endswith(":train") and _state(record) not in ENDED


def _state(record: Mapping[str, Any]) -> str:
    """The state as recorded; a run under way whose server is gone has failed."""
    state = str(record.get("state") or "finished")
    return state if state in ENDED or alive(str(record.get("process") or "")) else "failed"


def _written(folder: Path) -> float:
    """When a model without a record was put here [s since 1970]."""
    times = [(folder / sign).stat().st_mtime for sign in _SIGNS if (folder / sign).is_file()]
    return min(times, default=0.0)


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size if path.is_file() else 0
        except OSError:  # written anew at this moment
            continue
    return total


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain else None  # type: ignore[arg-type] # a number
