"""Every page's frame: the navigation, and the one setting all pages share."""

from pathlib import Path

import streamlit as st

ICON = Path(__file__).parent.parent / "ui" / "assets" / "orrery.svg"

st.set_page_config(page_title="Orrery", page_icon=str(ICON), layout="wide")

st.navigation(
    [
        st.Page("home.py", title="Home", icon=":material/orbit:", default=True),
        st.Page("build.py", title="Build", icon=":material/account_tree:"),
        st.Page("data.py", title="Data", icon=":material/database:"),
        st.Page("train.py", title="Train", icon=":material/play_circle:"),
        st.Page("compare.py", title="Compare", icon=":material/flag:"),
        st.Page("runs.py", title="Runs", icon=":material/inventory_2:"),
        st.Page("attention.py", title="Look inside", icon=":material/hub:", url_path="inside"),
        st.Page("understand.py", title="Understand", icon=":material/route:"),
        st.Page("explain.py", title="Explain", icon=":material/visibility:"),
        st.Page("generate.py", title="Generate", icon=":material/auto_awesome:"),
        st.Page("attack.py", title="Attack", icon=":material/bolt:"),
        st.Page("defend.py", title="Defend", icon=":material/shield:"),
        st.Page("export.py", title="Export", icon=":material/download:"),
        st.Page("labs.py", title="Labs", icon=":material/school:"),
    ],
    position="top",
).run()
