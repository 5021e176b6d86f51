"""The section Text: a ready language model, or the one on stage, writes on or fills blanks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from engine.store.home import run_folder
from ui import asked, project, study
from ui.inside import blanks, generation

KEY = "generate.text"
STAGE = "the model on stage"
WRITES = (
    "The model says what comes next, draws it, and goes on. **Turn the temperature**, cut "
    "candidates, step token by token, and click a token to see what it was drawn from."
)
FILLS = (
    "The model reads from **both sides** of a blank. Type words and `_` for a blank: the one it is "
    "surest of is filled first, then it thinks again."
)


def show() -> None:
    """Whose text, and the live view."""
    found = sorted(asked.answer("engine.generate.kept:writers"), key=_fills)  # who writes is first
    models = {str(one["name"]): one for one in found}
    names = [*models, *([STAGE] if _on_stage() else [])]
    if not names:
        st.info("No text model is here yet. Put a *Small GPT* on stage and train it on stories.")
        st.page_link("train.py", label="Go to **Train**", icon=":material/play_circle:")
        return
    picked = st.pills(
        "Who writes?",
        names,
        format_func=lambda name: models[name]["title"] if name in models else name,
        default=names[0],
        required=True,
        key=f"{KEY}.model",
    )
    chosen = models.get(picked or names[0]) or _stage()
    fills = _fills(chosen)
    entry = blanks.ENTRY if fills else generation.ENTRY
    st.markdown(FILLS if fills else WRITES)
    place = Path(str(chosen["place"]))
    stamp = (place / "weights.safetensors").stat().st_mtime_ns
    run = study.opened(entry, str(place), stamp, key=KEY, title=str(chosen["title"]))
    form = asked.form(entry)
    if fills:
        study.view(run, form, key=KEY, columns=2, top=["text filled"])
        return
    controls = [name for name in form.live() if name != "source"]
    study.view(run, form, key=KEY, only=controls, columns=3, top=["read", "text"])
    st.page_link("attention.py", label="Look at its **attention**", icon=":material/hub:")


def _fills(model: dict[str, Any]) -> bool:
    """Whether a model fills blanks; else it writes on."""
    return str(model["data"]).partition("?")[0] == "blanks"


def _on_stage() -> bool:
    """Whether the model on stage is trained and writes or fills."""
    now = project.current()
    fits = not generation.misfit(now) or not blanks.misfit(now)
    return fits and project.summary(now) is not None


def _stage() -> dict[str, Any]:
    now = project.current()
    return {"place": run_folder(now.run), "title": now.name, "data": now.data}
