"""A page that looks at the trained model through an interactive run, as Explain and Attack do."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from engine.forms import Form, Value
from engine.jobs import Run, board
from engine.store.home import run_folder
from engine.store.projects import Project
from ui import asked, components
from ui.visitor import visitor

CARRIED = {"source", "sample", "drawing", "yours", "target", "layer", "methods"}


def show(
    entry: str,
    now: Project,
    *,
    key: str,
    options: Mapping[str, tuple[str, ...]] | None = None,
    **layout: Any,
) -> None:
    """The live view of `entry` on the project's trained model.

    Args:
        entry: A generator function whose first parameter is the folder of the trained model.
        now: The project on stage.
        key: The page's own.
        options: Text controls for which the page knows all words.
        **layout: See `ui.components.live`.
    """
    run = begun(entry, now, key=key)
    view(run, asked.form(entry), key=key, options=options or {}, **layout)


def begun(
    entry: str, now: Project, *, key: str, settings: Mapping[str, Value] | None = None
) -> Run:
    """This session's run for the trained model; a new one when the model was trained anew.

    A page has one such run at a time: where it changes from one entry to another, the sample and
    what is asked of it stay.

    Args:
        entry: As for `show`.
        now: The project on stage.
        key: The page's own.
        settings: What a first run begins with.
    """
    folder = run_folder(now.run)
    stamp = (folder / "weights.safetensors").stat().st_mtime_ns
    return opened(entry, str(folder), stamp, key=key, settings=settings, title=now.name)


def opened(
    entry: str,
    model: str,
    stamp: int,
    *,
    key: str,
    settings: Mapping[str, Value] | None = None,
    title: str = "",
    parameter: str = "model",
) -> Run:
    """This session's run of `entry` for a model, as `begun`; a new one when the stamp changes.

    Args:
        entry: A generator function whose first parameter is a model.
        model: What that parameter takes.
        stamp: Changes when the model does.
        key: The page's own.
        settings: What a first run begins with.
        title: What the run is called.
        parameter: What that first parameter is called.
    """
    wanted = (entry, model, stamp)
    kept = st.session_state.get(f"{key}.run")
    stands = board().known(kept[0]) if kept else None
    carried: dict[str, Value] = {}
    if kept and stands is not None:
        if kept[1] == wanted:
            return stands
        if kept[1][1:] == wanted[1:]:
            carried = {name: value for name, value in stands.live.items() if name in CARRIED}
        stands.stop()
    form = asked.form(entry)
    mixed = {**(settings or {}), **carried}
    fitting = {
        name: value
        for name, value in mixed.items()
        if name in form.controls and form.controls[name].refuse(value) is None
    }
    run = board().start(entry, {parameter: model, **fitting}, owner=visitor(), title=title)
    st.session_state[f"{key}.run"] = (run.id, wanted)
    return run


def view(
    run: Run,
    form: Form,
    *,
    key: str,
    only: Collection[str] | None = None,
    options: Mapping[str, tuple[str, ...]] | None = None,
    **layout: Any,
) -> None:
    """The live view of a run.

    Args:
        run: The run.
        form: Of its entry.
        key: The page's own.
        only: The live controls that stand beside the pictures; None for all.
        options: Text controls for which the page knows all words.
        **layout: See `ui.components.live`.
    """
    shown = form if only is None else _part(form, only)
    sent = components.live(
        run.id, key=f"{key}.view", form=shown, values=run.live, options=options or {}, **layout
    )
    if sent and (sent.get("again") or sent.get("resume")):
        st.session_state.pop(f"{key}.run", None)
        st.rerun()


def stands(run: Run, name: str) -> Value | None:
    """Where a live control of the run stands, from its first moment on."""
    found: Value | None = run.live.get(name, run.settings.get(name))
    return asked.form(run.entry).defaults.get(name) if found is None else found


def turn(run: Run, values: Mapping[str, Value]) -> None:
    """Set live controls from the page; what stands so already is left alone."""
    changed = {name: value for name, value in values.items() if stands(run, name) != value}
    if changed:
        with contextlib.suppress(ValueError):  # it has just ended: the live view says so
            run.command("set", changed)


def layers(spec: Mapping[str, Any], category: str) -> tuple[str, ...]:
    """The ids of the network's layers of a category, in order."""
    types = {entry["type"] for entry in asked.layers() if entry["category"] == category}
    return tuple(node["id"] for node in spec.get("nodes", []) if node["type"] in types)


def all_nodes(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The network's nodes, those inside of its blocks too."""
    graphs = [spec, *dict(spec.get("blocks") or {}).values()]
    return [node for graph in graphs for node in graph.get("nodes", [])]


def _part(form: Form, only: Collection[str]) -> Form:
    return replace(
        form,
        controls={name: form.controls[name] for name in only if name in form.controls},
        defaults={name: form.defaults[name] for name in only if name in form.controls},
    )
