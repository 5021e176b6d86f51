"""Who looks at whom: every attention of the model on stage."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.store.projects import Project
from ui import asked, study
from ui.explaining import bring
from ui.inside import Section

ENTRY = "engine.attention.study:study"
KEY = "attention"
# in the category of attention too, but nothing looks at anything there
NO_ATTENTION = {"RotaryPositions", "PaddingMask"}


def misfit(now: Project) -> str:
    """Why there is nothing to show, or an empty text."""
    types = {entry["type"] for entry in asked.layers() if entry["category"] == "Attention"}
    if any(node["type"] in types - NO_ATTENTION for node in study.all_nodes(now.spec)):
        return ""
    return (
        "This network has no attention. Add a SelfAttention, a MultiheadAttention or a Transformer "
        "layer in Build, or put a Transformer on stage under Change model."
    )


def show(now: Project) -> None:
    """A sentence, and the live view."""
    st.markdown(
        "Each token looks at others and takes what it needs. **Click a map** to see that head, "
        "**point at a token** to see it everywhere, then *change* something inside."
    )
    run = study.begun(ENTRY, now, key=KEY)
    sources = _sources(now.spec)
    if "yours" in sources:
        with st.popover("Your own picture", icon=":material/add_photo_alternate:"):
            bring.picture(run, bring.shape_of(now), key=KEY)
    study.view(
        run,
        asked.form(ENTRY),
        key=KEY,
        options={"source": sources},
        columns=3,
        top=["input", "source", "neuron"],
    )


def _sources(spec: dict[str, Any]) -> tuple[str, ...]:
    """What can be put in: words for those who read tokens, drawings for those who see."""
    inputs = [node.get("params", {}) for node in spec.get("nodes", []) if node["type"] == "Input"]
    if any(params.get("dtype") == "token" for params in inputs):
        return ("sample", "typed")
    pictures = any(len(params.get("shape", ())) == 3 for params in inputs)
    return ("sample", "drawing", "yours") if pictures else ("sample",)


SECTION = Section("Attention", ":material/hub:", 10, misfit, show)
