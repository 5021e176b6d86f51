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
STUDIES = "engine.explain.studies"

SECTIONS = (
    Section(
        "Compare methods",
        "engine.explain.study:study",
        "Which parts of the input made **your** model decide? Blue speaks for the class, orange "
        "against it. Each method says how far it can be trusted.",
        (*GIVEN, "target"),
        ("layer", "baseline", "seed", "scale", "patience"),
        methods="methods",
        icon="compare",
    ),
    Section(
        "Trust",
        f"{STUDIES}.faithful:study",
        "Does a map show what the model uses, or only what the picture looks like? Take away what "
        "it points at, move the input a little, make the model forget what it learned.",
        (*GIVEN, "target"),
        ("layer", "seed", "patience"),
        methods="methods",
        icon="verified",
    ),
    Section(
        "Errors",
        f"{STUDIES}.errors:study",
        "What does it take for what, and why? Click a cell, then one of its samples: the maps show "
        "what spoke for the wrong answer and what for the true one.",
        ("cell", "member", "method"),
        ("layer",),
        main="confusion",
        own=False,
        icon="grid_on",
    ),
    Section(
        "Counterfactual",
        f"{STUDIES}.counterfactual:study",
        "What would have to be different for another answer? The smallest change that was found, "
        "within what such data plausibly are.",
        (*GIVEN, "wanted", "search"),
        main="both",
        icon="alt_route",
    ),
    Section(
        "A unit's wish",
        f"{STUDIES}.units:study",
        "What does a unit want to see? A noise is changed step by step until the unit is loudest; "
        "beside it the test samples it likes best.",
        ("unit", "decay", "smooth"),
        ("layer", "steps", "rate", "blur", "jitter", "seed"),
        main="wish",
        own=False,
        icon="auto_awesome",
    ),
    Section(
        "Units",
        f"{STUDIES}.inside:units",
        "Which units of a layer carry this answer? Click a bar: the maps show what made that unit "
        "rise, and its share of the answer.",
        (*GIVEN, "target", "method", "unit"),
        ("layer",),
        main="units",
        icon="bar_chart",
    ),
    Section(
        "Pairs",
        f"{STUDIES}.inside:pairs",
        "Which parts work together? Each cell says what two parts give together beyond what each "
        "gives alone.",
        (*GIVEN, "target", "grid"),
        main="pairs",
        icon="join_inner",
    ),
    Section(
        "Data set",
        f"{STUDIES}.whole:importances",
        "What does it use over all samples? A part is important if the model gets worse when that "
        "part is shuffled among them.",
        ("way", "samples", "grid"),
        ("seed",),
        main="importance",
        own=False,
        icon="dataset",
    ),
    Section(
        "Alike",
        f"{STUDIES}.whole:explained",
        "Which samples are explained alike? A small group apart from its class often stands on a "
        "shortcut. Click a dot.",
        ("method", "samples", "dot"),
        ("layer",),
        main="plane",
        own=False,
        icon="scatter_plot",
    ),
    Section(
        "Concepts",
        f"{STUDIES}.concepts:study",
        "Does it use a concept that you name? Give examples, a class or a drawing of yours: the "
        "bars say for how many samples of each class the score rises towards it.",
        ("concept", "examples", "drawing", "about"),
        ("layer", "draws", "seed"),
        main="tcav",
        own=False,
        icon="category",
    ),
    Section(
        "Training samples",
        f"{STUDIES}.training:study",
        "Which training samples made it say so? Those that spoke most for the answer, and those "
        "that spoke against it.",
        (*GIVEN, "target", "way"),
        main="for",
        icon="school",
    ),
)


def section(name: str) -> Section:
    """The section of that name; the first for a name there is none of."""
    return next((one for one in SECTIONS if one.name == name), SECTIONS[0])
