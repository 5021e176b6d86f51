"""Play with a trained autoencoder: its map, its samples, walks, units, styles and words."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, get_args

from engine.forms import Choice, Pick, Place, Slider, Text, Value
from engine.generate.kept import open_kept
from engine.generate.studies.latent_coded import IMAGES, Wish
from engine.generate.studies.latent_desk import GRID, REACH, Desk, map_places
from engine.views import Frame

Show = Literal["map", "walk", "arithmetic", "units", "styles", "words", "came back", "score"]


def study(
    model: str,
    *,
    show: Annotated[
        Show, Choice(get_args(Show), help="What to look at beside the samples", live=True)
    ] = "map",
    place: Annotated[
        list[float],
        Place((-REACH, REACH, -REACH, REACH), "map", help="The code to decode: click the map"),
    ] = [0.0, 0.0],  # noqa: B006 - never changed
    across: Annotated[
        int, Slider(0, 64, live=True, when="show=map", help="Unit of the map's x; 0: it chooses")
    ] = 0,
    up: Annotated[
        int, Slider(0, 64, live=True, when="show=map", help="Unit of the map's y; 0: it chooses")
    ] = 0,
    pick: Annotated[
        int,
        Pick(
            1000,
            "samples",
            help="Click the decoded map for its code; in walks and arithmetic choose A, B, C",
        ),
    ] = 0,
    label: Annotated[
        str, Text(80, live=True, help="For a model that is told classes: which; any: all in turn")
    ] = "any",
    sample: Annotated[
        int,
        Slider(0, 999, live=True, when="show=words|units|came back", help="Another true sample"),
    ] = 0,
    seed: Annotated[int, Slider(0, 999, live=True, help="Other codes drawn")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Show samples and codes at once; wait for a control to be turned.

    Args:
        model: A file, a run's folder, or the name of a ready model.
        show: What to look at.
        place: Where on the map of two units.
        across: Which unit is the map's x, counted from 1.
        up: Which is its y.
        pick: The sample clicked.
        label: Name of a class.
        sample: Number of the true sample that is looked at.
        seed: Fixes the codes drawn.

    Yields:
        A frame, and another after every change.

    Raises:
        LookupError: There is no such model, or what it learnt from is no longer there.
        ValueError: The model has no codes, or the file is corrupt.
    """
    desk = Desk(*open_kept(model))
    spot = (place[0], place[1])
    wish = Wish(show, spot, across, up, (pick, 1, 2), label, sample, seed)
    while True:
        changes = yield desk.frame(wish)
        wish = _changed(wish, changes or {})


def _changed(wish: Wish, changes: Mapping[str, Any]) -> Wish:
    new = {name: value for name, value in changes.items() if name != "pick"}
    if "place" in new:
        new["place"] = tuple(new["place"])
    if "pick" in changes:
        picked = int(changes["pick"])
        if wish.show == "map" and picked < GRID * GRID:  # the large picture is the decoded map
            new["place"] = tuple(map_places()[picked].tolist())
        elif wish.show in ("walk", "arithmetic"):  # the oldest choice goes
            new["picks"] = (*wish.picks[1:], min(picked, IMAGES - 1))
    return replace(wish, **new)
