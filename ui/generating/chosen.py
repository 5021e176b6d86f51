"""Which generative model the page is about: a ready one, or one that was trained here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from engine.jobs import CallError, board, call
from engine.store.home import run_folder
from engine.store.register import register
from ui import asked
from ui.generating.kinds import KINDS
from ui.taking import plain
from ui.visitor import visitor

TRAIN = "engine.generate.learn:train"
FIRST = "gan-grid"  # shown on arrival; a name in the address wins
LARGEST = 40  # MB of a file that is brought in
_STATE = "generate.model"


@dataclass(frozen=True)
class Chosen:
    """The model on the page.

    Attributes:
        name: Name of a ready model, or id of the run that trained it.
        place: What `engine.generate.kept.open_kept` takes.
        recipe: How it was made, as plain data, and its `kind`.
        stamp: Changes when the model does.
    """

    name: str
    place: str
    recipe: Mapping[str, Any]
    stamp: int = 0


def ready() -> dict[str, dict[str, Any]]:
    """The ready models by name."""
    return {str(one["name"]): one for one in asked.answer("engine.generate.kept:listing")}


def current() -> Chosen | None:
    """The model that the address names, or the one that was chosen last; None if it is gone."""
    wanted = st.query_params.get("model") or st.session_state.get(_STATE) or FIRST
    models = ready()
    found = _found(str(wanted), models)
    if found is None and models:
        found = _found(FIRST if FIRST in models else next(iter(models)), models)
    return found


def choose(name: str) -> None:
    """Put a model on the page."""
    st.session_state[_STATE] = name
    st.query_params["model"] = name


def _found(name: str, models: Mapping[str, Mapping[str, Any]]) -> Chosen | None:
    if name in models:
        return Chosen(name, name, models[name])
    try:
        folder = run_folder(name)
        stamp = (folder / "weights.safetensors").stat().st_mtime_ns
        recipe = _recipe(str(folder), stamp)
    except (LookupError, OSError, CallError):
        return None
    return Chosen(name, str(folder), recipe, stamp) if recipe else None


@st.cache_data(max_entries=100, show_spinner=False)
def _recipe(folder: str, _stamp: int) -> dict[str, Any] | None:
    found: dict[str, Any] | None = call("engine.generate.kept:kept_recipe", {"folder": folder})
    return found


def strip(now: Chosen) -> None:
    """What the model is, and the menu to change it: the top of the page."""
    recipe = now.recipe
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(f"**{plain(recipe['title'])}**", width="content")
        st.markdown(_facts(recipe), width="stretch")
        with st.popover("Change model", icon=":material/swap_horiz:", width="content"):
            _menu(now)


def _facts(recipe: Mapping[str, Any]) -> str:
    words = [KINDS[recipe["kind"]].title, f"{int(recipe['step']):,} steps".replace(",", "\u202f")]
    words += [f"{name} {value:.3g}" for name, value in list(recipe["scores"].items())[:3]]
    return " · ".join(words)


def _menu(now: Chosen) -> None:
    """The ready models by kind, those trained here, and a file of one's own."""
    models = ready()
    names = sorted(models, key=lambda name: list(KINDS).index(str(models[name]["kind"])))
    picked = st.selectbox(
        "A ready model",
        names,
        format_func=lambda name: f"{models[name]['title']} · {KINDS[models[name]['kind']].title}",
        index=names.index(now.name) if now.name in names else None,
        placeholder="Choose one",
        key="generate.ready",
    )
    if picked and picked != now.name and st.button("Show it", type="primary", key="generate.show"):
        choose(picked)
        st.rerun()
    own = mine()
    if own:
        chosen = st.selectbox(
            "Trained by you",
            list(own),
            format_func=lambda id: own[id],
            index=list(own).index(now.name) if now.name in own else None,
            placeholder="Choose one",
            key="generate.mine",
        )
        if chosen and chosen != now.name and st.button("Show it", key="generate.show.mine"):
            choose(chosen)
            st.rerun()
    _bring()


def mine() -> dict[str, str]:
    """Id -> name of the generative models that this visitor has trained."""
    runs = [run for run in board().runs(visitor()) if run.entry == TRAIN]
    return {
        run.id: run.title
        for run in reversed(runs)
        if (Path(run.folder) / "weights.safetensors").is_file()
    }


def _bring() -> None:
    """A model's file from the visitor's computer; it is read, never run."""
    file = st.file_uploader("Or open a file", type=["safetensors"], key="generate.file")
    if file is None or not st.button("Open it", key="generate.open"):
        return
    if file.size > LARGEST * 1_000_000:
        st.error(f"{file.name} has {file.size / 1e6:.0f} MB; at most {LARGEST} MB can be opened.")
        return
    try:
        id: str = call("engine.generate.kept:adopt", {"content": file.getvalue()}, seconds=60)
        register().claim(id, visitor(), file.name.rpartition(".")[0][:60])
    except ValueError as error:
        st.error(plain(str(error)))
        return
    choose(id)
    st.rerun()
