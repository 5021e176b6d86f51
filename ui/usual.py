"""How long a first training of some data takes, so that pressing play teaches something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from engine.forms import Form
from engine.jobs import CallError
from ui import asked

SAMPLES = 150_000  # that a small table or plane is shown in all
MOST = 500
FIXED = {"graph": 200, "points": 20}  # a graph is one sample, so an epoch is one step
SLOW, FEW = 15, 3000  # epochs for pictures as answers, while there are few of them
SEEN = 15.0  # seconds that a training of points in the plane takes at least


def suit(data: str, form: Form, key: str, *, shown: bool) -> Mapping[str, Any]:
    """Set the widget of the epochs to what suits other data than before; what the data are.

    Args:
        data: Name of the data set.
        form: Of the training.
        key: Begins the widgets' keys.
        shown: Whether that widget is on the page now. A value set while it is not would be lost:
            the browser begins a widget that comes back at its lowest.
    """
    try:
        told: Mapping[str, Any] = asked.about(data)
    except CallError:
        return {}  # the choice of data says what is wrong
    back = shown and not st.session_state.get(f"{key}.shown")
    st.session_state[f"{key}.shown"] = shown
    other = st.session_state.get(f"{key}.suited") != data
    if other or back or f"{key}.epochs" not in st.session_state:
        st.session_state[f"{key}.suited"] = data
        st.session_state[f"{key}.epochs"] = epochs(told) or form.defaults["epochs"]
    return told


def longer(before: object, data: str, told: Mapping[str, Any]) -> dict[str, int]:
    """The epochs for other data than the run before had; nothing for the same."""
    found = epochs(told) if told and before != data else None
    return {} if found is None else {"epochs": found}


def pace(told: Mapping[str, Any]) -> float:
    """The least time of a run, for those that would be over in the blink of an eye [s]."""
    return SEEN if told.get("kind") in ("plane", "graph") or told.get("shape") == [1] else 0.0


def epochs(told: Mapping[str, Any]) -> int | None:
    """Epochs for small data; None leaves the form's own."""
    if told["kind"] in FIXED:
        return FIXED[told["kind"]]
    if told["kind"] not in ("plane", "table"):
        slow = told["per_pixel"] or told["itself"]
        return SLOW if slow and told["train"] <= FEW else None
    return max(5, min(MOST, SAMPLES // max(1, int(told["train"]))))
