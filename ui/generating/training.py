"""The section Train: a family, what it shall learn, and the live view of it learning."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from engine.forms import Form, Value
from engine.jobs import CallError, Run, board
from engine.store.projects import Project
from ui import asked, components, project, widgets
from ui.generating.chosen import TRAIN, choose
from ui.generating.kinds import KINDS
from ui.visitor import visitor

FAMILIES = "engine.generate.families:families"
TARGETS = "engine.generate.targets:targets"
PAIRS = "engine.generate.pairs:pairs"
DRAWN = "drawn"
RUN = "generate.train.run"
IMAGES = {"batch_size": 64, "steps": 1500}  # for images a step takes longer, and teaches more


def show() -> None:
    """What is to be learnt on the left, the run on the right."""
    run = board().known(st.session_state.get(RUN))
    controls, view = st.columns([1, 4], gap="large")
    with controls:
        family = _family()
        data = _data(family)
        begin = st.button("Train", type="primary", icon=":material/play_arrow:", width="stretch")
        own = _own(family)
        networks = _networks(family, project.current())
        settings = _settings(family, data)
    if begin:
        _start(family, data, own, networks, settings, run)
    with view:
        if run is None:
            st.info(
                "Press **Train**: the samples appear here, from the same noise at every step, so "
                "that you see the distribution form."
            )
            return
        _view(run)


def _start(
    family: Mapping[str, Any],
    data: str,
    own: Mapping[str, Value],
    networks: Mapping[str, Any],
    settings: Mapping[str, Value],
    before: Run | None,
) -> None:
    if before is not None:
        before.stop()
    title = f"{family['title']} on {data.partition('?')[0]}"
    values = {
        "family": family["name"],
        "data": data,
        "own": dict(own),
        "networks": dict(networks),
        "title": title,
        **settings,
    }
    run = board().start(TRAIN, values, owner=visitor(), title=title)
    st.session_state[RUN] = run.id
    st.rerun()


def _view(run: Run) -> None:
    form = _without_pad(asked.form(TRAIN), str(run.settings.get("data")))
    sent = components.live(run.id, key="generate.train.view", form=form, values=run.live)
    if sent and sent.get("again"):
        values = {**run.settings, **run.live}
        again = board().start(TRAIN, values, owner=visitor(), title=run.title)
        st.session_state[RUN] = again.id
        st.rerun()
    if sent and sent.get("resume"):
        board().resume(run.id)
        st.rerun()
    st.button(
        "Look at it as it is now", icon=":material/auto_awesome:", on_click=_look, args=(run,)
    )


def _look(run: Run) -> None:
    """Put the model on the page, from its first weights on, while it learns on."""
    if not (run.folder / "weights.safetensors").is_file():
        st.toast("Its first weights arrive in a few seconds; press once more then.")
        return
    choose(run.id)
    st.session_state["generate.section"] = "Sample"  # before the page is drawn: its own widget


def _family() -> dict[str, Any]:
    """The family of models."""
    table = {str(entry["name"]): entry for entry in asked.table(FAMILIES)}
    names = sorted(table, key=lambda name: list(KINDS).index(str(table[name]["kind"])))
    name = st.selectbox(
        "family",
        names,
        format_func=lambda one: f"{table[one]['title']} · {KINDS[str(table[one]['kind'])].title}",
        key="generate.train.family",
    )
    st.caption(f"{table[name]['help']} *{table[name]['source']}*")
    return table[name]


def _data(family: Mapping[str, Any]) -> str:
    """What it shall learn; only what this family can."""
    table = PAIRS if family["kind"] == "translation" else TARGETS
    targets = {str(entry["name"]): entry for entry in asked.table(table)}
    if table == PAIRS:
        return _shaped(PAIRS, _one_of(_pairs(family, targets)), targets)
    titles: dict[str, str] = {}
    if family["plane"] and not family["labelled"]:
        titles |= {name: f"{entry['title']} · points" for name, entry in targets.items()}
    elif family["plane"]:
        titles |= {n: f"{e['title']} · points" for n, e in targets.items() if n != DRAWN}
    if family["images"]:
        images = asked.answer("engine.generate.source:image_sets")
        titles |= {name: f"{name} · images" for name in images}
    titles |= _yours(family)
    name = _one_of(titles)
    return _shaped(TARGETS, name, targets) if name in targets and name != DRAWN else name


def _pairs(family: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Name -> title of the pairs from which a family can learn to translate."""
    return {
        name: f"{entry['title']} · {'points' if entry['plane'] else 'images'}"
        for name, entry in known.items()
        if family["plane" if entry["plane"] else "images"]
        and (entry["matched"] or not family["matched"])
    }


def _one_of(titles: Mapping[str, str]) -> str:
    return str(
        st.selectbox(
            "data", list(titles), format_func=titles.__getitem__, key="generate.train.data"
        )
    )


def _shaped(table: str, name: str, known: Mapping[str, Mapping[str, Any]]) -> str:
    """The name of what is drawn by the project, with the settings that the visitor changed."""
    st.caption(str(known[name]["help"]))
    form = asked.method_form(table, name)
    if not form.controls:
        return name
    with st.popover("Its shape", icon=":material/tune:", width="stretch"):
        chosen = widgets.controls(form, f"generate.of.{name}", live=True)
    differs = {key: value for key, value in chosen.items() if value != form.defaults[key]}
    return name + "?" * bool(differs) + "&".join(f"{k}={json.dumps(v)}" for k, v in differs.items())


def _yours(family: Mapping[str, Any]) -> dict[str, str]:
    """The data on stage, where they are the visitor's own and the family can learn them."""
    own = project.current().data
    if own.partition(":")[0] not in asked.OWN:
        return {}
    try:
        kind = asked.about(own).get("kind")
    except CallError:
        return {}
    fits = (kind == "image" and family["images"]) or (kind == "plane" and family["plane"])
    words = "images" if kind == "image" else "points"
    return {own: f"{asked.called(own)} · {words}"} if fits else {}


def _own(family: Mapping[str, Any]) -> dict[str, Value]:
    """The family's own settings."""
    form = asked.method_form(FAMILIES, str(family["name"]))
    if not form.controls:
        return {}
    with st.expander(f"Settings of {family['title']}", icon=":material/tune:"):
        return widgets.controls(form, f"generate.of.{family['name']}", live=True)


def _networks(family: Mapping[str, Any], now: Project) -> dict[str, Any]:
    """Parts for which the network on stage shall stand."""
    parts = [str(one) for one in family.get("parts", [])]
    if not parts:
        return {}
    with st.expander("Your own network as a part", icon=":material/account_tree:"):
        chosen = st.pills(
            f"**{now.name}** from the builder stands for",
            parts,
            selection_mode="multi",
            key=f"generate.parts.{family['name']}",
        )
        st.caption("It must take and give what that part does; if not, you are told what differs.")
        st.page_link("build.py", label="Open it in **Build**", icon=":material/edit:")
    return dict.fromkeys(chosen, now.spec)


def _settings(family: Mapping[str, Any], data: str) -> dict[str, Value]:
    """How it is trained; first what suits the family and the data."""
    form = asked.form(TRAIN)
    suits = dict(family.get("suits", {}))
    points = data.partition("?")[0] in {str(entry["name"]) for entry in asked.table(TARGETS)}
    if family["plane"] and not points and family["kind"] != "translation":
        suits |= IMAGES  # what suits the family was found on points
    if st.session_state.get("generate.train.suited") != (family["name"], points):
        st.session_state["generate.train.suited"] = (family["name"], points)
        for name in ("learning_rate", "batch_size", "steps"):
            st.session_state[f"generate.train.{name}"] = suits.get(name, form.defaults[name])
    return widgets.controls(_without_pad(form, ""), "generate.train", live=True)


def _without_pad(form: Form, data: str) -> Form:
    """The form, with the pad only where it is drawn what is to be learnt."""
    names = [name for name in form.controls if name != "drawing" or data == DRAWN]
    return Form(
        form.owner,
        {name: form.controls[name] for name in names},
        {name: form.defaults[name] for name in names},
    )
