"""Data sets that are embedded or downloaded once, each with its own settings."""

from __future__ import annotations

import streamlit as st

from engine.store.projects import Project
from ui import asked, project, widgets
from ui.data_name import joined, parts

TABLE = "engine.data:datasets"
KINDS = {
    "plane": "points of the plane",
    "table": "tables",
    "image": "pictures",
    "text": "texts",
    "series": "series",
    "points": "clouds of points",
    "graph": "graphs",
}


def show(now: Project) -> None:
    """The choice of a data set, and its settings as widgets."""
    entries = {entry["name"]: entry for entry in asked.table(TABLE)}
    order = sorted(entries, key=lambda name: list(KINDS).index(entries[name]["kind"]))
    name, settings = parts(now.data)
    chosen = st.selectbox(
        "Data set",
        order,
        order.index(name) if name in entries else None,
        format_func=lambda one: _words(one, str(entries[one]["kind"])),
        key=f"data.hand.{name}",
        placeholder="Choose one",
    )
    if chosen is None:
        st.caption("You brought your own data; choose a set here to go back to one at hand.")
        return
    if chosen != name:
        project.change(data=chosen)
        st.rerun()
    entry = entries[chosen]
    st.caption(str(entry["help"]))
    if entry.get("download"):
        st.caption("Downloaded once, held against its published checksum, then kept.")
    form = asked.method_form(TABLE, chosen)
    key = f"data.own.{chosen}"
    if key not in st.session_state:
        st.session_state[key] = True
        widgets.preset(form, key, {k: v for k, v in settings.items() if k in form.controls})
    turned = widgets.controls(form, key, live=True)
    own = {k: v for k, v in turned.items() if v != form.defaults[k]}
    others = {k: v for k, v in settings.items() if k not in form.controls}
    wanted = joined(chosen, {**own, **others})
    if wanted != joined(name, settings):
        project.change(data=wanted)
        st.rerun()


def _words(name: str, kind: str) -> str:
    return f"{name.replace('_', ' ')} · {KINDS[kind]}"
