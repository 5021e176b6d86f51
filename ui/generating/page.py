"""The page Generate: the model on top, then its samples, its training, or the way home."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ui import asked, study
from ui.generating import chosen, home, pipelines, text, training
from ui.generating.chosen import Chosen
from ui.generating.kinds import KINDS

SECTIONS = {
    "Sample": ":material/auto_awesome: Sample",
    "Train": ":material/play_circle: Train",
    "Text": ":material/edit_note: Text",
    "Pipelines": ":material/cloud_download: Pipelines",
    "Take home": ":material/download: Take home",
}
OF_MODEL = {"Sample", "Take home"}  # sections that are about the model on top
KEY = "generate"
CLASSES = {"label", "guidance"}  # controls that mean something only to models told classes


def show() -> None:
    """Everything on the page."""
    now = chosen.current()
    strip = st.container()
    section = _section()
    if now is not None and section in OF_MODEL:
        with strip:
            chosen.strip(now)
    if section == "Train":
        training.show()
    elif section == "Text":
        text.show()
    elif section == "Pipelines":
        pipelines.show()
    elif now is None:
        st.info("There is no model yet: train one, and its samples appear here.")
    elif section == "Take home":
        home.show(now)
    else:
        _sample(now)


def _section() -> str:
    """The section that is open, as the address says."""
    names = list(SECTIONS)
    if f"{KEY}.section" not in st.session_state:
        wanted = st.query_params.get("section", names[0])
        st.session_state[f"{KEY}.section"] = wanted if wanted in names else names[0]
    picked = st.segmented_control(
        "What do you want to do?",
        names,
        format_func=SECTIONS.__getitem__,
        key=f"{KEY}.section",
        label_visibility="collapsed",
        required=True,
    )
    here = picked or names[0]
    if st.query_params.get("section", names[0]) != here:
        st.query_params["section"] = here
    return here


def _sample(now: Chosen) -> None:
    kind = KINDS[now.recipe["kind"]]
    entry = f"engine.generate.studies.{now.recipe['kind']}:study"
    st.markdown(kind.words)
    run = study.opened(entry, now.place, now.stamp, key=f"{KEY}.sample", title=now.recipe["title"])
    classes = tuple(now.recipe["outline"]["classes"]) if now.recipe["conditional"] else ()
    form = asked.form(entry)
    study.view(
        run,
        form,
        key=f"{KEY}.sample",
        only=[name for name in form.live() if name not in _idle(now.recipe)],
        options={"label": ("any", *classes)} if classes else {},
        main=kind.main,
    )
    with st.expander("How it was made", icon=":material/menu_book:"):
        _made(now)


def _idle(recipe: Mapping[str, Any]) -> set[str]:
    """Controls that do nothing for this model: of classes, points or drawings that it lacks."""
    idle = set() if recipe["conditional"] else set(CLASSES)
    if recipe["kind"] == "translation":
        idle.add("drawing" if len(recipe["outline"]["shape"]) == 1 else "place")
    return idle


def _made(now: Chosen) -> None:
    recipe = now.recipe
    rows = {
        "family": recipe["family"],
        "learnt from": recipe["data"],
        **recipe["own"],
        **recipe["training"],
        **{f"{name}, at the end": f"{value:.4g}" for name, value in recipe["scores"].items()},
    }
    st.dataframe(
        {"setting": list(rows), "value": [str(one) for one in rows.values()]}, hide_index=True
    )
