"""A network from a file, put on stage: what the "Change model" menu of every page offers."""

from __future__ import annotations

import base64

import streamlit as st

from engine.jobs import CallError, call
from engine.store.projects import Project
from ui import project

LARGEST = 40  # MB
ENDINGS = ["onnx", "pt2", "py", "json", "safetensors", "txt"]


def show(now: Project) -> None:
    """The field for a file; whatever it holds is read and never run."""
    file = st.file_uploader(
        "Or open a file",
        type=ENDINGS,
        help="ONNX, torch.export (.pt2), PyTorch source, a network's JSON, a link as .txt, or "
        "safetensors weights for the network on stage. Nothing in it is executed.",
        key=f"stage.file.{now.revision}",
    )
    if file is None or not st.button("Open it", type="primary", key="stage.open"):
        return
    if file.size > LARGEST * 1_000_000:
        st.error(
            f"{file.name} has {file.size / 1e6:.0f} MB; at most {LARGEST} MB can be sent. "
            "`python -m engine import` reads larger files."
        )
        return
    content = base64.b64encode(file.getvalue()).decode()
    arguments = {"name": file.name, "content": content, "spec": now.spec, "data": now.data}
    try:
        with st.spinner("Reading it"):
            found = call("engine.importing.table:take", arguments, seconds=120)
    except CallError as error:
        st.error(str(error).replace("`", "'"))
        return
    project.change(
        spec=found["spec"],
        name=found["spec"].get("title") or file.name.rpartition(".")[0][:60],
        run=found.get("run", ""),
        revision=now.revision + 1,
    )
    for note in found["notes"]:
        st.toast(note)
    st.rerun()
