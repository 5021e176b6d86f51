"""Who is looking: the name in the browser's cookie, by which work is found again."""

from __future__ import annotations

import re
import secrets

import streamlit as st

from ui.cookie import VISITOR


def visitor() -> str:
    """The visitor's unguessable name; one for this session where cookies are refused."""
    named = st.context.cookies.get(VISITOR, "")
    if re.fullmatch(r"[A-Za-z0-9_-]{8,64}", named):
        return named
    if "visitor" not in st.session_state:
        st.session_state.visitor = secrets.token_urlsafe(24)
    return str(st.session_state.visitor)
