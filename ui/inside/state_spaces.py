"""What the state spaces of the model on stage let in, keep and forget."""

from __future__ import annotations

import streamlit as st

from engine.store.projects import Project
from ui import study
from ui.inside import Section

ENTRY = "engine.memory.spaces:study"
TYPES = {"S4D", "Mamba"}


def misfit(now: Project) -> str:
    """Why there is nothing to show, or an empty text."""
    if any(node["type"] in TYPES for node in study.all_nodes(now.spec)):
        return ""
    return (
        "This network has no state space. Add an S4D or a Mamba layer in Build, or put Small Mamba "
        "on stage under Change model."
    )


def show(now: Project) -> None:
    """A sentence, and the live view."""
    st.markdown(
        "A state space reads place by place and keeps one state. **Click a cell** to follow a "
        "channel: how large a step it takes at each token, what it lets in, what it still holds."
    )
    study.show(ENTRY, now, key="spaces", columns=2, top=["text", "channels"])


SECTION = Section("State space", ":material/waves:", 50, misfit, show)
