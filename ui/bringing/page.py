"""The page's two halves: where data come from, and what the data on stage are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from engine.store.projects import Project
from ui.bringing import at_hand, pictures, points, shown, table, text

SOURCES: Mapping[str, tuple[str, Callable[[Project], None]]] = {
    "At hand": ("inventory_2", at_hand.show),
    "Draw points": ("draw", points.show),
    "Table": ("table", table.show),
    "Pictures": ("photo_library", pictures.show),
    "Text": ("notes", text.show),
}


def show(now: Project) -> None:
    """Everything below the model on stage."""
    wanted = st.query_params.get("from", "At hand")
    chosen = st.pills(
        "Where do the data come from?",
        list(SOURCES),
        default=wanted if wanted in SOURCES else "At hand",
        key="data.from",
        format_func=lambda name: f":material/{SOURCES[name][0]}: {name}",
        required=True,
    )
    source, stage = st.columns([2, 3], gap="large")
    with source:
        SOURCES[chosen or "At hand"][1](now)
    with stage:
        shown.show(now)
