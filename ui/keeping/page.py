"""The page from top to bottom: find, choose, and look at what was chosen."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence

import streamlit as st

from engine.store.folder import KeptRun
from engine.store.projects import Project
from engine.store.register import register
from ui.keeping import chosen, table
from ui.visitor import visitor

CHOSEN = "runs.chosen"  # ids, in the order of the table
ROWS = "runs.rows"  # the table's key, and which of its rows were ticked when it was new
MOST = 8  # side by side


def show(now: Project) -> None:
    """All of it."""
    if now.run:
        with contextlib.suppress(LookupError):  # deleted, or of another machine
            register().claim(now.run, visitor(), now.name)
    runs = register().runs(visitor())
    if not runs:
        _nothing_yet()
        return
    picked = _choose(runs, now)
    st.session_state[CHOSEN] = [one.id for one in picked]
    if not picked:
        st.info("Tick a run to look at it, or two to eight to compare them.")
    elif len(picked) > MOST:
        st.warning(f"At most {MOST} runs fit on one chart; {len(picked)} are ticked.")
        chosen.several(picked, now, draw=False)
    elif len(picked) == 1:
        chosen.one(picked[0], now)
    else:
        chosen.several(picked, now)


def _nothing_yet() -> None:
    st.info(
        "Nothing is kept yet. Whatever you train or bring in appears here by itself, and stays: "
        "also when the server is started anew."
    )
    st.page_link("train.py", label="**Train your network**", icon=":material/play_circle:")


def _choose(runs: Sequence[KeptRun], now: Project) -> list[KeptRun]:
    """The search field, the table, and which of its rows are ticked."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Find",
            key="runs.find",
            placeholder="name, network, data, state, setting",
            icon=":material/search:",
            width=420,
        )
        if st.button("Look again", icon=":material/refresh:", key="runs.refresh"):
            chosen.forget()
    found = [one for one in runs if _matches(one, words or "")]
    size = sum(one.size for one in runs) / 1e6
    many = f"{len(runs)} run" if len(runs) == 1 else f"{len(runs)} runs"
    st.caption(f"{f'{len(found)} of ' if words else ''}{many} · {size:,.1f} MB on disk")
    if not found:
        st.info(f"No run of yours has all of “{words}” in it.")
        return []
    key = _key(found)
    if st.session_state.get(ROWS, ("", []))[0] != key:  # other rows: what was ticked stays ticked
        before = st.session_state.get(CHOSEN, [])
        ticked = [place for place, one in enumerate(found) if one.id in before]
        st.session_state[ROWS] = (key, ticked)
    at_first = st.session_state[ROWS][1]
    return [found[place] for place in table.show(found, now.run, at_first, key)]


def _matches(run: KeptRun, words: str) -> bool:
    """Whether all the words are somewhere in what is said of it."""
    settings = (f"{name}={value} {value}" for name, value in run.settings.items())
    said = [run.name, run.model, run.data, run.standing, run.id, *settings]
    text = " ".join(said).casefold()
    return all(word in text for word in words.casefold().split())


def _key(runs: Sequence[KeptRun]) -> str:
    """Another table for other rows: a tick must never move to another run."""
    ids = " ".join(one.id for one in runs).encode()
    return f"runs.table.{hashlib.sha256(ids).hexdigest()[:12]}"
