"""Harden the trained model: train a defended one, prove what holds, see what only seems to."""

import streamlit as st

from ui import stage
from ui.arena import page
from ui.arena.sections import DEFEND

now = stage.show()
trained = stage.trained_or_stop(now)
if page.reads(now):
    st.info(
        "These defences bound how far numbers may move; words cannot move a little. "
        "On **Attack** you can still see what a text model falls for."
    )
else:
    page.show(now, trained, DEFEND, key="defend")
with st.container(horizontal=True):
    st.page_link("attack.py", label="**Attack it again**", icon=":material/bolt:")
    st.page_link("export.py", label="**Take it home**", icon=":material/download:")
