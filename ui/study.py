"""A page that looks at the trained model through an interactive run, as Explain and Attack do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from engine.jobs import Run, board
from engine.store.home import run_folder
from engine.store.projects import Project
from ui import asked, components
from ui.visitor import visitor


def show(
    entry: str, now: Project, *, key: str, options: Mapping[str, tuple[str, ...]] | None = None
) -> None:
    """The live view of `entry` on the project's trained model.

    Args:
        entry: A generator function whose first parameter is the folder of the trained model.
        now: The project on stage.
        key: The page's own.
        options: Text controls for which the page knows all words.
    """
    run = _run(entry, now, key)
    sent = components.live(
        run.id, key=f"{key}.view", form=asked.form(entry), values=run.live, options=options or {}
    )
    if sent and (sent.get("again") or sent.get("resume")):
        st.session_state.pop(f"{key}.run", None)
        st.rerun()


def layers(spec: Mapping[str, Any], category: str) -> tuple[str, ...]:
    """The ids of the network's layers of a category, in order."""
    types = {entry["type"] for entry in asked.layers() if entry["category"] == category}
    return tuple(node["id"] for node in spec.get("nodes", []) if node["type"] in types)


def _run(entry: str, now: Project, key: str) -> Run:
    """This session's run for the trained model; a new one when the model was trained anew."""
    weights = run_folder(now.run) / "weights.safetensors"
    wanted = (now.run, weights.stat().st_mtime_ns)
    kept = st.session_state.get(f"{key}.run")
    if kept and kept[1] == wanted:
        try:
            return board().find(kept[0])
        except LookupError:
            pass  # the server forgot it after a restart: begin again
    if kept:
        board().stop(kept[0])
    settings = {"model": str(run_folder(now.run))}
    run = board().start(entry, settings, owner=visitor(), title=now.name)
    st.session_state[f"{key}.run"] = (run.id, wanted)
    return run
