"""One form of the model after another, looked at and taken home."""

from __future__ import annotations

import base64
import json
from typing import Any

import streamlit as st

from engine.jobs import CallError, call
from engine.store.home import run_folder
from engine.store.projects import Project
from ui import asked, project

Entry = dict[str, Any]

AFTER = {  # what to type once the file is there
    "script": "python model.py --weights model.safetensors   # judges the model on its data",
    "keras": "python model_keras.py --weights model.safetensors --logits in.npy out.npy",
    "flax": "python model_flax.py --weights model.safetensors --logits in.npy out.npy",
    "onnx": "python -m engine import model.onnx -o model.json --weights-out model.safetensors",
    "torch-export": "python -c \"import torch; print(torch.export.load('model.pt2').graph)\"",
    "json": "python -m engine train model.json --data digits -o model.safetensors",
}
LANGUAGE = {"text/x-python": "python", "application/json": "json", "text/plain": None}
MOST_SHOWN = 60_000  # characters


def choose() -> Entry:
    """The form to take."""
    entries = {entry["name"]: entry for entry in asked.formats()}
    names = list(entries)
    picked = st.segmented_control(
        "Take it home as",
        names,
        format_func=lambda name: entries[name]["title"],
        default=names[0],
        required=True,
        key="export.form",
    )
    return entries[picked or names[0]]


def show(entry: Entry, now: Project, settings: str) -> None:
    """What it looks like, and the button that saves it."""
    weights = ""
    stamp = 0
    if entry["holds"] and project.summary(now) is not None:
        path = run_folder(now.run) / "weights.safetensors"
        weights, stamp = str(path), path.stat().st_mtime_ns
    st.caption(entry["help"])
    try:
        content = _made(entry["name"], json.dumps(now.spec), settings, weights, stamp)
    except CallError as error:
        st.warning(f"{entry['title']}: {plain(str(error))}")
        return
    st.download_button(
        f"Save {entry['file']}",
        content,
        entry["file"],
        entry["media"],
        type="primary",
        icon=":material/download:",
        on_click="ignore",
        key=f"export.save.{entry['name']}",
    )
    if entry["name"] in AFTER:
        st.code(AFTER[entry["name"]], "bash")
    _look(entry, content)


@st.cache_data(max_entries=12, show_spinner="Writing it")
def _made(name: str, spec: str, settings: str, weights: str, _stamp: int) -> bytes:
    arguments = {
        "name": name,
        "spec": json.loads(spec),
        "settings": json.loads(settings),
        "weights": weights or None,
    }
    content: bytes = call("engine.export.table:take_home", arguments, seconds=120)["content"]
    return content


def _look(entry: Entry, content: bytes) -> None:
    """The text or the picture itself; of other files how large they are."""
    if entry["media"] == "image/svg+xml":
        picture = base64.b64encode(content).decode()
        style = "max-width:100%;height:auto;border-radius:8px"
        st.html(
            f'<img alt="The network as a graph" style="{style}" '
            f'src="data:image/svg+xml;base64,{picture}">'
        )
    elif entry["media"] in LANGUAGE:
        text = content.decode()
        if entry["name"] == "link":
            text = f"{(st.context.url or '').rpartition('/')[0]}/{text}"
        st.code(
            text[:MOST_SHOWN],
            language=LANGUAGE[entry["media"]],
            line_numbers=True,
            height=520,
            wrap_lines=entry["name"] == "link",
        )
    else:
        st.caption(f"{len(content) / 1e6:,.2f} MB".replace(",", "\u202f"))


def plain(text: str) -> str:
    """Text that Markdown leaves as it is; a backtick becomes an apostrophe."""
    return text.replace("*", "\\*").replace("`", "'").replace("[", "\\[").replace("$", "\\$")
