"""A table of one's own: what is in each column is told, and what is made of it is chosen."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.jobs import CallError, call
from engine.palette import CLASSES
from engine.store.projects import Project
from ui import asked, project
from ui.data_name import joined

KINDS = ["csv", "tsv", "txt", "parquet"]
USES = ["number", "category", "ignore"]
FILLINGS = ["mean", "median", "most frequent", "own category", "drop rows"]
USUAL = {"number": "mean", "category": "own category", "ignore": "own category"}
SCALES = {"standard": "mean 0, deviation 1", "range": "0 to 1", "none": "as they are"}


def show(now: Project) -> None:
    """A file, its columns, and the button that makes it the data on stage."""
    file = st.file_uploader("A table: CSV, TSV or Parquet", type=KINDS, key="data.table")
    if file is None:
        st.caption(
            "Each row is a sample; one column is what the network shall predict. The first line "
            "names the columns. Nothing is left out that you do not leave out yourself."
        )
        return
    try:
        kept: str = call("engine.data.own:keep", {"content": file.getvalue()}, seconds=60)
        told = _surveyed(kept)
    except CallError as error:
        st.error(str(error))
        st.caption("Correct this place in the file and upload it again.")
        return
    columns = told["columns"]
    st.markdown(f"**{told['rows']:,} rows, {len(columns)} columns.** The first rows:")
    st.dataframe(told["preview"], hide_index=True, height=180)
    names = [column["name"] for column in columns]
    target = st.selectbox("Column to predict", names, len(names) - 1, key=f"data.target.{kept}")
    _balance(next(column for column in columns if column["name"] == target))
    plan = _columns(columns, kept)
    odd = [line for column in columns if column["use"] == "number" for line in column["odd"]]
    unread = bool(odd) and _slips(odd, kept)
    scale = st.radio(
        "Scale of columns", list(SCALES), format_func=SCALES.__getitem__, horizontal=True
    )
    left, right = st.columns(2)
    valid = left.slider("Part for validation", 0.05, 0.5, 0.2, 0.05)
    test = right.slider("Part for the test", 0.0, 0.3, 0.0, 0.05)
    chosen = {
        "target": target,
        **plan,
        **({"scale": scale} if scale != "standard" else {}),
        **({"unread": True} if unread else {}),
        **({"valid": valid} if valid != 0.2 else {}),
        **({"test": test} if test else {}),
    }
    _use(now, joined(kept, chosen))


def _use(now: Project, name: str) -> None:
    """Say what the plan gives, or what is wrong with it, and let it be taken."""
    try:
        told = asked.about(name)
    except CallError as error:
        st.error(str(error))
        return
    outputs = "a number" if told["task"] == "regression" else f"{told['outputs']} classes"
    st.caption(
        f"Makes {told['shape'][0]} inputs and {outputs}; {told['train']:,} rows to learn from, "
        f"{told['valid']:,} for validation, {told['test']:,} for the test."
    )
    if st.button("Use this table", type="primary", disabled=name == now.data):
        project.change(data=name)
        st.rerun()


def _columns(columns: list[dict[str, Any]], kept: str) -> dict[str, Any]:
    """What each column is taken for and how its gaps are filled; what differs from the usual."""
    rows = [
        {
            "column": column["name"],
            "taken for": column["use"],
            "missing": column["missing"],
            "gaps": USUAL[column["use"]],
            "holds": _holds(column),
        }
        for column in columns
    ]
    edited: list[dict[str, Any]] = st.data_editor(
        rows,
        key=f"data.columns.{kept}",
        hide_index=True,
        disabled=["column", "missing", "holds"],
        column_config={
            "taken for": st.column_config.SelectboxColumn(options=USES, required=True),
            "gaps": st.column_config.SelectboxColumn(
                "gaps filled by", options=FILLINGS, required=True
            ),
        },
    )
    uses: dict[str, str] = {}
    missing: dict[str, str] = {}
    for before, row in zip(columns, edited, strict=True):
        if row["taken for"] != before["use"] or before["use"] == "ignore":
            uses[row["column"]] = row["taken for"]
        usual = USUAL[row["taken for"]]
        if before["missing"] and row["gaps"] not in (usual, USUAL[before["use"]]):
            missing[row["column"]] = row["gaps"]
    out = [name for name, use in uses.items() if use == "ignore"]
    if out:
        st.caption(f"Left out: {', '.join(out)}.")
    return {k: v for k, v in (("uses", uses), ("missing", missing)) if v}


def _holds(column: dict[str, Any]) -> str:
    """What stands in a column, in a few words."""
    if column["use"] == "number":
        low, high = column["range"]
        slips = f", and {len(column['odd'])} words" if column["odd"] else ""
        return f"{low:.4g} to {high:.4g}{slips}"
    if column["use"] == "ignore":
        return str(column["odd"][0])
    return ", ".join(f"{word} ({count})" for word, count in column["levels"][:4])


def _slips(odd: list[str], kept: str) -> bool:
    """Cells in columns of numbers that are none: told, and counted as missing only if wished."""
    st.warning("Not a number where all others are: " + "; ".join(odd[:4]))
    return st.toggle("Count such cells as missing", key=f"data.unread.{kept}")


def _balance(column: dict[str, Any]) -> None:
    """How often each answer comes."""
    if column["missing"]:
        st.warning(
            f"{column['missing']} rows have no answer: fill them in, or choose *drop rows* for "
            f"{column['name']} below."
        )
    if len(column["levels"]) > 20:
        return
    counts = {str(word): count for word, count in column["levels"]}
    st.bar_chart(counts, horizontal=True, height=40 + 28 * len(counts), color=CLASSES[0])


@st.cache_data(max_entries=20, show_spinner="Looking at the table")
def _surveyed(kept: str) -> dict[str, Any]:
    found: dict[str, Any] = call("engine.data.own:survey", {"words": kept}, seconds=60)
    return found
