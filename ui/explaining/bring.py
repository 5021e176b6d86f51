"""The visitor's own input: an upload, a webcam snapshot, an edited row, a typed sentence."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from engine.jobs import CallError, Run, call
from engine.store.projects import Project
from engine.views import Bars, Tokens
from ui import study

MOST_ROWS = 64


def popover(run: Run, now: Project) -> None:
    """What fits the model on stage; what was brought goes to the run."""
    shape = shape_of(now)
    with st.popover("Your own input", icon=":material/add_photo_alternate:"):
        if len(shape) == 3:
            picture(run, shape)
        elif _reads(now):
            _sentence(run)
        elif len(shape) == 1:
            _row(run)
        else:
            st.info("This model reads a series; choose one of its test samples.")


def shape_of(now: Project) -> list[int]:
    """The shape of one sample of the model on stage."""
    for node in now.spec.get("nodes", []):
        if node["type"] == "Input":
            return list(node.get("params", {}).get("shape", []))
    return []


def _reads(now: Project) -> bool:
    return any(node["type"] == "Embedding" for node in now.spec.get("nodes", []))


def picture(run: Run, shape: list[int], key: str = "explain") -> None:
    """An upload or a snapshot goes to the run as its controls `source` and `yours`."""
    how = st.segmented_control(
        "How",
        ("Upload", "Webcam"),
        default="Upload",
        key=f"{key}.bring",
        label_visibility="collapsed",
    )
    size = f"{shape[1]} × {shape[2]} pixels, {'grey' if shape[0] == 1 else 'colour'}"
    st.caption(f"The middle square is scaled to {size}. Nothing is kept on the server.")
    if how == "Webcam":
        brought = st.camera_input("Take a picture", key=f"{key}.camera")
    else:
        brought = st.file_uploader(
            "A picture",
            type=["png", "jpg", "jpeg", "webp", "gif", "bmp"],
            key=f"{key}.upload",
            max_upload_size=12,
        )
    if brought is not None:
        _take(run, brought.file_id, brought.getvalue(), shape, brought.name, key)


def _take(run: Run, id: str, data: bytes, shape: list[int], name: str, key: str) -> None:
    """Read a picture once and put it in front of the model."""
    mark = (run.id, id)
    if st.session_state.get(f"{key}.brought") != mark:
        try:
            line = call(
                "engine.explain.own:picture", {"data": data, "shape": shape, "words": name[:60]}
            )
        except CallError as error:
            st.warning(str(error))
            return
        st.session_state[f"{key}.brought"] = mark
        study.turn(run, {"source": "yours", "yours": line})
    st.caption(f"In front of the model: {name}")


def _row(run: Run) -> None:
    """The row that is explained now, as a table with one column to edit."""
    shown = run.latest.views.get("input") if run.latest else None
    if not isinstance(shown, Bars) or len(shown.names) > MOST_ROWS:
        st.caption("The columns appear here as soon as the first explanation stands.")
        return
    values = next(iter(shown.series.values()))
    st.caption("Change a number; the units are those the model was trained in.")
    rows: list[dict[str, Any]] = [
        {"column": name, "value": float(value)}
        for name, value in zip(shown.names, values, strict=True)
    ]
    edited = st.data_editor(
        rows, disabled=["column"], hide_index=True, key=f"explain.row.{shown.title}"
    )
    if st.button("Explain this row", type="primary"):
        line = json.dumps({"kind": "row", "values": [row["value"] for row in edited]})
        study.turn(run, {"source": "yours", "yours": line})


def _sentence(run: Run) -> None:
    shown = run.latest.views.get("input") if run.latest else None
    words = shown.tokens if isinstance(shown, Tokens) else ()
    between = "" if words and all(len(word) == 1 for word in words) else " "
    st.caption("Change a word; the model knows only the words of its data.")
    with st.form("explain.sentence", border=False):
        text = st.text_area(
            "Your words", value=between.join(words).rstrip("· "), max_chars=600, height=100
        )
        if st.form_submit_button("Explain this", type="primary"):
            line = json.dumps({"kind": "text", "text": text})
            study.turn(run, {"source": "yours", "yours": line})
