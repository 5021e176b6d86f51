"""A text of one's own, learnt character by character."""

from __future__ import annotations

import streamlit as st

from engine.jobs import CallError, call
from engine.store.projects import Project
from ui import project
from ui.data_name import joined


def show(now: Project) -> None:
    """A file, and how long its windows are."""
    del now
    file = st.file_uploader("A text in UTF-8", type=["txt", "md"], key="data.text")
    if file is None:
        st.caption("The network learns to say which character comes next.")
        return
    length = st.slider("Characters of a window", 16, 256, 64, 16)
    if st.button("Use this text", type="primary"):
        try:
            kept: str = call("engine.data.own_text:keep", {"content": file.getvalue()})
        except CallError as error:
            st.error(str(error))
            return
        project.change(data=joined(kept, {"length": length}))
        st.rerun()
