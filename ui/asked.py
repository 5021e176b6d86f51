"""What pages ask the workers, remembered: forms, tables and descriptions of networks.

Forms and tables are parts of the program and never change while it runs; descriptions follow
from a network's JSON alone.
"""

from __future__ import annotations

import functools
import json
from typing import Any
from urllib.parse import unquote_plus

import streamlit as st

from engine.forms import Form
from engine.jobs import CallError, call


@functools.cache
def form(entry: str) -> Form:
    """What an entry lets a visitor choose."""
    found: Form = call("engine.jobs.entries:form_of", {"entry": entry}, seconds=60)
    return found


@functools.cache
def table(name: str) -> list[dict[str, Any]]:
    """A table of the engine as plain data, by its address: `"engine.data:datasets"`."""
    found: list[dict[str, Any]] = call("engine.tables:listing", {"table": name}, seconds=60)
    return found


@functools.cache
def method_form(table: str, name: str) -> Form:
    """What an entry of a table lets a visitor choose."""
    found: Form = call("engine.tables:form_in", {"table": table, "name": name}, seconds=60)
    return found


@functools.cache
def answer(entry: str) -> Any:
    """What a function of the engine without arguments says; it is part of the program."""
    return call(entry, {}, seconds=60)


@functools.cache
def layers() -> list[dict[str, Any]]:
    """Every layer of the palette."""
    found: list[dict[str, Any]] = call("engine.network.catalog:catalog", {}, seconds=60)
    return found


@functools.cache
def templates() -> list[dict[str, Any]]:
    """The networks to begin with."""
    found: list[dict[str, Any]] = call("engine.network.templates:listing", {}, seconds=60)
    return found


@functools.cache
def formats() -> list[dict[str, Any]]:
    """What a network can be taken home as."""
    found: list[dict[str, Any]] = call("engine.export.table:listing", {}, seconds=60)
    return found


@functools.cache
def template(name: str) -> dict[str, Any]:
    """One of them, as a NetworkSpec in JSON."""
    found: dict[str, Any] = call("engine.network.templates:spec_of", {"name": name})
    return found


@st.cache_data(ttl=60, show_spinner=False)
def mnist() -> bool:
    """Whether MNIST's files are at hand, asked once a minute.

    Every rerun of every page asks this for a visitor who has changed nothing yet; on a server that
    has just begun, with its workers still loading, each answer took seconds, and a first choice
    seemed lost.
    """
    return bool(call("engine.data.sets.digits:at_hand", {}))


def described(spec: dict[str, Any]) -> dict[str, Any]:
    """Shapes, parameters and problems of a network; see `engine.network.describe`."""
    return _described(json.dumps(spec, sort_keys=True))


def output(spec: dict[str, Any]) -> list[int]:
    """The shape of what a network gives for one sample; empty if it does not work."""
    try:
        nodes = described(spec)["nodes"]
    except CallError:
        return []
    named = spec.get("outputs") or [node["id"] for node in spec.get("nodes", [])][-1:]
    found: list[int] = (nodes.get(named[-1], {}).get("output") or []) if named else []
    return found


@st.cache_data(max_entries=300, show_spinner=False)
def _described(text: str) -> dict[str, Any]:
    found: dict[str, Any] = call("engine.network.describe:describe", {"spec": json.loads(text)})
    return found


@st.cache_data(max_entries=50, show_spinner="Looking at the data")
def about(name: str) -> dict[str, Any]:
    """Sizes and classes of a data set; see `engine.data.about`."""
    found: dict[str, Any] = call("engine.data.about:about", {"name": name}, seconds=120)
    return found


OWN = {
    "own": "your own table",
    "text": "your own text",
    "points": "your own points",
    "images": "your own pictures",
}


def called(data: str) -> str:
    """A data set's name as people say it."""
    name, _, settings = data.partition("?")
    prefix, colon, _ = name.partition(":")
    if colon:
        return OWN.get(prefix, name)
    changed = unquote_plus(settings.replace("&", ", ").replace("=", " "))
    return f"{name} ({changed})" if changed else name
