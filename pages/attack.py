"""Fool the trained model: turn epsilon up until its answer flips."""

import streamlit as st

from ui import stage, study

now = stage.show()
stage.trained_or_stop(now)
st.markdown(
    "How little must change before **your** model is wrong? Turn *epsilon* up: no pixel moves by "
    "more than that. These methods are here to understand and harden your own models."
)
study.show("engine.attack.study:study", now, key="attack")
st.page_link("export.py", label="**Take it home**", icon=":material/download:")
