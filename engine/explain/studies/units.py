"""What does a unit want to see? A picture made for it, and the samples it likes best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
import torch

from engine.explain import pictures
from engine.explain.desk import Desk, Seed, Steered, refused, steered
from engine.explain.layers import find_layer
from engine.explain.maximise import Wishes, activations, ascend
from engine.explain.study import Layer
from engine.forms import Slider
from engine.views import Bars, Curve, Frame, Table, Tiles, View

BEST = 9  # samples of the data that are shown
LOOKED = 2000  # samples of the data that are asked about
BATCH = 256


def study(
    model: str,
    *,
    layer: Layer = "",
    unit: Annotated[
        int, Slider(0, 511, live=True, help="Another channel, neuron or, without a layer, class")
    ] = 0,
    steps: Annotated[int, Slider(10, 400, log=True, live=True, help="Climbs longer")] = 120,
    rate: Annotated[float, Slider(0.01, 0.3, log=True, live=True, help="Longer steps")] = 0.05,
    decay: Annotated[
        float, Slider(0.0, 5.0, live=True, help="Bright pixels cost more: a darker picture")
    ] = 1.0,
    smooth: Annotated[
        float, Slider(0.0, 50.0, live=True, help="Differences of neighbours cost more")
    ] = 10.0,
    blur: Annotated[
        float, Slider(0.0, 2.0, unit="pixel", live=True, help="Blurred more now and then")
    ] = 0.5,
    jitter: Annotated[
        int, Slider(0, 4, unit="pixel", live=True, help="Shifted more before every step")
    ] = 1,
    seed: Seed = 0,
) -> Steered:
    """Climb to an input at which the unit is loudest; wait for a control to be turned.

    Args:
        model: The folder of a trained run.
        layer: The layer; empty for the model's own outputs.
        unit: Its channel or neuron.
        steps: How long the climb is.
        rate: The length of a step.
        decay: The price of bright pixels.
        smooth: The price of differences between neighbours.
        blur: The width of the blur.
        jitter: How far the picture is shifted at random.
        seed: Of the noise it begins with.

    Yields:
        The picture while it grows; the last frame waits.
    """
    desk = Desk(model)
    controls = {
        "layer": layer, "unit": unit, "steps": steps, "rate": rate, "decay": decay,
        "smooth": smooth, "blur": blur, "jitter": jitter, "seed": seed,
    }  # fmt: skip
    yield from steered(lambda now: _frames(desk, now), controls)


def _frames(desk: Desk, controls: Mapping[str, Any]) -> Iterator[Frame]:
    module, unit = desk.kept.module, int(controls["unit"])
    try:
        part = find_layer("unit", module, controls["layer"]) if controls["layer"] else None
        liked = _liked(desk, part, unit)
        if desk.kind == "text":
            yield Frame(1, 1, {"liked": liked}, waits=True)
            return
        ends = _range(desk)
        names = ("decay", "smooth", "blur", "jitter")
        climb = ascend(
            module, part, unit, desk.kept.shape, low=ends[0], high=ends[1],
            steps=int(controls["steps"]), rate=float(controls["rate"]),
            wishes=Wishes(**{name: controls[name] for name in names}), seed=int(controls["seed"]),
        )  # fmt: skip
        heights: list[float] = []
        views: dict[str, View] = {}
        for seen in climb:
            heights.append(seen.activation)
            views = {"wish": _wish(desk, seen.x), "climb": _climb(heights), "liked": liked}
            facts = {"activation": seen.activation}
            yield Frame(len(heights) - 1, int(controls["steps"]), views, facts)
    except (ValueError, LookupError, RuntimeError) as error:
        yield refused(error)
        return
    facts = {"activation": heights[-1], "at first": heights[0]}
    yield Frame(int(controls["steps"]), int(controls["steps"]), views, facts, waits=True)


def _range(desk: Desk) -> tuple[torch.Tensor | float, torch.Tensor | float]:
    """What each number of a sample may be."""
    if desk.kind == "image" or desk.data is None:
        return 0.0, 1.0
    x = desk.data.train_x[:LOOKED]
    return x.amin(0), x.amax(0) + 1e-6


def _wish(desk: Desk, x: torch.Tensor) -> View:
    if desk.kind == "image":
        return Tiles(
            pictures.grey(x[0])[None], ("made for the unit",), title="what it wants to see"
        )
    case = desk.put(_given(x))
    return pictures.shown(desk, case)


def _given(x: torch.Tensor) -> Any:
    from engine.models.inputs import Given

    return Given(x, None, "made for the unit")


def _climb(heights: list[float]) -> View:
    return Curve(
        np.arange(len(heights)), {"activation": np.array(heights)}, ylabel="activation of the unit"
    )


def _liked(desk: Desk, part: torch.nn.Module | None, unit: int) -> View:
    """The samples of the data that the unit answers to most."""
    if desk.data is None:
        return Table(("sample",), (), title="there are no samples of data to look through")
    x = desk.data.valid_x[:LOOKED]
    loud: list[torch.Tensor] = []
    with torch.no_grad():
        for some in x.split(BATCH):
            loud.append(activations(desk.kept.module, part, some, unit))
    found = torch.cat(loud)
    best = found.argsort(descending=True)[:BEST].tolist()
    title = "the test samples it likes best"
    if desk.kind == "image":
        images = np.stack([pictures.grey(x[i]) for i in best])
        return Tiles(images, tuple(f"{float(found[i]):.3g}" for i in best), title=title)
    if desk.kind == "text":
        words = desk.vocabulary
        rows = tuple((" ".join(words[int(t)] for t in x[i]), float(found[i])) for i in best)
        return Table(("text", "activation"), rows, title=title)
    names = tuple(str(i) for i in best)
    return Bars(names, {"activation": found[best].numpy()}, xlabel="test sample", title=title)
