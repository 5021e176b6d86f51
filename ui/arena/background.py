"""Sections that are started and go on in the background, with their progress and an end."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.forms import Form, Value
from engine.jobs import CallError, Run, board, call
from engine.store.home import run_folder
from engine.store.projects import Project
from ui import asked, components, project, widgets
from ui.arena.rivals import rivals
from ui.arena.sections import Section
from ui.visitor import visitor

ATTACKS = "engine.attack.table:attacks"
RECIPES = "engine.defend.table:recipes"
BUSY = {"queued", "running", "paused", "waiting"}


def show(here: Section, now: Project, *, key: str) -> None:
    """Its settings with a button to start, and what it shows."""
    left, right = st.columns([1, 4], gap="large")
    with left:
        entry, needs = _chosen(here, key) if here.table else (here.entry, "model")
        key = f"{key}.{entry}"
        form = asked.form(entry)
        run = _found(key)
        begin = st.button("Start", type="primary", icon=":material/play_arrow:", width="stretch")
        settings = _settings(here, form, now, key, needs)
        if run is not None and run.state in BUSY:
            st.caption("It goes on when you look at another section; ■ under the picture stops it.")
    if begin:
        if run is not None:
            run.stop()
        run = board().start(entry, settings, owner=visitor(), title=now.name)
        st.session_state[f"{key}.run"] = run.id
        st.rerun()
    with right:
        if run is None:
            st.info("Press **Start**: the first numbers appear here within seconds.")
            return
        sent = components.live(run.id, key=f"{key}.view", form=form, main=here.main)
        if sent and sent.get("again"):
            again = board().start(entry, dict(run.settings), owner=visitor(), title=run.title)
            st.session_state[f"{key}.run"] = again.id
            st.rerun()
        if sent and sent.get("resume"):
            board().resume(run.id)
            st.rerun()
        if here.recipe:
            _take(run, now)


def _chosen(here: Section, key: str) -> tuple[str, str]:
    """The run chosen from the section's table, and what it needs: a model or a spec."""
    table = {entry["name"]: entry for entry in asked.table(here.table)}
    name = str(
        st.selectbox(
            "What is it after?",
            list(table),
            format_func=lambda one: f"{one}: {table[one]['steals']}",
            key=f"{key}.entry",
        )
    )
    st.caption(str(table[name]["help"]))
    entry: str = call(here.entry, {"name": name}, seconds=60)
    return entry, str(table[name]["needs"])


def _settings(here: Section, form: Form, now: Project, key: str, needs: str) -> dict[str, Any]:
    """What the run is to be started with."""
    settings: dict[str, Any] = {}
    if needs == "spec":
        settings |= {"spec": now.spec, "data": now.data}
    elif here.rivals:
        settings["models"] = _models(now, key)
    else:
        settings["model"] = str(run_folder(now.run))
    if here.recipe:
        settings |= _recipe(key)
    if here.methods:
        settings[here.methods] = _methods(str(form.defaults[here.methods]), key)
    rest = [name for name in form.controls if name != here.methods]
    part = Form(
        form.owner,
        {name: form.controls[name] for name in rest},
        {name: form.defaults[name] for name in rest},
    )
    return {**settings, **widgets.controls(part, key, live=True)}


def _models(now: Project, key: str) -> list[dict[str, str]]:
    """The model on stage, and any others that learnt the same data."""
    first, *others = rivals(now)
    by_name = {one["name"]: one for one in others}
    if not by_name:
        st.caption(
            "Other models appear here when you train them on the same data, or defend this one."
        )
        return [first]
    chosen = st.multiselect(
        "Beside the model on stage",
        list(by_name),
        default=list(by_name)[:1],
        max_selections=4,
        key=f"{key}.models",
    )
    return [first, *(by_name[name] for name in chosen)]


def _methods(usual: str, key: str) -> str:
    """Attacks of the table, as words with commas between."""
    table = {entry["name"]: entry for entry in asked.table(ATTACKS)}
    default = [name.strip() for name in usual.split(",") if name.strip() in table]
    chosen = st.multiselect(
        "Attacks",
        list(table),
        default=default,
        max_selections=6,
        format_func=lambda name: f"{name.replace('_', ' ')} · {table[name]['norm']}",
        key=f"{key}.methods",
        help="On one chart over the budget all must measure a change alike",
    )
    return ", ".join(chosen)


def _recipe(key: str) -> dict[str, Any]:
    """The defence and its own settings."""
    table = {entry["name"]: entry for entry in asked.table(RECIPES)}
    names = list(table)
    usual = "fast"
    chosen = str(
        st.selectbox(
            "Defence",
            names,
            index=names.index(usual) if usual in names else 0,
            format_func=lambda name: name.replace("_", " "),
            key=f"{key}.recipe",
        )
    )
    st.caption(f"{table[chosen]['help']}")
    with st.popover("Its settings", icon=":material/tune:", width="stretch"):
        own: dict[str, Value] = widgets.controls(
            asked.method_form(RECIPES, chosen), f"{key}.of.{chosen}"
        )
        st.caption(str(table[chosen]["source"]))
    return {"recipe": chosen, "recipe_settings": own}


def _take(run: Run, now: Project) -> None:
    """The way on: the defended model put on stage."""
    if not (run.folder / "weights.safetensors").is_file():
        return
    recipe = str(run.settings.get("recipe", "")).replace("_", " ")
    if st.button("Put the defended model on stage", icon=":material/shield:"):
        try:
            id = call("engine.defend.keep:keep", {"run": run.id}, seconds=30)
        except CallError as error:
            st.error(str(error))
            return
        name = now.name if now.name.endswith(f", {recipe}") else f"{now.name}, {recipe}"
        project.change(run=id, name=name[:60])
        st.rerun()


def _found(key: str) -> Run | None:
    return board().known(st.session_state.get(f"{key}.run"))
