"""Take the model home: a PyTorch script that stands alone, and its weights."""

import json

import streamlit as st

from engine.store.home import run_folder
from ui import asked, project, stage

now = stage.show()
run = project.last_run(now)
settings = dict(run.settings) if run is not None else {}
settings.pop("spec", None)
text = asked.script(json.dumps(now.spec), json.dumps({"data": now.data, **settings}))
trained = project.summary(now)

st.markdown(
    "One readable script builds, loads, trains and judges **your** model with PyTorch alone; it "
    "does not import this playground. With the weights beside it, it gives the same answers."
)
with st.container(horizontal=True):
    st.download_button(
        "PyTorch script",
        text,
        "model.py",
        "text/x-python",
        type="primary",
        icon=":material/code:",
        on_click="ignore",
    )
    if trained is not None:
        weights = (run_folder(now.run) / "weights.safetensors").read_bytes()
        st.download_button(
            "Weights (safetensors)",
            weights,
            "model.safetensors",
            "application/octet-stream",
            icon=":material/scale:",
            on_click="ignore",
        )
    st.download_button(
        "Network (JSON)",
        json.dumps(now.spec, indent=1),
        "model.json",
        "application/json",
        icon=":material/account_tree:",
        on_click="ignore",
    )
if trained is None:
    st.info("There are no weights yet: train the model first, and they can be taken along.")
    st.page_link("train.py", label="Go to **Train**", icon=":material/play_circle:")
else:
    st.code("python model.py --weights model.safetensors   # judges the model on its data", "bash")
st.code(text, language="python", line_numbers=True, height=520)
st.page_link("labs.py", label="**Learn how it works**", icon=":material/school:")
