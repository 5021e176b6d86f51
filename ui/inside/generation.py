"""Write on with the model on stage: the odds of every token, filters, beams and the cache."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.store.projects import Project
from ui import asked, study
from ui.inside import Section

ENTRY = "engine.generate.study:study"
KEY = "generation"
MISFIT = (
    "This network does not say what comes next at each place of a text. Put a *Small GPT* or a "
    "*Character LSTM* on stage under Change model, and train it on stories."
)


def misfit(now: Project) -> str:
    """Why there is nothing to show, or an empty text."""
    inputs = text_inputs(now.spec)
    if not 1 <= len(inputs) <= 2 or now.data.partition("?")[0] == "blanks":  # it sees what follows
        return MISFIT
    shape = asked.output(now.spec)
    words = inputs[-1].get("vocabulary")
    places = inputs[-1].get("shape", [0])[0]
    return "" if len(shape) == 2 and shape[0] == places and words in (None, shape[1]) else MISFIT


def text_inputs(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameters of the network's inputs, if all of them read tokens; else none."""
    inputs = [node.get("params", {}) for node in spec.get("nodes", []) if node["type"] == "Input"]
    return inputs if all(one.get("dtype") == "token" for one in inputs) else []


def show(now: Project) -> None:
    """A sentence, and the live view."""
    st.markdown(
        "Your model writes, one token after another. **Turn the temperature**, cut candidates with "
        "top-k, top-p or min-p, **step** token by token, and click a token to see what it was "
        "drawn from."
    )
    form = asked.form(ENTRY)
    pair = len(text_inputs(now.spec)) == 2
    controls = [name for name in form.live() if pair or name != "source"]
    run = study.begun(ENTRY, now, key=KEY)
    study.view(run, form, key=KEY, only=controls, columns=3, top=["read", "text"])


SECTION = Section("Writing", ":material/edit_note:", 20, misfit, show)
