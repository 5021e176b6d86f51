"""The section Take home: the model as weights, code, ONNX, a picture or a film."""

from __future__ import annotations

import base64
from typing import Any

import streamlit as st

from engine.jobs import CallError, call
from ui import asked
from ui.generating.chosen import Chosen

FORMS = "engine.generate.takings:takings"
AFTER = {
    "weights": "python -m engine sample model.safetensors --count 16 -o samples.npz",
    "code": "unzip model.zip && pip install -r requirements.txt && python sample.py --count 16",
    "onnx": "unzip model-onnx.zip   # one file for each network of the model",
}


def show(now: Chosen) -> None:
    """The form to take, what it looks like, and the button that saves it."""
    forms = {str(one["name"]): one for one in asked.table(FORMS)}
    names = sorted(forms, key=lambda name: int(forms[name]["place"]))
    picked = st.segmented_control(
        "Take it home as",
        names,
        format_func=lambda name: str(forms[name]["title"]),
        default=names[0],
        required=True,
        key="generate.form",
    )
    entry = forms[picked or names[0]]
    seed = 0
    if entry["media"].startswith("image/"):
        seed = int(st.number_input("seed", 0, 9999, 0, key="generate.form.seed", width=140))
    st.caption(str(entry["help"]))
    try:
        content = _made(now.place, now.stamp, str(entry["name"]), seed)
    except CallError as error:
        st.warning(str(error).replace("`", "'"))
        return
    st.download_button(
        f"Save {entry['file']} ({_size(len(content))})",
        content,
        str(entry["file"]),
        str(entry["media"]),
        type="primary",
        icon=":material/download:",
        on_click="ignore",
        key=f"generate.save.{entry['name']}",
    )
    if entry["name"] in AFTER:
        st.code(AFTER[str(entry["name"])], "bash")
    if entry["media"].startswith("image/"):
        _look(entry, content, now)


@st.cache_data(max_entries=24, show_spinner="Making it")
def _made(model: str, _stamp: int, name: str, seed: int) -> bytes:
    arguments = {"model": model, "name": name, "seed": seed}
    found: bytes = call("engine.generate.takings:take_home", arguments, seconds=120)["content"]
    return found


def _look(entry: dict[str, Any], content: bytes, now: Chosen) -> None:
    picture = base64.b64encode(content).decode()
    words = f"{entry['title']} of {now.recipe['title']}"
    style = "max-width:100%;height:auto;border-radius:8px;image-rendering:pixelated"
    st.html(f'<img alt="{words}" style="{style}" src="data:{entry["media"]};base64,{picture}">')


def _size(count: int) -> str:
    return f"{count / 1e6:.2f} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} kB"
