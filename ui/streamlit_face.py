"""A lab as a Streamlit page: its words and controls beside the living pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from demos.catalog import Card, Shelf
from engine.forms import Value
from engine.jobs import Run, board
from ui import components, progress, widgets
from ui.visitor import visitor

PACE = 3.0  # seconds that a lab's run takes at least: a walk that one cannot see teaches nothing


def show(card: Card, shelf: Shelf) -> None:
    """The whole page of one lab."""
    _leave(st.session_state.get("labs.open"), card.id)
    st.session_state["labs.open"] = card.id
    st.header(card.title)
    words, stage = st.columns([2, 5], gap="large")
    with words:
        st.markdown(card.text)
        _experiments(card)
        widgets.from_address(card.form, f"{card.id}.A")
        chosen = widgets.controls(card.form, f"{card.id}.A")
        widgets.to_address(card.form, chosen, {"lab": card.id})
        beside = st.toggle("Compare two settings", key=f"{card.id}.compare")
        _ask(card)
    with stage:
        if beside:
            left, right = st.columns(2)
            with left:
                _stage(card, "A", chosen)
            with right:
                other = widgets.controls(card.form, f"{card.id}.B")
                _stage(card, "B", other)
        else:
            _stage(card, "A", chosen)
        _claims(card)
        _further(card, shelf)


def _leave(before: str | None, now: str) -> None:
    """Stop what the lab that was open before still computes: nobody looks at it any more."""
    if before is None or before == now:
        return
    for side in "AB":
        if kept := st.session_state.pop(f"{before}.{side}.run", None):
            board().stop(kept[0])


def _stage(card: Card, side: str, chosen: Mapping[str, Value]) -> None:
    """The live view of the run with these settings, begun if it is not there yet."""
    run = _run(card, side, chosen)
    values = st.session_state.get(f"{card.id}.{side}.live", {})
    sent = components.live(run.id, key=f"{card.id}.{side}.view", form=card.form, values=values)
    if sent and sent.get("again"):
        turned = {**values, **run.live, **sent.get("values", {})}
        st.session_state[f"{card.id}.{side}.live"] = turned
        _start(card, side, {**chosen, **turned})
        st.rerun()
    if sent and sent.get("resume"):
        board().resume(run.id)


def _run(card: Card, side: str, chosen: Mapping[str, Value]) -> Run:
    """The run of this session for these settings."""
    wanted = {**chosen, **st.session_state.get(f"{card.id}.{side}.live", {})}
    kept = st.session_state.get(f"{card.id}.{side}.run")
    if kept and kept[1] == wanted and (stands := board().known(kept[0])) is not None:
        return stands
    return _start(card, side, wanted)


def _start(card: Card, side: str, wanted: Mapping[str, Value]) -> Run:
    key = f"{card.id}.{side}.run"
    if kept := st.session_state.get(key):
        board().stop(kept[0])
    run = board().start(card.entry, dict(wanted), owner=visitor(), title=card.title, pace=PACE)
    st.session_state[key] = (run.id, dict(wanted))
    return run


def _experiments(card: Card) -> None:
    """The experiments worth doing, as buttons that set the controls."""
    if not card.tries:
        return
    st.caption("One click sets the controls")
    with st.container(horizontal=True):
        for words, settings in card.tries.items():
            if st.button(words, key=f"{card.id}.try.{words}"):
                _set(card, settings)
                st.rerun()


def _set(card: Card, settings: Mapping[str, Value]) -> None:
    widgets.preset(card.form, f"{card.id}.A", settings)
    live = card.form.live()
    st.session_state[f"{card.id}.A.live"] = {k: v for k, v in settings.items() if k in live}


def _ask(card: Card) -> None:
    """A prediction before the reveal."""
    if card.question is None:
        return
    with st.container(border=True):
        st.markdown(f"**Predict first.** {card.question.text}")
        options = card.question.options
        said = st.radio(
            "Your prediction",
            range(len(options)),
            format_func=lambda number: options[number],
            index=None,
            key=f"{card.id}.prediction",
            label_visibility="collapsed",
        )
        if said is None:
            return
        right = said == card.question.answer
        verdict = "**Right.**" if right else f"**No:** {options[card.question.answer].lower()}."
        (st.success if right else st.warning)(f"{verdict} {card.question.why}")
        progress.mark(visitor(), card.id, "predicted")


def _claims(card: Card) -> None:
    """What the lab promises, put to the test in front of the learner."""
    st.subheader("What it shows")
    key = f"{card.id}.verify"
    words = f"Verify its claims (up to {max(1, round(card.seconds * 2))} s)"
    if st.button(words, key=f"{key}.button", icon=":material/fact_check:"):
        run = board().start("demos.verify:run", {"lab": card.id}, owner=visitor(), title="Verify")
        st.session_state[key] = run.id
        progress.mark(visitor(), card.id, "verified")
    if run_id := st.session_state.get(key):
        components.live(run_id, key=f"{key}.view", caption="claims")
    st.caption(f"Source: {card.source}")


def _further(card: Card, shelf: Shelf) -> None:
    """Where to go from here, and the code."""
    links: list[tuple[str, Card]] = [
        ("Needs", needed) for topic in card.needs if (needed := shelf.find(topic))
    ]
    links += [("Next", following) for following in _following(card, shelf)]
    with st.container(horizontal=True):
        for words, other in links:
            st.page_link("labs.py", label=f"{words}: {other.title}", query_params={"lab": other.id})
    if card.network:
        st.page_link(
            "build.py",
            label=f"Open its network in **Build**: {card.network}",
            icon=":material/account_tree:",
            query_params={"template": card.network},
        )
    code = st.expander("The code of this lab, whole", icon=":material/code:", on_change="rerun")
    if code.open:
        code.code(card.code, language="python", line_numbers=True)


def _following(card: Card, shelf: Shelf) -> list[Card]:
    """Labs that need this one, or the next of the chapter."""
    users = [
        one for one in shelf.cards.values() if set(one.needs) & set(card.covers) and one != card
    ]
    if users:
        return users[:3]
    ids = list(shelf.cards)
    place = ids.index(card.id) + 1
    return [shelf.cards[ids[place]]] if place < len(ids) else []


def broken(card: Card) -> None:
    """A lab that cannot be opened, shown in its place."""
    st.error(f"The lab {card.id} is broken; its file says why:")
    st.code(card.broken)


def sent_open(sent: dict[str, Any] | None) -> str | None:
    """The lab that was clicked on the map, if one was."""
    return str(sent["open"]) if sent and "open" in sent else None
