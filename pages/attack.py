"""Fool the trained model: turn the budget up until its answer flips; race, compare, transfer."""

import streamlit as st

from ui import stage
from ui.arena import page
from ui.arena.sections import ATTACK, TEXT

now = stage.show()
trained = stage.trained_or_stop(now)
page.show(now, trained, TEXT if page.reads(now) else ATTACK, key="attack")
with st.container(horizontal=True):
    st.page_link("defend.py", label="**Now harden it**", icon=":material/shield:")
    st.page_link("export.py", label="**Take it home**", icon=":material/download:")
