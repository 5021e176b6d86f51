"""The sections of the Explain page: what each asks, and which controls stand where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """One question to the model.

    Attributes:
        name: What it is called.
        entry: The run that answers it.
        words: What it is about, in one or two sentences.
        beside: Live controls beside the pictures.
        more: Live controls behind "More settings".
        methods: The control whose words are names of explainers; empty if there is none.
        main: The slot shown large.
        own: Whether the visitor's own input can be put in.
        icon: Of Material Symbols.
    """

    name: str
    entry: str
    words: str
    beside: tuple[str, ...]
    more: tuple[str, ...] = ()
    methods: str = ""
    main: str = "maps"
    own: bool = True
    icon: str = ""


GIVEN = ("source", "sample", "drawing")

SECTIONS = (
    Section(
        "Compare methods",
        "engine.explain.study:study",
        "Which parts of the input made **your** model decide? Blue speaks for the class, orange "
        "against it. Each method says how far it can be trusted.",
        (*GIVEN, "target"),
        ("layer", "baseline", "seed", "scale", "patience"),
        methods="methods",
    ),
)


def section(name: str) -> Section:
    """The section of that name; the first for a name there is none of."""
    return next((one for one in SECTIONS if one.name == name), SECTIONS[0])
