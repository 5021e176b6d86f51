"""The sections of the Compare page: what is begun there, and its live view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from engine.forms import Form
from engine.jobs import board
from engine.store.projects import Project
from ui import asked, components, usual, widgets
from ui.visitor import visitor

TRAIN = "engine.training.run:train"
LANES = (
    {"name": "SGD", "optimizer": "SGD", "learning_rate": 0.1},
    {"name": "Momentum", "optimizer": "Momentum", "learning_rate": 0.03},
    {"name": "RMSprop", "optimizer": "RMSprop", "learning_rate": 0.003},
    {"name": "Adam", "optimizer": "Adam", "learning_rate": 0.003},
)
COLUMNS = ("name", "optimizer", "learning_rate", "batch_size", "initialisation", "weight_decay")
MOST_LANES = 8
_SOON = {
    "race": "all curves grow on one chart",
    "sweep": "every trial becomes a line, and what matters becomes visible",
    "cloud": "the spread of all networks grows before your eyes",
}


def race(now: Project) -> None:
    """A table of lanes, and the race."""
    st.markdown(
        "Up to eight configurations of **your** network learn side by side. Change a cell, add a "
        "row, press *Start*."
    )
    form = asked.form(TRAIN)
    usual_values = {name: form.defaults[name] for name in COLUMNS if name != "name"}
    rows = [{**usual_values, **one} for one in LANES]
    edited = st.data_editor(
        rows,
        num_rows="dynamic",
        column_order=COLUMNS,
        column_config={
            "name": st.column_config.TextColumn("lane", required=True, max_chars=24),
            "optimizer": _words(form, "optimizer"),
            "initialisation": _words(form, "initialisation"),
            "learning_rate": st.column_config.NumberColumn("learning rate", format="%.5g"),
            "batch_size": st.column_config.NumberColumn("batch size", step=1),
            "weight_decay": st.column_config.NumberColumn("weight decay", format="%.4g"),
        },
        key="race.lanes",
        width="stretch",
    )
    lanes = [_lane(row, number) for number, row in enumerate(edited)]
    if len(lanes) > MOST_LANES:
        st.warning(f"A race has at most {MOST_LANES} lanes; only the first ones run.")
    _contest(
        now, "race", "engine.contest.race:race", {"lanes": lanes[:MOST_LANES]}, ready=len(lanes) > 1
    )


def sweep(now: Project) -> None:
    """What is varied and by whom, and the sweep."""
    st.markdown("Many short trainings find settings that work, and which of them matter.")
    _contest(now, "sweep", "engine.contest.sweep:sweep", {})


def cloud(now: Project) -> None:
    """How many seeds, and the cloud."""
    st.markdown(
        "The same network from many first weights: how much of a result is luck? Small perceptrons "
        "train by the hundred."
    )
    _contest(now, "cloud", "engine.contest.cloud:cloud", {})


SECTIONS: Mapping[str, Callable[[Project], None]] = {
    "Race": race,
    "Sweep": sweep,
    "Cloud of seeds": cloud,
}


def _contest(
    now: Project, key: str, entry: str, more: Mapping[str, Any], *, ready: bool = True
) -> None:
    """The form, the button, and the live view of the newest run of this kind."""
    form = asked.form(entry)
    run = board().known(st.session_state.get(f"{key}.run"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        epochs = st.number_input(
            "Epochs each", 1, 1000, _epochs(now), key=f"{key}.epochs", width=220
        )
        start = st.button(
            "Start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=not ready,
            key=f"{key}.go",
        )
    with st.expander("Choices", expanded=bool(form.controls)) if form.controls else st.container():
        chosen = widgets.controls(form, key)
    if start:
        if run is not None:
            run.stop()
        settings = {"epochs": int(epochs)}
        values = {"spec": now.spec, "data": now.data, "settings": settings, **more, **chosen}
        run = board().start(entry, values, owner=visitor(), title=f"{now.name}: {key}")
        st.session_state[f"{key}.run"] = run.id
    if run is None:
        st.info(f"Press **Start**: {_SOON[key]}.")
        return
    sent = components.live(run.id, key=f"{key}.view", form=form, values=run.live)
    if sent and sent.get("again"):
        again = board().start(entry, dict(run.settings), owner=visitor(), title=run.title)
        st.session_state[f"{key}.run"] = again.id
        st.rerun()


def _epochs(now: Project) -> int:
    return usual.epochs(asked.about(now.data)) or 5


def _words(form: Form, name: str) -> Any:
    options = getattr(form.controls[name], "options", ())
    return st.column_config.SelectboxColumn(name, options=list(options), required=True)


def _lane(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A row of the table as a lane: what is empty is left to the form's defaults."""
    settings = {name: row[name] for name in COLUMNS if name != "name" and row.get(name) is not None}
    if "batch_size" in settings:
        settings["batch_size"] = int(settings["batch_size"])
    return {"name": str(row.get("name") or f"lane {number + 1}"), "settings": settings}
