"""Take the model home: as code, weights, ONNX, a picture, or a link."""

import json

import streamlit as st

from ui import project, stage, taking

now = stage.show()
run = project.last_run(now)
settings = {"data": now.data, **(dict(run.settings) if run is not None else {})}
settings.pop("spec", None)
trained = project.summary(now)

st.markdown(
    "Everything here is **your** model: code that runs without this playground, its weights, and "
    "files that other programs read. With the weights beside it, it gives the same answers."
)
chosen = taking.choose()
if trained is None and chosen["holds"]:
    st.info(
        "The model has not been trained yet: the file holds its first, random weights. Train it "
        "first, and it holds what it has learnt."
    )
    st.page_link("train.py", label="Go to **Train**", icon=":material/play_circle:")
taking.show(chosen, now, json.dumps(settings))
st.page_link("labs.py", label="**Learn how it works**", icon=":material/school:")
