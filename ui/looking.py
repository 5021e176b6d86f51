"""Looking at a training that has ended: its worker is gone, so another run shows its pictures."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from engine.forms import Form, Value
from engine.jobs import Run, board
from ui.visitor import visitor

ENTRY = "engine.understand.past:study"
KEY = "looking.run"
GROUP = "Pictures"  # of the controls that only ask for other pictures


def at(run: Run) -> Run:
    """The run that shows the pictures of a training: itself while it goes on, or another."""
    of, other = st.session_state.get(KEY, ("", ""))
    return (board().known(other) or run) if of == run.id and run.over else run


def faded(run: Run) -> bool:
    """Whether it ended under an earlier server, with which its last pictures are gone."""
    return run.state == "finished" and run.latest is None and at(run) is run


def only(values: Mapping[str, Value], form: Form) -> bool:
    """Whether controls were turned that ask for other pictures and for nothing else."""
    controls = (form.controls.get(name) for name in values)
    return bool(values) and all(getattr(one, "group", "") == GROUP for one in controls)


def begin(run: Run, values: Mapping[str, Value], form: Form) -> None:
    """Show the ended training's last step with these controls turned."""
    before = at(run)
    stand = {name: value for name, value in before.live.items() if only({name: value}, form)}
    wanted = {"model": str(run.folder), **stand, **values}
    fresh = board().start(ENTRY, wanted, owner=visitor(), title=run.title)
    st.session_state[KEY] = (run.id, fresh.id)
