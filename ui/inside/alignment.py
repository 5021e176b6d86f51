"""Where a translator looks while it writes."""

from __future__ import annotations

import streamlit as st

from engine.store.projects import Project
from ui import study
from ui.inside import Section
from ui.inside.generation import text_inputs

ENTRY = "engine.memory.translating:study"


def misfit(now: Project) -> str:
    """Why there is nothing to show, or an empty text."""
    if len(text_inputs(now.spec)) == 2:
        return ""
    return (
        "This network does not translate: it needs a source and a target. Put a *Small translator "
        "with Bahdanau attention* on stage under Change model."
    )


def show(now: Project) -> None:
    """A sentence, and the live view."""
    st.markdown(
        "Your translator writes word by word; each row says where it looked in the source. "
        "**Step** through a sentence and see colours and nouns change places."
    )
    study.show(ENTRY, now, key="alignment", columns=2, top=["source", "alignment"])


SECTION = Section("Alignment", ":material/compare_arrows:", 40, misfit, show)
