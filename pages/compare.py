"""Compare: a race of configurations, a sweep over settings, a cloud of seeds."""

import streamlit as st

from ui import contest, stage

now = stage.show()
chosen = st.segmented_control(
    "What to compare", list(contest.SECTIONS), default="Race", key="compare.section", required=True
)
contest.SECTIONS[chosen or "Race"](now)
with st.container(horizontal=True):
    st.page_link("train.py", label="**Train one of them**", icon=":material/play_circle:")
    st.page_link("runs.py", label="**Your runs**", icon=":material/inventory_2:")
