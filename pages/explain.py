"""Why did it say so? Attributions of the trained model on a test picture or a drawn one."""

import streamlit as st

from ui import stage, study

now = stage.show()
stage.trained_or_stop(now)
st.markdown(
    "Which pixels made **your** model decide? Pick a test picture, or draw one. Blue speaks for "
    "the class, orange against it."
)
convolutions = ("", *study.layers(now.spec, "Convolution"))
study.show("engine.explain.study:study", now, key="explain", options={"layer": convolutions})
st.page_link("attack.py", label="**Now fool it**", icon=":material/bolt:")
