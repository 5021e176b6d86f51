"""Points drawn on a pad, or pasted."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.jobs import CallError, call
from engine.store.projects import Project
from ui import components, project

KEY = "data.pad"


def show(now: Project) -> None:
    """The pad, with the points on stage where they are one's own."""
    put = st.session_state.get(KEY)
    if put is None:
        put = st.session_state[KEY] = {"points": [], "names": ["A", "B"], "revision": 0}
        if now.data.startswith("points:"):
            _put(_ask("engine.data.own_points:drawn", {"words": now.data.partition("?")[0]}))
            put = st.session_state[KEY]
    st.caption("Draw two classes or more; they become the data that your network learns.")
    sent = components.pad(put["points"], put["names"], put["revision"], key=f"{KEY}.pad")
    if sent:
        words = _ask("engine.data.own_points:keep", {k: sent[k] for k in ("points", "names")})
        if words is not None and words != now.data:
            project.change(data=words)
            st.rerun()
    with st.expander("Paste points", icon=":material/content_paste:"), st.form("data.paste"):
        text = st.text_area("A line each: x, y, class", height=120, placeholder="0.5, 1.2, red")
        if st.form_submit_button("Put them on the pad"):
            told = _ask("engine.data.own_points:read", {"text": text})
            if told is not None:
                _put(told)
                st.rerun()


def _put(told: dict[str, Any] | None) -> None:
    """Other points on the pad; what is drawn there can be had back by Undo."""
    if told is None:
        return
    before = st.session_state[KEY]
    st.session_state[KEY] = {
        "points": told["points"],
        "names": told["names"],
        "revision": before["revision"] + 1,
    }


def _ask(entry: str, arguments: dict[str, Any]) -> Any:
    try:
        return call(entry, arguments)
    except CallError as error:
        st.error(str(error))
        return None
