"""Back in time: the network as it was at any kept step of its training, with all its pictures."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated

from engine.data import load
from engine.forms import Pick, Several, Slider, Value
from engine.models.kept import read_json
from engine.network.spec import NetworkSpec
from engine.training import travel
from engine.training.panels import NONE, hints, offered
from engine.training.panels.answers import MOST_CELLS, WORST
from engine.training.pictures import Pictures, standard
from engine.training.run import begin
from engine.training.session import Session
from engine.training.settings import Settings
from engine.views import Frame, Note


def study(
    model: str,
    *,
    moment: Annotated[
        float, Slider(0.0, 100.0, unit="%", live=True, help="Later in the run")
    ] = 100.0,
    panels: Annotated[
        str, Several(offered(), hints=hints(), live=True, group="Pictures", help="What is drawn")
    ] = standard(),
    cell: Annotated[
        int,
        Pick(MOST_CELLS, "confusion", none=True, group="Pictures", help="Its samples are shown"),
    ] = NONE,
    mistake: Annotated[
        int,
        Pick(WORST, "mistakes", none=True, group="Pictures", help="Of the surest ones"),
    ] = NONE,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Show a run as it stood at one of its kept steps; wait for another to be asked for.

    Args:
        model: The folder of the run.
        moment: How far along the kept steps, in per cent of them.
        panels: What is drawn.
        cell: Which cell of the confusion matrix is opened.
        mistake: Which of the surest mistakes.

    Yields:
        The frame that the run showed at that step, with the kept step in its facts.

    Raises:
        LookupError: The run has kept no steps.
    """
    folder = Path(model)
    steps = travel.kept(folder)
    if not steps:
        raise LookupError("this run has kept no steps to go back to; train the network anew")
    wish: dict[str, Value] = {"panels": panels, "cell": cell, "mistake": mistake}
    shown, pictures = -1, None
    while True:
        step = steps[round(moment / 100 * (len(steps) - 1))]
        if pictures is None or step != shown:
            shown, pictures = step, Pictures(restored(folder, step))
        pictures.look(wish)
        frame = pictures.frame()
        where = Note(
            f"Step **{step:,}**, one of {len(steps)} that were kept. Weights and curves are as "
            f"they were then.",
            "moment",
        )
        facts = {"kept step": float(step), **frame.facts}
        facts.pop("samples/s", None)
        facts.pop("tokens/s", None)
        views = {**frame.views, "moment": where}
        changes = yield Frame(step, steps[-1], views, facts, waits=True)
        wish |= changes or {}
        moment = float(str(wish.pop("moment", moment)))


def restored(folder: Path, step: int) -> Session:
    """A run's session as it stood at a kept step.

    Raises:
        LookupError: That step is not kept.
    """
    chosen = read_json(folder / "settings.json")
    known = {one.name for one in fields(Settings)}
    settings = Settings(**{name: value for name, value in chosen.items() if name in known})
    spec = NetworkSpec.parse(read_json(folder / "spec.json"))
    session = begin(spec, load(str(chosen["data"])), settings)
    session.restore(travel.place(folder.name, step))
    session.settings = replace(session.settings, epochs=settings.epochs)
    return session
