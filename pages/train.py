"""Train the network on stage, watch it learn, change whatever you like while it does."""

import streamlit as st

from engine.forms import Form
from engine.jobs import board
from ui import (
    asked,
    clinic,
    components,
    data_choice,
    finder,
    looking,
    project,
    stage,
    usual,
    widgets,
)
from ui.visitor import visitor

ENTRY = "engine.training.run:train"

now = stage.show()
form: Form = asked.form(ENTRY)
run = project.last_run(now)
if run is not None and run.entry != ENTRY:
    run = None  # weights from elsewhere: there is nothing to watch yet
controls, view = st.columns([1, 4], gap="large")
with controls:
    data = data_choice.choose(now)
    begin = st.button("Train", type="primary", icon=":material/play_arrow:", width="stretch")
    search = st.container()
    told = usual.suit(data, form, "train", shown=run is None)
    settings = widgets.controls(form, "train", live=run is None)
    with search:
        finder.button(now, data, run, settings)
    if run is not None:
        st.caption("Everything else is beside the pictures and can be turned during the run.")

if begin:
    turned = {}
    if run is not None:
        run.stop()
        turned = {**run.live, **usual.longer(run.settings.get("data"), data, told)}
    values = {"spec": now.spec, "data": data, **turned, **settings}
    pace = usual.pace(told)
    run = board().start(ENTRY, values, owner=visitor(), title=now.name, pace=pace)
    project.change(data=data, run=run.id)
    st.rerun()

with view:
    finder.show(run, now)
    if run is None:
        st.info("Press **Train**: the curves, filters and gradients of your network appear here.")
    else:
        if looking.faded(run):
            looking.begin(run, {}, form)
        shown = looking.at(run)
        seen = asked.form(shown.entry)
        sent = components.live(shown.id, key="train.view", form=seen, values=shown.live)
        values = (sent or {}).get("values", {})
        if sent and sent.get("again") and (shown is not run or looking.only(values, form)):
            looking.begin(run, values, form)
            st.rerun()
        if sent and sent.get("again"):
            values = {**run.settings, **run.live, **values}
            again = board().start(ENTRY, values, owner=visitor(), title=now.name, pace=run.pace)
            project.change(run=again.id)
            st.rerun()
        if sent and sent.get("resume"):
            board().resume(run.id)
            st.rerun()
        clinic.show(run, now)
        with st.container(horizontal=True):
            st.page_link("understand.py", label="**Understand it**", icon=":material/route:")
            st.page_link("runs.py", label="**Your runs**", icon=":material/inventory_2:")
