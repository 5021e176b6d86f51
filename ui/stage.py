"""The model on stage: the strip on top of every page that says which model this is about."""

from __future__ import annotations

import math
from html import escape
from typing import Any, NoReturn

import streamlit as st

from engine.jobs import CallError, call
from engine.store.projects import Project
from ui import asked, opening, project

HEIGHT = 34
MOST = 60  # bars shown of a large network
COLOURS = {
    "Convolution": "#0072b2",
    "Pooling": "#56b4e9",
    "Normalisation": "#cc79a7",
    "Activation": "#e69f00",
    "Basic": "#009e73",
    "Attention": "#d55e00",
    "Recurrence": "#8c6bb1",
}
OTHER = "#8a8f96"


def show() -> Project:
    """Draw the strip; the project that is on stage."""
    now = project.current()
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(
            f"**{_plain(now.name)}** on *{_plain(asked.called(now.data))}*", width="content"
        )
        st.html(_sketch(now.spec), width="stretch")
        st.markdown(_facts(now), width="content")
        with st.popover("Change model", icon=":material/swap_horiz:", width="content"):
            _choose(now)
    return now


def trained_or_stop(now: Project) -> dict[str, Any]:
    """The summary of the trained model; where there is none the page ends with the way to one."""
    found = project.summary(now)
    if found is None:
        _send_to_training(now)
    return found


def _send_to_training(now: Project) -> NoReturn:
    run = project.last_run(now)
    if run is not None and run.state in {"queued", "running", "paused"}:
        st.info("Your model is still in training; its first weights arrive in a few seconds.")
        if st.button("Look again", type="primary", icon=":material/refresh:"):
            st.rerun()
        st.page_link("train.py", label="Go to **Train**", icon=":material/play_circle:")
        st.stop()
    st.info(
        "This page looks at a trained model. Train yours, which takes about a minute; or look at "
        "it as it is now, with its first, random weights: it has learnt nothing yet, so its "
        "answers are guesses."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link("train.py", label="Go to **Train**", icon=":material/play_circle:")
        if st.button("Use its first weights", icon=":material/casino:"):
            _take_first_weights(now)
    st.stop()


def _take_first_weights(now: Project) -> None:
    """Put the network on stage as it is before any training."""
    arguments = {"spec": now.spec, "data": now.data}
    try:
        with st.spinner("Making its first weights"):
            id = call("engine.models.adopt:adopt", arguments, seconds=60)
    except CallError as error:
        st.error(_plain(str(error)))
        return
    project.change(run=id)
    st.rerun()


def _facts(now: Project) -> str:
    try:
        total = asked.described(now.spec)["totals"]["parameters"]
    except CallError as error:
        return f":orange[{_plain(str(error))[:120]}]"
    trained = project.summary(now)
    run = project.last_run(now)
    if run is not None and run.state in {"queued", "running", "paused"}:
        score = "in training"
    else:
        score = " · ".join(_standing(trained))
    return f"{total:,} parameters · {score}".replace(",", "\u202f")


def _standing(trained: dict[str, Any] | None) -> list[str]:
    """How far the model has come: where its weights are from, and how well it does."""
    if trained is None:
        return ["not trained yet"]
    origin = {
        "first": "first weights: has learnt nothing yet",
        "imported": "imported",
        "edited": "edited by hand",
    }
    words = [origin.get(trained.get("origin", ""), "")]
    if (accuracy := trained.get("accuracy")) is not None:
        words.append(f"{100 * accuracy:.1f} % right")
    return [word for word in words if word] or ["trained"]


def _choose(now: Project) -> None:
    """A template, or another name for the model."""
    small = [entry for entry in asked.templates() if entry["trainable"]]
    titles = {entry["name"]: entry["title"] for entry in small}
    name = st.selectbox(
        "Begin again from a template",
        list(titles),
        format_func=lambda key: titles[key],
        index=None,
        placeholder="Choose a network",
        key="stage.template",
    )
    entry = next((one for one in small if one["name"] == name), None)
    if entry and st.button("Put it on stage", type="primary", key="stage.take"):
        project.change(
            spec=asked.template(entry["name"]),
            data=entry["data"],
            name=entry["title"],
            run="",
            revision=now.revision + 1,
        )
        st.rerun()
    opening.show(now)
    # a key of its own for each name: a widget would else bring an older name back
    called = st.text_input("Its name", now.name, max_chars=60, key=f"stage.name.{now.name}")
    if called and called != now.name:
        project.change(name=called)
        st.rerun()


def _sketch(spec: dict[str, Any]) -> str:
    """The network as a row of bars, one a layer, as high as its output is large."""
    try:
        nodes = asked.described(spec)["nodes"]
    except CallError:
        nodes = {}
    category = {entry["type"]: entry["category"] for entry in asked.layers()}
    nodes_of_spec = spec.get("nodes", [])[:MOST]
    bars = [
        _bar(node, nodes.get(node["id"], {}).get("output") or [], category)
        for node in nodes_of_spec
    ]
    label = escape("The network: " + ", ".join(node["type"] for node in nodes_of_spec))
    style = f"display:flex;align-items:center;gap:4px;height:{HEIGHT}px;overflow:hidden"
    return f'<div role="img" aria-label="{label}" style="{style}">{"".join(bars)}</div>'


def _bar(node: dict[str, Any], shape: list[int], category: dict[str, str]) -> str:
    """A bar whose height grows with the logarithm of how many numbers the layer gives."""
    height = 4 + min(HEIGHT - 4.0, 2.3 * math.log2(max(1, math.prod(shape))))
    colour = COLOURS.get(category.get(node["type"], ""), OTHER)
    sizes = " × ".join(map(str, shape)) or "?"
    words = escape(f"{node['id']}: {node['type']} → {sizes}")
    style = f"flex:none;width:8px;height:{height:.0f}px;border-radius:2px;background:{colour}"
    return f'<span title="{words}" style="{style}"></span>'


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return "".join(f"\\{sign}" if sign in "*_`[]$<>:#~|\\" else sign for sign in text)
