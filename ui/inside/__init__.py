"""What there is to see inside a model: a section is a file of this folder with a `SECTION`.

Only the section that was chosen runs. A section says itself which models it is for; the page opens
with the first that fits the model on stage.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from engine.store.projects import Project

KEY = "inside.section"


@dataclass(frozen=True, slots=True)
class Section:
    """One way to look into a model.

    Attributes:
        name: What it is called on its button.
        icon: The button's Material icon, `":material/hub:"`.
        order: Its place among the sections, from left to right.
        misfit: Why it shows nothing of the model on stage, in a sentence; empty where it does.
        show: Draws it.
        of_stage: Whether it is about the model on stage; the page never opens with another one.
    """

    name: str
    icon: str
    order: int
    misfit: Callable[[Project], str]
    show: Callable[[Project], None]
    of_stage: bool = True


@functools.cache
def sections() -> tuple[Section, ...]:
    """All sections, in their order."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    found = [importlib.import_module(f"{__name__}.{name}") for name in names]
    made = [module.SECTION for module in found if hasattr(module, "SECTION")]
    return tuple(sorted(made, key=lambda section: section.order))


def show(now: Project) -> None:
    """The row of buttons, and the section that is chosen."""
    known = {section.name: section for section in sections()}
    reasons = {name: section.misfit(now) for name, section in known.items()}
    fitting = [name for name, reason in reasons.items() if not reason]
    first = next((name for name in fitting if known[name].of_stage), next(iter(known)))
    chosen = st.segmented_control(
        "What to look at",
        list(known),
        default=first,
        required=True,
        format_func=lambda name: f"{known[name].icon} {name}",
        label_visibility="collapsed",
        # another network may want another section first
        key=f"{KEY}.{now.name}.{now.revision}",
    )
    name = chosen or first
    if reasons[name]:
        st.info(reasons[name])
        if fitting:
            st.caption(f"For this model there is: {', '.join(fitting)}.")
        return
    known[name].show(now)
