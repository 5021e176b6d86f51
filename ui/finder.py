"""The search for a learning rate on the Train page: a run on the side, and what to do with it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import streamlit as st

from engine.forms import Value
from engine.jobs import CallError, Run, board
from engine.store.projects import Project
from ui import components, project
from ui.visitor import visitor

ENTRY = "engine.training.finder:find"
KEY = "finder.run"


def button(now: Project, data: str, run: Run | None, settings: Mapping[str, Value]) -> None:
    """The button that begins a search, from the weights as they stand."""
    if not st.button(
        "Find a learning rate",
        icon=":material/query_stats:",
        width="stretch",
        help="A few hundred steps on the side, with a rate that grows, show which one suits. "
        "Your run goes on untouched.",
    ):
        return
    _close()
    live = {} if run is None else {**run.settings, **run.live}
    chosen = {k: v for k, v in {**live, **settings}.items() if k not in ("spec", "data", "branch")}
    values: dict[str, Any] = {"spec": now.spec, "data": data, "settings": chosen}
    if run is not None and run.checkpoint and run.settings.get("data") == data:
        values["run"] = run.id
    try:
        search = board().start(ENTRY, values, owner=visitor(), title=f"{now.name}: learning rate")
    except (CallError, ValueError) as error:
        st.error(str(error))
        return
    st.session_state[KEY] = search.id


def show(run: Run | None, now: Project) -> None:
    """The search under way or done, with its rate to take; nothing where none was begun."""
    search = board().known(st.session_state.get(KEY))
    if search is None:
        return
    with st.container(border=True):
        sent = components.live(search.id, key="finder.view", height=230)
        if sent and sent.get("again"):
            values = dict(search.settings)
            again = board().start(ENTRY, values, owner=visitor(), title=search.title)
            st.session_state[KEY] = again.id
            st.rerun()
        rate = search.latest.facts.get("suggested rate") if search.latest else None
        with st.container(horizontal=True):
            if search.over and rate is not None:
                ended = run is not None and run.over
                st.button(
                    f"Train anew with {rate:g}" if ended else f"Take {rate:g}",
                    type="primary",
                    icon=":material/check:",
                    on_click=_take,
                    args=(rate, run, now),
                )
            st.button("Close", key="finder.close", icon=":material/close:", on_click=_close)


def _take(rate: float, run: Run | None, now: Project) -> None:
    """Put the rate where it counts: into the form, into the run under way, or into a new run."""
    _close()
    if run is None:
        st.session_state["train.learning_rate"] = rate
    elif not run.over:
        with contextlib.suppress(ValueError):  # it has just ended: the live view says so
            run.command("set", {"learning_rate": rate})
        st.toast(f"The learning rate is {rate:g} from here on; the curves show it as a mark.")
    else:
        values = {**run.settings, **run.live, "learning_rate": rate}
        values.pop("branch", None)
        fresh = board().start(run.entry, values, owner=visitor(), title=now.name, pace=run.pace)
        project.change(run=fresh.id)


def _close() -> None:
    search = board().known(st.session_state.pop(KEY, None))
    if search is not None:
        search.stop()
