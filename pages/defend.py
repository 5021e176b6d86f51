"""Harden the trained model: train a defended one, prove what holds, see what only seems to."""

import streamlit as st

from ui import stage
from ui.arena import page
from ui.arena.sections import DEFEND

now = stage.show()
page.show(now, stage.trained_or_stop(now), DEFEND, key="defend")
with st.container(horizontal=True):
    st.page_link("attack.py", label="**Attack it again**", icon=":material/bolt:")
    st.page_link("export.py", label="**Take it home**", icon=":material/download:")
