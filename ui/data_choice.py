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
    with st.popover("Your own text", icon=":material/upload:", width="stretch"):
        _upload_text()
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


def _upload_text() -> None:
    """A text from the visitor's computer, to be learnt character by character."""
    file = st.file_uploader("A text in UTF-8", type=["txt", "md"])
    if file is None:
        st.caption("The network learns to say which character comes next.")
        return
    length = st.slider("Characters of a window", 16, 256, 64, 16)
    if st.button("Train on this text", type="primary"):
        try:
            kept: str = call("engine.data.own_text:keep", {"content": file.getvalue()})
        except CallError as error:
            st.error(str(error))
            return
        project.change(data=f"{kept}?length={length}")
        st.rerun()


def _tell(now: Project, chosen: str) -> None:
    """What the data are, and whether the network on stage fits them."""
    try:
        told = asked.about(chosen)
    except CallError as error:
        st.warning(str(error))
        return
    shape = " and ".join(" × ".join(map(str, one)) for one in told["shapes"])
    what = "tokens" if told["vocabulary"] else "numbers" if told["kind"] == "series" else ""
    st.caption(
        f"{told['train']:,} samples of {shape} {what} to learn from, "
        f"{told['valid']:,} to judge by.".replace("  ", " ")
    )
    if told["examples"]:
        st.code("\n".join(told["examples"]), language=None, wrap_lines=True)
    if not _fits(now.spec, told):
        outputs = f"{told['outputs']} outputs" + " at each place" * told["per_place"]
        st.warning(f"The network on stage does not take {shape} {what} to {outputs}.")
        if st.button("Put one that fits on stage", icon=":material/auto_fix_high:"):
            names = ("shape", "outputs", "per_place", "parts", "kind", "per_pixel", "itself")
            arguments = {name: told[name] for name in names}
            arguments["vocabulary"] = len(told["vocabulary"])
            spec = call("engine.network.fitting:fitting", arguments)
            project.change(
                spec=spec, revision=now.revision + 1, name=f"Network for {asked.called(chosen)}"
            )
            st.rerun()


def _fits(spec: dict[str, Any], told: dict[str, Any]) -> bool:
    inputs = [node for node in spec.get("nodes", []) if node["type"] == "Input"]
    reads = "token" if told["vocabulary"] else "float"
    given = [node.get("params", {}) for node in inputs]
    if [one.get("shape") for one in given] != told["shapes"]:
        return False
    if any(one.get("dtype", "float") != reads for one in given):
        return False
    return bool(asked.output(spec) == told["answer"])
