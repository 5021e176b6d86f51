"""The visitor's model on stage, read and changed by every page."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from engine.jobs import Run, board, call
from engine.store import projects
from engine.store.home import run_folder
from engine.store.projects import Project
from ui import asked
from ui.visitor import visitor


def current() -> Project:
    """The visitor's project; a fresh one for a first visit."""
    return projects.load(visitor()) or _first()


def change(**fields: Any) -> Project:
    """Keep the project with some fields changed; a new network has not been trained yet."""
    before = current()
    if "spec" in fields and not _same(fields["spec"], before.spec):
        fields.setdefault("run", "")
    after = replace(before, **fields)
    projects.keep(visitor(), after)
    return after


def take(spec: dict[str, Any], revision: int, *, run: str = "") -> Project:
    """Keep what the canvas sent.

    Args:
        spec: The network.
        revision: Which edit it is.
        run: The kept model that came in together with it, if its weights did.
    """
    known = {"run": run} if run and summary(replace(current(), run=run)) else {}
    return change(spec=spec, revision=revision, **known)


def last_run(project: Project) -> Run | None:
    """The run that trains or trained the project's network, if it is still known."""
    if not project.run:
        return None
    try:
        return board().find(project.run)
    except LookupError:
        return None


def summary(project: Project) -> dict[str, Any] | None:
    """What the training run wrote of its result; None before there are weights."""
    if not project.run:
        return None
    folder = run_folder(project.run)
    try:
        if not (folder / "weights.safetensors").exists():
            return None
        found: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return None
    return found


def _first() -> Project:
    """LeNet on MNIST where the files are at hand, on the embedded digits otherwise."""
    at_hand = call("engine.data.sets.digits:at_hand", {})
    name, data = ("lenet", "mnist") if at_hand else ("lenet-digits", "digits")
    return Project(name="My digit reader", spec=asked.template(name), data=data)


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two specs are the same network; where nodes stand on the canvas does not count."""
    return _shape(one) == _shape(other)


def _shape(spec: dict[str, Any]) -> dict[str, Any]:
    plain = {"position", "label"}
    nodes = [{k: v for k, v in node.items() if k not in plain} for node in spec.get("nodes", [])]
    return {**spec, "nodes": nodes}
