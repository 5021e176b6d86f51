"""The sections of the pages Attack and Defend: what each asks, and which controls stand where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["live", "batch"]
# live: answers at once and waits for a control; batch: is started, and goes on in the background


@dataclass(frozen=True)
class Section:
    """One question to the model.

    Attributes:
        name: What it is called.
        entry: The run that answers it.
        words: What it is about, in one or two sentences.
        kind: Whether it answers at once or is started.
        beside: Live controls beside the pictures.
        budgets: Whether the budget of the chosen attack's norm stands there too.
        method: The control that is the name of one attack; empty if there is none.
        methods: The control that is names of attacks; empty if there is none.
        rivals: Whether it looks at several kept models.
        recipe: Whether it trains with a defence that is chosen.
        table: The table whose entries are the runs to choose from; `entry` is its `at` then.
        main: The slot shown large.
        own: Whether the visitor's own input can be put in.
    """

    name: str
    entry: str
    words: str
    kind: Kind = "live"
    beside: tuple[str, ...] = ()
    budgets: bool = False
    method: str = ""
    methods: str = ""
    rivals: bool = False
    recipe: bool = False
    table: str = ""
    main: str = ""
    own: bool = False


GIVEN = ("source", "sample", "drawing", "target")

PRIVACY = Section(
    "What it gives away",
    "engine.attack.privacy.table:at",
    "Some attacks change no input: they want to know who was in the training set, what the "
    "classes look like, or the model itself, or leave a secret in it.",
    kind="batch",
    table="engine.attack.privacy.table:privacy_attacks",
)

ATTACK = (
    Section(
        "Fool it",
        "engine.attack.study:study",
        "How little must change before **your** model is wrong? Turn the budget up until the "
        "answer flips, and see which way the attack went.",
        beside=(*GIVEN, "third_direction", "seed"),
        budgets=True,
        method="method",
        main="images",
        own=True,
    ),
    Section(
        "Over the budget",
        "engine.attack.rivals:robust",
        "How many answers hold at each budget? Several attacks on several of your models, "
        "computed in the background; stop it when you have seen enough.",
        kind="batch",
        methods="methods",
        rivals=True,
        main="curve",
    ),
    Section(
        "Race",
        "engine.attack.race:race",
        "Which attack needs the fewest questions, and which the least time? Some follow the "
        "gradient, some only ask for answers.",
        kind="batch",
        methods="methods",
        main="queries",
    ),
    Section(
        "Transfer",
        "engine.attack.rivals:transfer",
        "Made for one model, does the change fool another? Rows are attacked, columns are shown "
        "the result.",
        beside=("epsilon", "judged", "seed"),
        method="method",
        rivals=True,
        main="matrix",
    ),
    Section(
        "Reasons",
        "engine.attack.attribution:attribution",
        "What made the model decide, before and after the attack?",
        beside=("first", "second", *GIVEN, "seed"),
        budgets=True,
        method="method",
        main="maps",
        own=True,
    ),
    PRIVACY,
)

TEXT = (
    Section(
        "Fool it",
        "engine.attack.text.study:study",
        "How few letters or words must be exchanged before **your** model reads something else?",
        beside=("method", "flips", "sample", "text", "seed"),
        main="after",
    ),
    PRIVACY,
)

DEFEND = (
    Section(
        "Train a defended one",
        "engine.defend.harden:harden",
        "Train your network twice from the same first weights, plainly and with a defence, and "
        "see on one chart what robustness is gained and what clean accuracy it costs.",
        kind="batch",
        recipe=True,
        main="accuracy",
    ),
    Section(
        "Filters",
        "engine.defend.masked:masked",
        "A filter before the network stops the usual attack. Does it make the model safe, or "
        "only hide the gradient?",
        beside=(
            "filter",
            "epsilon",
            "sample",
            "judged",
            "bits",
            "side",
            "quality",
            "smallest",
            "sigma",
        ),
        main="accuracy",
    ),
    Section(
        "Detect",
        "engine.defend.detect:detect",
        "Attacked inputs look different to statistics. How many are found, at the price of how "
        "many false alarms?",
        beside=("budget", "detector", "judged"),
        method="method",
        main="roc",
    ),
    Section(
        "Prove",
        "engine.defend.certify:certify",
        "Bounds over a whole box of inputs prove that no attack can succeed. Interval bounds are "
        "quick, CROWN's lines are tighter; the best attack bounds the truth from the other side.",
        beside=("epsilon", "sample", "judged", "furthest"),
        main="curve",
    ),
    Section(
        "Smooth",
        "engine.defend.smooth:smooth",
        "Ask the network many times under noise and take the vote: that answer comes with a "
        "radius within which nothing can move it.",
        beside=("sigma", "draws", "alpha", "sample", "judged", "seed"),
        main="certified",
    ),
    Section(
        "Find poison",
        "engine.defend.cleanse:cleanse",
        "A few marked training samples teach a network a secret. Poison a copy of your data, let "
        "statistics of the hidden layers find the samples, and train again without them.",
        kind="batch",
        main="curve",
    ),
)
