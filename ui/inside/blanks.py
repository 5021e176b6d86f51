"""Fill blanks with the model on stage: what stands around a blank tells what it was."""

from __future__ import annotations

import streamlit as st

from engine.store.projects import Project
from ui import asked, study
from ui.inside import Section

ENTRY = "engine.generate.fill:study"
KEY = "blanks"
MISFIT = (
    "This network has not learnt to fill blanks. Put a *Small BERT that fills blanks* on stage "
    "under Change model, and train it."
)


def misfit(now: Project) -> str:
    """Why there is nothing to show, or an empty text."""
    return "" if now.data.partition("?")[0] == "blanks" else MISFIT


def show(now: Project) -> None:
    """A sentence, and the live view."""
    st.markdown(
        "Your model reads from **both sides** of a blank. Type words and `_` for a blank: the one "
        "it is surest of is filled first, then it thinks again. Click a word to see its odds."
    )
    run = study.begun(ENTRY, now, key=KEY)
    study.view(run, asked.form(ENTRY), key=KEY, columns=2, top=["text filled"])


SECTION = Section("Blanks", ":material/select_all:", 25, misfit, show)
