"""Look inside the model on stage: who looks at whom, and what else can be seen of its insides."""

import streamlit as st

from ui import inside, stage

now = stage.show()
stage.trained_or_stop(now)
inside.show(now)
st.page_link("explain.py", label="**Ask it why**", icon=":material/visibility:")
