"""The Explain page: sections on top, what to ask beside them, the live view below."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from engine.forms import Form, Value
from engine.jobs import Run
from engine.store.projects import Project
from ui import asked, study, widgets
from ui.explaining import bring, take
from ui.explaining.sections import SECTIONS, Section, section

TABLE = "engine.explain.table:explainers"
FAMILIES = {
    "gradient": "gradients",
    "layer": "a layer's maps",
    "neuron": "one neuron",
    "perturbation": "taking parts away",
}
KEY = "explain"


def show(now: Project, trained: Mapping[str, Any]) -> None:
    """Everything below the model on stage."""
    names = [one.name for one in SECTIONS]
    wanted = st.query_params.get("section", names[0])
    picked = st.pills(
        "What do you want to know?",
        names,
        default=wanted if wanted in names else names[0],
        key=f"{KEY}.section",
        format_func=lambda name: f":material/{section(name).icon}: {name}",
        label_visibility="collapsed",
        required=True,
    )
    here = section(picked or names[0])
    if st.query_params.get("section", names[0]) != here.name:
        st.query_params["section"] = here.name
    st.markdown(here.words)
    form = asked.form(here.entry)
    run = study.begun(here.entry, now, key=KEY, settings=_first(here, now, trained))
    chosen = _methods(here, run) if here.methods else []
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if here.methods:
            _settings(here, run, chosen)
        _more(here, form, run, now, trained)
        if here.own:
            bring.popover(run, now)
        take.popover(run, now.name)
    study.view(
        run,
        form,
        key=KEY,
        only=[name for name in here.beside if _fits(name, now)],
        options=_options(trained),
        main=here.main,
    )


def _first(here: Section, now: Project, trained: Mapping[str, Any]) -> dict[str, Value]:
    """What a section's first run begins with, where its defaults need a picture or a name."""
    classes = trained.get("classes", ())
    if "examples" in here.beside and classes:
        return {"examples": str(classes[0])}
    if here.methods and not _pictures(now):
        return {here.methods: "integrated_gradients, kernel_shap"}
    return {}


def _pictures(now: Project) -> bool:
    return len(bring.shape_of(now)) == 3


def _fits(name: str, now: Project) -> bool:
    return name != "drawing" or _pictures(now)


def _options(trained: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Words for text controls that the page knows all of."""
    classes = tuple(str(name) for name in trained.get("classes", ()))
    if not classes:
        return {}
    return {
        "target": ("predicted", *classes),
        "about": ("all", *classes),
        "wanted": ("any other", *classes),
        "examples": classes,
    }


def _methods(here: Section, run: Run) -> list[str]:
    """Which explainers: any, up to eight."""
    table = {entry["name"]: entry for entry in asked.table(TABLE)}
    current = str(study.stands(run, here.methods))
    standing = [name.strip() for name in current.split(",") if name.strip() in table]
    chosen = st.multiselect(
        "Methods",
        list(table),
        default=standing,
        format_func=lambda name: f"{name.replace('_', ' ')} · {FAMILIES[table[name]['family']]}",
        max_selections=8,
        key=f"{KEY}.methods.{run.id}",
        placeholder="Choose what to compare",
        width="stretch",
    )
    study.turn(run, {here.methods: ", ".join(chosen)})
    return list(chosen)


def _settings(here: Section, run: Run, chosen: Sequence[str]) -> None:
    """What the chosen methods let a visitor choose, and where they come from."""
    table = {entry["name"]: entry for entry in asked.table(TABLE)}
    with st.popover("Settings of methods", icon=":material/tune:", disabled=not chosen):
        own: dict[str, dict[str, Value]] = {}
        for name in chosen:
            st.markdown(f"**{name.replace('_', ' ')}**: {table[name]['help']}")
            if table[name]["source"]:
                st.caption(table[name]["source"])
            own[name] = _changed(name)
        written = {name: values for name, values in own.items() if values}
        if "settings" in asked.form(here.entry).controls:
            study.turn(run, {"settings": json.dumps(written) if written else ""})


def _changed(name: str) -> dict[str, Value]:
    """A method's controls; those of its settings that are not the usual ones."""
    form: Form = asked.method_form(TABLE, name)
    common = {"layer", "baseline", "seed"}  # these stand once for all methods
    own = {key: control for key, control in form.controls.items() if key not in common}
    part = Form(form.owner, own, {key: form.defaults[key] for key in own})
    values = widgets.controls(part, f"{KEY}.of.{name}")
    return {key: value for key, value in values.items() if value != form.defaults[key]}


def _more(here: Section, form: Form, run: Run, now: Project, trained: Mapping[str, Any]) -> None:
    """The live controls that are turned less often."""
    if not here.more:
        return
    with st.popover("More settings", icon=":material/settings:"):
        known = _options(trained)
        values: dict[str, Value] = {}
        for name in here.more:
            if name == "layer":
                found = ("", *(node["id"] for node in now.spec.get("nodes", [])[1:]))
                values[name] = _choice(f"{KEY}.{here.name}.layer", "Layer", found, run, name)
            elif name in known:
                values[name] = _choice(f"{KEY}.{here.name}.{name}", name, known[name], run, name)
        rest = [name for name in here.more if name not in values]
        part = Form(
            form.owner,
            {name: form.controls[name] for name in rest},
            {name: form.defaults[name] for name in rest},
        )
        values.update(widgets.controls(part, f"{KEY}.{here.name}", live=True))
    study.turn(run, values)


def _choice(key: str, label: str, words: tuple[str, ...], run: Run, name: str) -> str:
    standing = str(study.stands(run, name))
    index = words.index(standing) if standing in words else 0
    shown = st.selectbox(
        label,
        words,
        index=index,
        key=key,
        format_func=lambda word: word or "as usual",
    )
    return str(shown)
