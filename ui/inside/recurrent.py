"""Gates and states of the recurrent layers of the model on stage."""

from __future__ import annotations

import streamlit as st

from engine.store.projects import Project
from ui import study
from ui.inside import Section

ENTRY = "engine.memory.study:study"
PARTS = {
    "RNN": ("state h",),
    "GRU": ("state h", "reset gate r", "update gate z", "candidate n"),
    "LSTM": (
        *("state h", "memory c", "input gate i", "forget gate f", "output gate o"),
        "candidate g",
    ),
}


def misfit(now: Project) -> str:
    """Why there is nothing to show, or an empty text."""
    if any(node["type"] in PARTS for node in study.all_nodes(now.spec)):
        return ""
    return (
        "This network has no recurrent layer. Add an RNN, a GRU or an LSTM in Build, or put a "
        "Character LSTM on stage under Change model."
    )


def show(now: Project) -> None:
    """A sentence, and the live view."""
    st.markdown(
        "What the recurrent layers carry along the text. **Click a cell** to see that unit at that "
        "place: how its gates open, which text it goes with, and how far back its gradient reaches."
    )
    kinds = [node["type"] for node in study.all_nodes(now.spec) if node["type"] in PARTS]
    parts = tuple(dict.fromkeys(part for kind in kinds for part in PARTS[kind]))
    study.show(
        ENTRY, now, key="recurrent", options={"part": parts}, columns=2, top=["text", "units"]
    )


SECTION = Section("Recurrence", ":material/restart_alt:", 30, misfit, show)
