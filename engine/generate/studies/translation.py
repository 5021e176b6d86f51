"""Give a picture or a point; see what is made of it, and where there and back leads."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Annotated

import numpy as np
import torch

from engine.forms import Drawing, Place, Slider, Value
from engine.generate.families.translation import PixToPix, Translator
from engine.generate.kept import open_kept
from engine.generate.panels.samples import tiles
from engine.generate.panels.translation import side_by_side, translated
from engine.generate.source import Source, open_source
from engine.views import Field, Frame, Note, Points, Tiles, View

PIXELS = 32


def study(
    model: str,
    *,
    seed: Annotated[int, Slider(0, 999, live=True, help="Other held-out samples")] = 0,
    drawing: Annotated[
        list[float], Drawing(PIXELS, PIXELS, help="Draw an outline and have it filled")
    ] = [],  # noqa: B006 - never changed
    place: Annotated[
        list[float], Place((-3.0, 3.0, -3.0, 3.0), "trip", help="The point that is sent")
    ] = [-1.4, -0.4],  # noqa: B006 - never changed
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Show held-out samples and what is made of them at once; wait for a control to be turned.

    Args:
        model: A file, a run's folder, or the name of a ready model.
        seed: Which held-out samples.
        drawing: A picture of the visitor's own, rows one after the other.
        place: A point of the visitor's own.

    Yields:
        A frame, and another after every change.

    Raises:
        LookupError: There is no such model.
        ValueError: It does not translate, or the file is corrupt.
    """
    made, recipe = open_kept(model)
    if not isinstance(made, Translator):
        who = recipe.title or recipe.family
        raise ValueError(f"{who}: does not turn one kind into another")  # noqa: TRY004 - see maker
    source = open_source(recipe.data, recipe.ink)
    while True:
        views: dict[str, View] = {}
        if (known := translated(made, source, seed)) is not None:
            views["translation"] = known
        if source.outline.plane:
            views["trip"] = _trip(made, source, place)
        elif drawing:
            views |= _own(made, drawing)
        else:
            text = "Draw the outline of a shape, closed all round: it is filled as you draw."
            views["own"] = Note(text, title="Your own")
        if isinstance(made, PixToPix):
            views["patches"] = _patches(made, source, seed)
        changes = (yield Frame(0, 1, views, waits=True)) or {}
        seed = int(changes.get("seed", seed))  # type: ignore[arg-type] # a Slider's
        drawing = list(changes.get("drawing", drawing))  # type: ignore[arg-type] # a Drawing's
        place = list(changes.get("place", place))  # type: ignore[arg-type] # a Place's


@torch.no_grad()
def _own(model: Translator, drawing: Sequence[float]) -> dict[str, View]:
    """What is made of a drawing, brought to the model's size and channels."""
    picture = torch.tensor(drawing, dtype=torch.float32).reshape(1, 1, PIXELS, PIXELS)
    channels, rows, columns = model.outline.given
    if (rows, columns) != (PIXELS, PIXELS):
        picture = torch.nn.functional.interpolate(picture, (rows, columns), mode="area")
    given = 2 * picture.expand(-1, channels, -1, -1) - 1
    made = model.there(given)
    return {"own": side_by_side(given, made, None, model.back(made))}


@torch.no_grad()
def _trip(model: Translator, source: Source, place: Sequence[float]) -> View:
    """One point there and back, over both clouds."""
    at = torch.tensor([list(place)], dtype=torch.float32)
    made = model.there(at)
    home = model.back(made)
    stops = [at, made] if home is None else [at, made, home]
    given = source.held_labels[:300] if source.held_labels is not None else source.held[:0]
    wanted = source.held[:300]
    which = np.repeat(np.arange(2, dtype=np.int32), [len(given), len(wanted)])
    off = "" if home is None else f"; {float((home - at).norm()):.3f} from where it began"
    return Points(
        torch.cat([given, wanted]).numpy(),
        which,
        ("given", "wanted"),
        lines={"there and back": torch.cat(stops).numpy()},
        extent=source.outline.extent,
        equal=True,
        title=f"one point there and back{off}",
    )


@torch.no_grad()
def _patches(model: PixToPix, source: Source, seed: int) -> View:
    """What the discriminator says of each patch of one made picture."""
    if source.held_labels is None:
        return Tiles(tiles(source.held[:1]))
    given = source.held_labels[seed : seed + 1]
    told = model.patches(given, model.there(given)).sigmoid()[0]
    rows, columns = told.shape
    return Field(
        told.flip(0).numpy(),
        (0.0, float(columns), 0.0, float(rows)),
        title="how true each patch of the first made picture looks",
    )
