"""The same look into a transformer of Hugging Face, by its name or from a folder."""

from __future__ import annotations

import streamlit as st

from engine.jobs import Run, board
from engine.store.projects import Project
from ui import asked, study
from ui.inside import Section
from ui.inside.attention import ENTRY
from ui.visitor import visitor

KEY = "inside.transformer"


def show(now: Project) -> None:
    """A name to type, and the live view once there is one."""
    del now
    st.markdown(
        "A language model from Hugging Face: its **name** (fetched once, where there is a network) "
        "or a **folder** in `PLAYGROUND_MODELS`. Only safetensors are opened; no code is run."
    )
    with st.form(f"{KEY}.form", border=False):
        row = st.container(horizontal=True, vertical_alignment="bottom")
        name = row.text_input("Model", placeholder="distilgpt2", max_chars=200, key=f"{KEY}.name")
        asked_for = row.form_submit_button("Open", type="primary", icon=":material/hub:")
    if asked_for and name.strip():
        _end()
        run = board().start(
            ENTRY, {"model": f"transformer:{name.strip()}"}, owner=visitor(), title=name[:60]
        )
        st.session_state[f"{KEY}.run"] = run.id
    run_now = _now()
    if run_now is None:
        st.caption("Nothing is open yet.")
        return
    study.view(
        run_now,
        asked.form(ENTRY),
        key=KEY,
        options={"source": ("sample", "typed")},
        columns=3,
        top=["input", "source", "neuron"],
    )


def _now() -> Run | None:
    return board().known(st.session_state.get(f"{KEY}.run"))


def _end() -> None:
    run = _now()
    if run is not None:
        run.stop()


SECTION = Section(
    "Hugging Face", ":material/cloud_download:", 90, lambda _: "", show, of_stage=False
)
