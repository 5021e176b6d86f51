"""Choosing what to train on among the data sets at hand; one's own come in on the Data page."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.jobs import CallError, call
from engine.store.projects import Project
from ui import asked, project


def choose(now: Project) -> str:
    """Show the choice; the name of the data set to train on."""
    names = [entry["name"] for entry in asked.table("engine.data:datasets")]
    if now.data not in names:
        names.append(now.data)
    chosen = str(st.selectbox("data", names, names.index(now.data), format_func=asked.called))
    st.page_link("data.py", label="Look, or bring your own", icon=":material/database:")
    if chosen != now.data:
        project.change(data=chosen)
        st.rerun()
    tell(now, chosen)
    return chosen


def tell(now: Project, chosen: str) -> None:
    """What the data are, and whether the network on stage fits them."""
    try:
        told = asked.about(chosen)
    except CallError as error:
        st.warning(str(error))
        return
    shape = " and ".join(" × ".join(map(str, one)) for one in told["shapes"])
    what = "tokens" if told["vocabulary"] else "numbers" if told["kind"] == "series" else ""
    st.caption(_sizes(told, shape, what))
    if told["examples"]:
        st.code("\n".join(told["examples"]), language=None, wrap_lines=True)
    if not _fits(now.spec, told):
        place = "pixel" if told["per_pixel"] else "node" if told["kind"] == "graph" else "place"
        outputs = f"{told['outputs']} outputs"
        outputs += f" at each {place}" * (told["per_place"] or told["per_pixel"])
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


def _sizes(told: dict[str, Any], shape: str, what: str) -> str:
    """How many samples there are, and of what shape."""
    if told["kind"] == "graph":
        nodes, features = told["shape"]
        return f"A graph of {nodes} nodes with {features} features each; some are learnt from."
    test = f" {told['test']:,} for the test at the end." if told["test"] else ""
    return (
        f"{told['train']:,} samples of {shape} {what} to learn from, "
        f"{told['valid']:,} to judge by.{test}"
    ).replace("  ", " ")


def _fits(spec: dict[str, Any], told: dict[str, Any]) -> bool:
    inputs = [node for node in spec.get("nodes", []) if node["type"] == "Input"]
    reads = "token" if told["vocabulary"] else "float"
    given = [node.get("params", {}) for node in inputs]
    if [one.get("shape") for one in given] != told["shapes"]:
        return False
    if any(one.get("dtype", "float") != reads for one in given):
        return False
    return bool(asked.output(spec) == told["answer"])
