"""Understand the training: walk an error back, see the landscape, go back in time."""

from typing import Any

import streamlit as st

from engine.jobs import board
from ui import asked, project, stage, study
from ui.visitor import visitor

TRAIN = "engine.training.run:train"
SECTIONS = {
    "Walk": (
        "engine.understand.story:study",
        "One sample goes through **your** network, and its error comes back. Move *stop* along the "
        "way: every number is the network's own.",
    ),
    "Landscape": (
        "engine.understand.landscape:study",
        "The loss around the weights that were found, and the way that led there.",
    ),
    "Past": (
        "engine.understand.past:study",
        "The run as it stood at any kept step. Go back, and begin another run from there.",
    ),
}

now = stage.show()
stage.trained_or_stop(now)
chosen = st.segmented_control(
    "What to look at", list(SECTIONS), default="Walk", key="understand.section", required=True
)
entry, words = SECTIONS[chosen or "Walk"]
st.markdown(words)
run = study.begun(entry, now, key="understand")
layout: dict[str, Any] = {"columns": 3} if chosen == "Walk" else {}
study.view(run, asked.form(entry), key="understand", options={}, **layout)
if chosen == "Past" and st.button("Branch a new run from here", icon=":material/fork_right:"):
    old = project.last_run(now)
    step = int(run.latest.facts.get("kept step", -1)) if run.latest else -1
    if old is None or step < 0:
        st.warning("The run is not shown yet, or has ended long ago; wait a moment and try again.")
    else:
        values = {**old.settings, **old.live, "branch": {"run": now.run, "step": step}}
        fresh = board().start(TRAIN, values, owner=visitor(), title=f"{now.name}, branched")
        project.change(run=fresh.id)
        st.switch_page("train.py")
