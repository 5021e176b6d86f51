"""What can be done with the runs that are ticked: look, name, open, take away, delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from engine.jobs import CallError, Run, board, call
from engine.store.folder import LONGEST_NAME, KeptRun, content
from engine.store.projects import Project
from engine.store.register import register
from ui import asked, components, project, widgets
from ui.kept_api import plain_name
from ui.visitor import visitor

ENTRY = "engine.contest.beside:compare"
SEND = "engine.tracking.send:send"
TRACKERS = "engine.tracking:trackers"
LIVE = "runs.view"
SECONDS = 120
STOPPING = 5.0  # seconds that a page waits for a run to end


def one(run: KeptRun, now: Project) -> None:
    """A run alone."""
    named = st.text_input("Its name", run.name, max_chars=LONGEST_NAME, key=f"runs.name.{run.id}")
    if named and named != run.name:
        _rename(run, named, now)
    with st.container(horizontal=True, vertical_alignment="center"):
        _open(run, now)
        _report(run)
        _elsewhere(run)
        if run.over:
            _delete([run], now)
        else:
            _stop(run)
    if run.id == now.run:
        st.caption("★ Its model is on stage: all pages are about it.")
    elif run.origin != "trained":
        st.caption(f"It was not trained here; its weights are {_ORIGINS[run.origin]}.")
    _view([run])


_ORIGINS = {
    "first": "its first, random ones",
    "imported": "from a file",
    "edited": "edited by hand",
}


def several(runs: Sequence[KeptRun], now: Project, *, draw: bool = True) -> None:
    """Runs side by side."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{len(runs)} runs side by side**", width="content")
        _delete(runs, now)
    if draw:
        _view(runs)


def forget() -> None:
    """Have the pictures drawn anew: a run that goes on has come further."""
    if kept := st.session_state.pop(f"{LIVE}.run", None):
        board().stop(kept[0])


def _view(runs: Sequence[KeptRun]) -> None:
    """Curves, figures and settings, live: another quantity is one click away."""
    ids = [one.id for one in runs]
    kept = st.session_state.get(f"{LIVE}.run")
    live: Run | None = board().known(kept[0]) if kept and kept[1] == ids else None
    if live is None or live.state in ("failed", "stopped"):
        forget()
        live = board().start(ENTRY, {"runs": ids}, owner=visitor(), title="Kept runs")
        st.session_state[f"{LIVE}.run"] = (live.id, ids)
    form = asked.form(ENTRY)
    components.live(live.id, key=LIVE, form=form, values=live.live, main="curves")


def _stop(run: KeptRun) -> None:
    """A run that goes on is stopped before it can be deleted; it keeps what it has."""
    if st.button("Stop it", icon=":material/stop:", key="runs.stop"):
        board().stop(run.id)
        live = board().known(run.id)
        while live is not None and not live.over:
            before = live.version
            if live.wait(before, STOPPING) == before:
                break  # it is told on the next look
        forget()
        st.rerun()


def _rename(run: KeptRun, named: str, now: Project) -> None:
    try:
        register().rename(run.id, named, visitor())
    except (ValueError, LookupError) as error:
        st.error(str(error))
        return
    if run.id == now.run:
        project.change(name=named[:60])
    forget()
    st.rerun()


def _open(run: KeptRun, now: Project) -> None:
    """Put its network, data and weights on stage."""
    if not st.button(
        "Open on stage",
        type="primary",
        icon=":material/open_in_new:",
        disabled=run.id == now.run,
        key="runs.open",
    ):
        return
    try:
        spec = content(register().folder(run.id) / "spec.json")
    except LookupError as error:
        st.error(str(error))
        return
    if not spec:  # it generates: its page has a stage of its own
        st.switch_page("generate.py", query_params={"model": run.id})
    fields: dict[str, Any] = {"data": run.data} if run.data else {}
    project.change(spec=spec, name=run.name[:60], run=run.id, revision=now.revision + 1, **fields)
    st.rerun()


def _report(run: KeptRun) -> None:
    st.download_button(
        "Report",
        _later("engine.report.page:report", {"run": run.id, "owner": visitor()}),
        f"{plain_name(run)}.html",
        "text/html",
        icon=":material/description:",
        help="One page with its curves, network, settings and figures; opens in any browser",
        on_click="ignore",
        key="runs.report",
    )


def _elsewhere(run: KeptRun) -> None:
    """The other programs: a file to save, or a server to send to."""
    with st.popover("Other programs", icon=":material/ios_share:", width="content"):
        for entry in asked.table(TRACKERS):
            st.markdown(f"**{entry['title']}**", help=entry["help"])
            if entry["gives"] == "file":
                st.download_button(
                    f"Save for {entry['title']}",
                    _later(SEND, {"tracker": entry["name"], "run": run.id, "owner": visitor()}),
                    f"{plain_name(run)}-{entry['file']}",
                    "application/zip",
                    icon=":material/download:",
                    on_click="ignore",
                    key=f"runs.save.{entry['name']}",
                )
            else:
                _send(entry, run)


def _send(entry: dict[str, Any], run: KeptRun) -> None:
    form = asked.method_form(TRACKERS, entry["name"])
    settings = widgets.controls(form, f"runs.to.{entry['name']}")
    if not st.button(f"Send to {entry['title']}", key=f"runs.send.{entry['name']}"):
        return
    arguments = {"tracker": entry["name"], "run": run.id, "settings": settings, "owner": visitor()}
    try:
        with st.spinner(f"Sending it to {entry['title']}"):
            place = call(SEND, arguments, seconds=SECONDS)
    except CallError as error:
        st.error(_plain(str(error)))
        return
    st.success(f"It is there: {_plain(str(place))}")


def _later(entry: str, arguments: dict[str, Any]) -> Callable[[], Any]:
    """Has a worker make the file when it is asked for."""
    return lambda: call(entry, arguments, seconds=SECONDS)


def _delete(runs: Sequence[KeptRun], now: Project) -> None:
    """Asks once."""
    size = sum(one.size for one in runs) / 1e6
    words = "it" if len(runs) == 1 else f"these {len(runs)}"
    with st.popover("Delete", icon=":material/delete:", width="content"):
        st.markdown(f"This frees {size:,.2f} MB and cannot be undone.")
        if any(one.id == now.run for one in runs):
            st.markdown("The model on stage keeps its network and loses what it has learnt.")
        if not st.button(f"Delete {words} for good", type="primary", key="runs.delete"):
            return
        told = [_gone(one) for one in runs]
        if any(told):
            st.error(" ".join(word for word in told if word))
            return
    if any(one.id == now.run for one in runs):
        project.change(run="")
    st.toast(f"Deleted; {size:,.2f} MB are free again.")
    st.rerun()


def _gone(run: KeptRun) -> str:
    """Delete it; why that could not be, or nothing."""
    try:
        board().delete(run.id, visitor())
    except (ValueError, LookupError, OSError) as error:
        return _plain(f"{error}.")
    return ""


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return "".join(f"\\{sign}" if sign in "*_`[]$<>#~|\\" else sign for sign in text)
