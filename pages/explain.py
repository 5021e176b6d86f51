"""Why did it say so? Everything one can ask the trained model, a section at a time."""

import streamlit as st

from ui import stage
from ui.explaining import page

now = stage.show()
page.show(now, stage.trained_or_stop(now))
st.page_link("attack.py", label="**Now fool it**", icon=":material/bolt:")
