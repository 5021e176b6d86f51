"""What a visitor sees when a page stumbles: the cause in words, what is kept, what to do."""

from __future__ import annotations

import logging
import secrets

import streamlit as st

from engine.jobs import CallError

_log = logging.getLogger("orrery")


def tell(error: Exception) -> bool:
    """Show the mishap on the page and write its trace to the log; always handled."""
    reference = secrets.token_hex(3)
    _log.error("page failed, reference %s", reference, exc_info=error)
    if isinstance(error, CallError | ValueError | LookupError):
        st.error(str(error.args[0]) if error.args else type(error).__name__)
    else:
        st.error(f"This page met something unforeseen (reference {reference} in the server's log).")
    st.caption("Your model and your runs are kept. Change what you just changed back, or:")
    if st.button("Load the page again", icon=":material/refresh:", key=f"mishap.{reference}"):
        st.rerun()
    return True
