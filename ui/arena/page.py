"""The pages Attack and Defend: sections on top, what to ask beside them, the live view below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from engine.jobs import Run, board
from engine.store.projects import Project
from ui import asked, study
from ui.arena import background
from ui.arena.rivals import rivals
from ui.arena.sections import Section
from ui.explaining import bring
from ui.visitor import visitor

ATTACKS = "engine.attack.table:attacks"
BUDGETS = {
    "Linf": "epsilon",
    "L2": "length",
    "L1": "total",
    "L0": "pixels",
    "spatial": "degrees",
}
PURPOSE = (
    "These methods are here to understand and harden **your own** models: what you cannot break "
    "yourself, somebody else may."
)


def show(
    now: Project, trained: Mapping[str, Any], sections: Sequence[Section], *, key: str
) -> None:
    """Everything below the model on stage.

    Args:
        now: The project on stage.
        trained: The summary of its model.
        sections: What can be asked; only the open one computes.
        key: The page's own.
    """
    here = _open(sections, key)
    st.markdown(f"{here.words} {PURPOSE if here is sections[0] else ''}")
    if here.kind == "batch":
        _leave(key)
        background.show(here, now, key=f"{key}.{here.name}")
        return
    form = asked.form(here.entry)
    run = _begun(here, now, key)
    beside = [name for name in here.beside if _fits(name, now)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if here.method:
            beside = _method(here, run, key) + beside
        if here.own:
            bring.popover(run, now)
    classes = tuple(str(name) for name in trained.get("classes", ()))
    study.view(
        run,
        form,
        key=key,
        only=beside,
        options={"target": ("any other", *classes)} if classes else {},
        main=_main(here, now),
    )


def reads(now: Project) -> bool:
    """Whether the model on stage takes words."""
    return any(node["type"] == "Embedding" for node in now.spec.get("nodes", []))


def _open(sections: Sequence[Section], key: str) -> Section:
    """The section that is open, as the address says."""
    names = [one.name for one in sections]
    wanted = st.query_params.get("section", names[0])
    chosen = st.segmented_control(
        "What do you want to know?",
        names,
        default=wanted if wanted in names else names[0],
        key=f"{key}.section",
        label_visibility="collapsed",
    )
    here = next((one for one in sections if one.name == chosen), sections[0])
    if st.query_params.get("section", names[0]) != here.name:
        st.query_params["section"] = here.name
    return here


def _begun(here: Section, now: Project, key: str) -> Run:
    """The open section's run; the one of the section that was open before is stopped."""
    if not here.rivals:
        return study.begun(here.entry, now, key=key)
    models = rivals(now)
    wanted = (here.entry, now.run, tuple(one["folder"] for one in models))
    kept = st.session_state.get(f"{key}.run")
    if kept and kept[1] == wanted and (stands := board().known(kept[0])) is not None:
        return stands
    _leave(key)
    run = board().start(here.entry, {"models": models}, owner=visitor(), title=now.name)
    st.session_state[f"{key}.run"] = (run.id, wanted)
    return run


def _leave(key: str) -> None:
    """End the run that answers at once: only the open section computes."""
    kept = st.session_state.pop(f"{key}.run", None)
    if kept:
        board().stop(kept[0])


def _main(here: Section, now: Project) -> str:
    """The slot shown large: of a model without pictures the plane that the attack walks over."""
    pictures = len(bring.shape_of(now)) == 3
    return "walk" if here.main == "images" and not pictures else here.main


def _fits(name: str, now: Project) -> bool:
    shape = bring.shape_of(now)
    if name == "third_direction":
        return shape != [2]  # all inputs are seen already
    return name != "drawing" or len(shape) == 3


def _method(here: Section, run: Run, key: str) -> list[str]:
    """Which attack; the control that is its budget."""
    table = {entry["name"]: entry for entry in asked.table(ATTACKS)}
    standing = str(study.stands(run, here.method))
    names = list(table)
    chosen = str(
        st.selectbox(
            "Attack",
            names,
            index=names.index(standing) if standing in names else 0,
            format_func=lambda name: told(table[name]),
            key=f"{key}.method.{run.id}",
            width=380,
        )
    )
    entry = table[chosen]
    study.turn(run, {here.method: chosen})
    with st.popover("About it", icon=":material/info:"):
        st.markdown(f"**{chosen.replace('_', ' ')}**: {entry['help']}")
        st.caption(str(entry["source"]))
    return [BUDGETS[str(entry["norm"])]] if here.budgets else []


def told(entry: Mapping[str, Any]) -> str:
    """An attack in a line: its name, its norm, and what it needs."""
    needs = "gradients" if entry["gradients"] else "answers only"
    least = ", looks for the least" if entry["minimal"] else ""
    return f"{str(entry['name']).replace('_', ' ')} · {entry['norm']} · {needs}{least}"
