"""The visitor's model on stage, read and changed by every page."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

from engine.jobs import CallError, Run, board, call
from engine.store import projects
from engine.store.home import run_folder
from engine.store.projects import Project
from engine.store.register import register
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
    if after.run and after.run != before.run:
        _own(after)
    projects.keep(visitor(), after)
    return after


def take(
    spec: dict[str, Any], revision: int, *, run: str = "", runs: dict[str, str] | None = None
) -> Project:
    """Keep what the canvas sent; what the network has learnt stays as long as it fits.

    Args:
        spec: The network.
        revision: Which edit it is.
        run: The kept model that came in together with it, if its weights did.
        runs: Which run belonged to which network, noted here: an edit that is taken back finds
            its weights again.
    """
    before, known = current(), {} if runs is None else runs
    if before.run:
        known[_key(before.spec)] = before.run
    found = run or known.get(_key(spec), "")
    if found and summary(replace(before, run=found)) is None:
        found = ""
    if not found and _key(spec, _BY_HAND) == _key(before.spec, _BY_HAND) and summary(before):
        found = _gone_on(before, spec)
    named = _named(before, spec)
    return change(spec=spec, revision=revision, **named, **({"run": found} if found else {}))


def _own(project: Project) -> None:
    """A model that was not trained here belongs to whoever puts it on stage first."""
    with contextlib.suppress(LookupError, ValueError):  # the register can be reached later, too
        register().claim(project.run, visitor(), project.name)


def _gone_on(before: Project, spec: dict[str, Any]) -> str:
    """The kept model with some connections cut or layers frozen; "" where that is refused."""
    arguments = {"run": before.run, "spec": spec, "data": before.data}
    try:
        id: str = call("engine.models.adopt:go_on", arguments, seconds=60)
    except CallError:
        return ""
    return id


def _named(before: Project, spec: dict[str, Any]) -> dict[str, str]:
    """Another name, and the data it is for, when another network was opened on the canvas."""
    title, old = spec.get("title", ""), before.spec.get("title", "")
    if title == old:
        return {}
    entry = next((one for one in asked.templates() if one["title"] == title), None)
    data = {"data": entry["data"]} if entry and entry["data"] else {}
    return {"name": title or "My own network", **data}


def last_run(project: Project) -> Run | None:
    """The run that trains or trained the project's network, if it is still known."""
    return board().known(project.run)


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
    name, data = ("lenet", "mnist") if asked.mnist() else ("lenet-digits", "digits")
    return Project(name="My digit reader", spec=asked.template(name), data=data)


# What of a node does not make it another network: where it stands, what it is called
_LOOKS = frozenset({"position", "label"})
# ... and what can be changed in a trained one, whose weights then still fit
_BY_HAND = _LOOKS | {"frozen", "cut"}


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two specs are the same network; where nodes stand on the canvas does not count."""
    return _key(one) == _key(other)


def _key(spec: dict[str, Any], without: frozenset[str] = _LOOKS) -> str:
    """Text that is equal for equal networks, some of the nodes' fields left aside."""

    def plain(graph: dict[str, Any]) -> dict[str, Any]:
        nodes = [
            {k: v for k, v in node.items() if v and k not in without} for node in graph["nodes"]
        ]
        # What is empty may be left out: the canvas writes it, the engine does not
        return {**{k: v for k, v in graph.items() if v}, "nodes": nodes}

    blocks = {name: plain(block) for name, block in (spec.get("blocks") or {}).items()}
    return json.dumps({**plain(spec), "blocks": blocks}, sort_keys=True)
