"""The section Pipelines: a Stable-Diffusion-class pipeline of one's own, through diffusers."""

from __future__ import annotations

import streamlit as st

from engine.jobs import call
from ui import asked, study

ENTRY = "engine.generate.studies.pipeline:study"
KEY = "generate.pipeline"


def show() -> None:
    """The pipelines that lie in the folder of models, and the live view of one."""
    st.markdown(
        "A large pipeline of **diffusers** from your own disk: words become an image, step by "
        "step. Only safetensors are opened; no code in the folder is run, nothing is fetched."
    )
    names: list[str] = call("engine.generate.pipeline:at_hand", {}, seconds=30)
    if not names:
        st.info(
            "None is here yet. Save one with `pipeline.save_pretrained(FOLDER)` into the folder "
            "that `PLAYGROUND_MODELS` names (else `models` in `~/.orrery`), and look again; "
            "`pip install -r requirements-diffusers.txt` brings the library."
        )
        if st.button("Look again", icon=":material/refresh:"):
            st.rerun()
        return
    name = str(st.selectbox("Pipeline", names, key=f"{KEY}.name"))
    run = study.opened(ENTRY, name, 0, key=KEY, title=name[:60], parameter="folder")
    study.view(run, asked.form(ENTRY), key=KEY, main="samples")
