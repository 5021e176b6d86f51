"""Choosing what to train on: the data sets at hand, or a table of one's own."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.jobs import CallError, call
from engine.store.projects import Project
from ui import asked, project

KINDS = ["csv", "tsv", "txt"]


def choose(now: Project) -> str:
    """Show the choice; the name of the data set to train on."""
    names = [entry["name"] for entry in asked.table("engine.data:datasets")]
    if now.data not in names:
        names.append(now.data)
    chosen = str(st.selectbox("data", names, names.index(now.data), format_func=asked.called))
    with st.popover("Your own table", icon=":material/upload:", width="stretch"):
        _upload()
    if chosen != now.data:
        project.change(data=chosen)
        st.rerun()
    _tell(now, chosen)
    return chosen


def _upload() -> None:
    """A table from the visitor's computer: read, told back, put on stage."""
    file = st.file_uploader("A table with a header: CSV, TSV or semicolons", type=KINDS)
    if file is None:
        st.caption("Each row is a sample; one column is what the network shall predict.")
        return
    try:
        kept: str = call("engine.data.own:keep", {"content": file.getvalue()})
        columns: list[str] = call("engine.data.own:columns", {"words": kept})
    except CallError as error:
        st.error(str(error))
        return
    target = st.selectbox("Column to predict", columns, index=None, placeholder="the last column")
    if st.button("Train on it", type="primary"):
        name = f"{kept}?target={target}" if target else kept
        project.change(data=name)
        st.rerun()


def _tell(now: Project, chosen: str) -> None:
    """What the data are, and whether the network on stage fits them."""
    try:
        told = asked.about(chosen)
    except CallError as error:
        st.warning(str(error))
        return
    shape = " × ".join(map(str, told["shape"]))
    st.caption(
        f"{told['train']:,} samples of {shape} to learn from, {told['valid']:,} to judge by."
    )
    if not _fits(now.spec, told):
        st.warning(f"The network on stage does not take {shape} to {told['outputs']} outputs.")
        if st.button("Put one that fits on stage", icon=":material/auto_fix_high:"):
            arguments = {"shape": told["shape"], "outputs": told["outputs"]}
            spec = call("engine.network.fitting:fitting", arguments)
            project.change(
                spec=spec, revision=now.revision + 1, name=f"Network for {asked.called(chosen)}"
            )
            st.rerun()


def _fits(spec: dict[str, Any], told: dict[str, Any]) -> bool:
    inputs = [node for node in spec.get("nodes", []) if node["type"] == "Input"]
    if len(inputs) != 1 or inputs[0].get("params", {}).get("shape") != told["shape"]:
        return False
    try:
        nodes = asked.described(spec)["nodes"]
    except CallError:
        return False
    outputs = spec.get("outputs") or [spec["nodes"][-1]["id"]]
    return bool(nodes.get(outputs[-1], {}).get("output") == [told["outputs"]])
