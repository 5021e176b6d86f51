"""Does the model use a concept that a person names?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
import torch

from engine.explain import pictures
from engine.explain.adapt import Embedded, adapted
from engine.explain.concepts import Concept, Score, directions, tcav
from engine.explain.desk import Desk, Drawn, Seed, Steered, refused, steered
from engine.explain.layers import any_layer
from engine.explain.study import Layer
from engine.forms import Choice, Slider, Text
from engine.models.inputs import resample
from engine.views import Bars, Frame, Note, Table, Tiles, View

MOST = 120  # samples of a class, and examples of a concept
SHIFTS = [(down, across) for down in range(-2, 3) for across in range(-2, 3)]
CERTAIN = 0.05  # a p-value below it counts


def study(
    model: str,
    *,
    concept: Annotated[
        str, Choice(("a class", "my drawing"), help="Where its examples come from", live=True)
    ] = "a class",
    examples: Annotated[
        str, Text(64, live=True, help="The class whose samples are the concept")
    ] = "",
    drawing: Drawn = [],  # noqa: B006 - read only
    about: Annotated[
        str, Text(64, live=True, help="The class that is asked about, or: all")
    ] = "all",
    layer: Layer = "",
    draws: Annotated[int, Slider(3, 30, live=True, help="A surer verdict")] = 10,
    seed: Seed = 0,
) -> Steered:
    """Test whether a direction that means the concept raises a class's score.

    Args:
        model: The folder of a trained run.
        concept: Whether samples of a class are the examples, or a drawing moved about.
        examples: Name or number of that class; empty is the first.
        drawing: Grey levels in [0, 1], row by row.
        about: Name or number of the class that is asked about; `all` asks about every one.
        layer: Where the concept is looked for; empty is the last convolution.
        draws: How often other examples are drawn against it.
        seed: Of the draws.

    Yields:
        A frame a class; the last one waits.
    """
    desk = Desk(model)
    controls = {
        "concept": concept, "examples": examples, "drawing": drawing, "about": about,
        "layer": layer, "draws": draws, "seed": seed,
    }  # fmt: skip
    yield from steered(lambda now: _frames(desk, now), controls)


def _frames(desk: Desk, controls: Mapping[str, Any]) -> Iterator[Frame]:
    try:
        data = desk.data
        if data is None or not desk.classifies or data.train_y.ndim != 1:
            raise ValueError("Concepts need a model that tells classes apart, and its data.")
        words, shown, examples, others = _examples(desk, controls)
        asked = _asked(desk, str(controls["about"]), others)
        found: dict[str, Score] = {}
        facts: dict[str, float] = {}
        module, _ = adapted(desk.kept.module, data.train_x[:1], desk.kind)
        part = any_layer("concepts", module, str(controls["layer"]))
        drawn: list[tuple[Concept, Concept]] = []
        draws = int(controls["draws"])
        for pair in directions(
            module, part, _real(desk, examples), _real(desk, others),
            draws=draws, seed=int(controls["seed"]),
        ):  # fmt: skip
            drawn.append(pair)
            of = draws + len(asked)
            yield Frame(len(drawn), of, _views(desk, words, shown, found))
        for done, output in enumerate(asked, start=1):
            of_class = _real(desk, data.train_x[data.train_y == output][:MOST])
            if len(of_class):
                score = tcav(module, part, of_class, output, drawn)
                found[desk.name(output)] = score
                facts = {"told apart by the layer [%]": 100 * score.accuracy}
                yield Frame(draws + done, of, _views(desk, words, shown, found), facts)
        yield Frame(len(asked), len(asked), _views(desk, words, shown, found), facts, waits=True)
    except (ValueError, LookupError, RuntimeError) as error:
        yield refused(error)


def _examples(
    desk: Desk, controls: Mapping[str, Any]
) -> tuple[str, torch.Tensor, torch.Tensor, torch.Tensor]:
    """What the concept is called, examples to look at, all examples, and other samples."""
    data = desk.data
    if data is None:
        raise ValueError("Concepts need the model's data.")
    if controls["concept"] == "my drawing":
        if not len(controls["drawing"]):
            raise ValueError("Draw something first, for instance a loop or a bar: it is moved "
                             "about by two pixels, and that is the concept.")  # fmt: skip
        one = resample(controls["drawing"], desk.kept.shape)
        moved = torch.cat([one.roll(by, (2, 3)) for by in SHIFTS])
        return "your drawing", moved, moved, data.train_x[: 4 * MOST]
    names = [desk.name(output) for output in range(len(data.classes))]
    wanted = str(controls["examples"]).strip()
    if wanted and wanted not in names and not (wanted.isdecimal() and int(wanted) < len(names)):
        raise ValueError(f"examples must be one of {', '.join(names[:40])}; got {wanted!r:.40}")
    output = names.index(wanted) if wanted in names else int(wanted or 0)
    own = data.train_y == output
    return names[output], data.train_x[own][:9], data.train_x[own][:MOST], data.train_x[~own]


def _asked(desk: Desk, target: str, others: torch.Tensor) -> list[int]:
    del others
    count = len(desk.data.classes) if desk.data else 0
    if target.strip() in ("", "all"):
        return list(range(min(count, 20)))
    names = [desk.name(output) for output in range(count)]
    if target in names:
        return [names.index(target)]
    if target.isdecimal() and int(target) < count:
        return [int(target)]
    raise ValueError(f"about must be all or one of {', '.join(names[:40])}; got {target!r:.40}")


def _real(desk: Desk, x: torch.Tensor) -> torch.Tensor:
    """Samples as explainers take them, in an even draw of at most four times `MOST`."""
    some = x[: 4 * MOST]
    module, real = adapted(desk.kept.module, some, desk.kind)
    return module.vectors(some.long()) if isinstance(module, Embedded) else real


def _views(
    desk: Desk, words: str, shown: torch.Tensor, found: Mapping[str, Score]
) -> dict[str, View]:
    names = tuple(found)
    heights = {
        f"{words}": np.array([score.mean for score in found.values()]),
        "random examples": np.array([float(np.mean(score.chance)) for score in found.values()]),
    }
    rows = tuple(
        (
            name, round(score.mean, 3), round(float(np.mean(score.chance)), 3),
            round(score.p, 4), _verdict(score),
        )
        for name, score in found.items()
    )  # fmt: skip
    views: dict[str, View] = {
        "tcav": Bars(
            names,
            heights,
            xlabel="class that is asked about",
            ylabel="samples whose score rises along it",
            level={"no matter": 0.5},
        ),
        "numbers": Table(("class", "TCAV", "random", "p", "in words"), rows),
    }
    if desk.kind == "image":
        pictured = np.stack([pictures.grey(one) for one in shown[:9]])
        views["examples"] = Tiles(pictured, title=f"the concept: {words}")
    weak = [score.accuracy for score in found.values()]
    if weak and float(np.mean(weak)) < 0.7:
        views["notes"] = Note(
            "This layer hardly tells the concept from other samples: read nothing into the bars.",
            tone="warning",
        )
    return views


def _verdict(score: Score) -> str:
    if score.p > CERTAIN:
        return "no more than random examples"
    return "speaks for the class" if score.mean > np.mean(score.chance) else "speaks against it"
