"""The data on stage: samples, balance and split, whether the network fits, and on to training."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.jobs import CallError, Run, board
from engine.store.projects import Project
from ui import asked, components, data_choice, project, widgets
from ui.data_name import joined, parts
from ui.visitor import visitor

LOOK = "engine.data.look:look"
CHOICES = "engine.data.recast:choices"


def show(now: Project) -> None:
    """What the data are that every page works with now."""
    st.subheader(f"On stage: {asked.called(now.data)}")
    try:
        told = asked.about(now.data)
    except CallError as error:
        st.error(str(error))
        st.caption("Choose another data set, or bring your own.")
        _changes(now, {})
        return
    data_choice.tell(now, now.data)
    if st.button("Train on these data", type="primary", icon=":material/play_arrow:"):
        st.switch_page("train.py")
    _changes(now, told)
    run = _run(now.data)
    form = asked.form(LOOK)
    components.live(run.id, key="data.view", form=form, values=run.live, columns=2)


def _run(data: str) -> Run:
    """This session's look at the data; a new one where they are other data."""
    kept = st.session_state.get("data.run")
    stands = board().known(kept[0]) if kept else None
    if kept and stands is not None:
        if kept[1] == data and stands.state not in ("failed", "stopped"):
            return stands
        stands.stop()
    run = board().start(LOOK, {"data": data}, owner=visitor(), title="A look at data")
    st.session_state["data.run"] = (run.id, data)
    return run


def _changes(now: Project, told: dict[str, Any]) -> None:
    """Split and noise, for whatever the data are."""
    name, settings = parts(now.data)
    form = asked.form(CHOICES)
    fitting = {key for key in form.controls if _fits(key, told)} if told else set(form.controls)
    if name.startswith("own:"):
        fitting -= {"valid", "test"}  # a table has these among its own settings
    standing = {key: value for key, value in settings.items() if key in fitting}
    with st.expander("Split and noise", icon=":material/tune:", expanded=bool(standing)):
        if not fitting:
            st.caption("These data are cut by their own rule.")
            return
        key = f"data.changes.{name}"
        if key not in st.session_state:
            st.session_state[key] = True
            widgets.preset(form, key, standing)
        part = widgets.part(form, [one for one in form.controls if one in fitting])
        turned = widgets.controls(part, key, live=True)
    chosen = {k: v for k, v in turned.items() if v != form.defaults[k]}
    others = {k: v for k, v in settings.items() if k not in fitting}
    wanted = joined(name, {**others, **chosen})
    if wanted != joined(name, settings):
        project.change(data=wanted)
        st.rerun()


def _fits(change: str, told: dict[str, Any]) -> bool:
    """Whether a change makes sense for data of this kind."""
    kind, numbers = told["kind"], not told["vocabulary"]
    if change in ("valid", "test"):
        return kind != "graph" and not (kind == "series" and not told["balance"])
    if change == "mislabel":
        return bool(told["balance"]) and len(told["answer"]) == 1
    if change == "aim":
        return numbers and kind != "graph" and told["shape"] != [1]
    return bool(numbers)
