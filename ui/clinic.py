"""What the training doctor says of a run, each finding with a fix to click."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from engine.jobs import Run, board
from engine.store.projects import Project
from ui import asked, project
from ui.visitor import visitor

EVERY = "4s"  # how often a run under way is looked at


def show(run: Run, now: Project) -> None:
    """The findings, read anew every few seconds while the run goes on."""
    fragment = st.fragment(_visit, run_every=None if run.over else EVERY)
    fragment(run, now)


def _visit(run: Run, now: Project) -> None:
    found = _findings(run)
    if not found:
        return
    st.markdown("##### The training doctor")
    for number, finding in enumerate(found):
        with st.container(border=True):
            st.markdown(f"**{finding['name']}.** {finding['evidence']} {finding['cause']}")
            has = finding["settings"] or finding["replace"]
            if has and st.button(finding["fix"], key=f"clinic.{number}", icon=":material/healing:"):
                _heal(run, now, finding)
            elif not has:
                st.markdown(f"*{finding['fix']}.*")


def _findings(run: Run) -> list[dict[str, Any]]:
    try:
        text = (run.folder / "findings.json").read_text(encoding="utf-8")
        found: list[dict[str, Any]] = json.loads(text)
    except (OSError, json.JSONDecodeError):
        return []
    return found


def _heal(run: Run, now: Project, finding: Mapping[str, Any]) -> None:
    """Turn the run's controls where that is enough; else begin a new run with the cure."""
    form = asked.form(run.entry)
    live = form.live()
    if (
        not run.over
        and not finding["replace"]
        and all(name in live for name in finding["settings"])
    ):
        run.command("set", finding["settings"])
        st.toast("Turned; the curves show it as a mark.")
        return
    spec = _replaced(now.spec, finding["replace"])
    values = {**run.settings, **run.live, **finding["settings"], "spec": spec}
    values.pop("branch", None)
    run.stop()
    if spec != now.spec:
        project.change(spec=spec, revision=now.revision + 1)
    fresh = board().start(run.entry, values, owner=visitor(), title=now.name)
    project.change(run=fresh.id)
    st.rerun(scope="app")


def _replaced(spec: Mapping[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    """The spec with layers of some types changed for others, inside of blocks too."""

    def nodes(graph: Mapping[str, Any]) -> dict[str, Any]:
        changed = [
            {**node, "type": kinds[node["type"]], "params": {}} if node["type"] in kinds else node
            for node in graph.get("nodes", [])
        ]
        return {**graph, "nodes": changed}

    blocks = {name: nodes(block) for name, block in dict(spec.get("blocks") or {}).items()}
    return {**nodes(spec), "blocks": blocks} if blocks else nodes(spec)
