"""Play with a trained flow: particles layer by layer, the exact density, and the way back."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, get_args

from engine.forms import Choice, Pick, Place, Slider, Value
from engine.generate.kept import open_kept
from engine.generate.studies.flow_desk import IMAGES, REACH, Desk, Wish
from engine.views import Frame

Show = Literal["walk", "temperatures", "classes", "surprise"]


def study(
    model: str,
    *,
    moment: Annotated[
        float,
        Slider(0.0, 1.0, live=True, help="Later on the way from noise to data (points)"),
    ] = 1.0,
    place: Annotated[
        list[float],
        Place(
            (-REACH, REACH, -REACH, REACH),
            "density samples",
            help="A point whose way back to the noise is told: click the density (points)",
        ),
    ] = [0.0, 0.5],  # noqa: B006 - never changed
    temperature: Annotated[
        float,
        Slider(0.0, 1.5, live=True, help="Noise from further out; below 1 it is safer and duller"),
    ] = 1.0,
    show: Annotated[
        Show, Choice(get_args(Show), live=True, help="What to look at beside the samples (images)")
    ] = "walk",
    pick: Annotated[
        int, Pick(IMAGES, "samples", help="Click images to choose A and B in turn (images)")
    ] = 0,
    seed: Annotated[int, Slider(0, 999, live=True, help="Other noise")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Show samples at once; wait for a control to be turned.

    Args:
        model: A file, a run's folder, or the name of a ready model.
        moment: Where on the way the particles are.
        place: The point that is followed back.
        temperature: Of the noise.
        show: What is shown of images.
        pick: The image clicked.
        seed: Fixes the noise.

    Yields:
        A frame, and another after every change.

    Raises:
        LookupError: There is no such model, or what it learnt from is no longer there.
        ValueError: It is no flow, or the file is corrupt.
    """
    desk = Desk(*open_kept(model))
    wish = Wish(moment, (place[0], place[1]), temperature, show, (pick, 1), seed)
    while True:
        changes = yield desk.frame(wish)
        wish = _changed(wish, changes or {})


def _changed(wish: Wish, changes: Mapping[str, Any]) -> Wish:
    new = {name: value for name, value in changes.items() if name != "pick"}
    if "place" in new:
        new["place"] = tuple(new["place"])
    if "pick" in changes:  # the older choice goes
        new["picks"] = (wish.picks[1], int(changes["pick"]))
    return replace(wish, **new)
