"""What the model uses over its whole data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
import torch

from engine.explain import pictures
from engine.explain.adapt import Embedded
from engine.explain.desk import Case, Desk, Seed, Steered, refused, steered
from engine.explain.parts import players
from engine.explain.study import Layer
from engine.explain.table import explainers
from engine.explain.whole import importance, plane
from engine.forms import Choice, Pick, Slider
from engine.models.inputs import Given
from engine.views import Bars, Frame, Note, Points, Tiles, View

MOST_DOTS = 200
MOST_BARS = 40
QUICK = ("integrated_gradients", "input_x_gradient", "saliency", "gradcam", "deeplift")


def importances(
    model: str,
    *,
    way: Annotated[
        str,
        Choice(("shuffled parts", "mean |SHAP|"), help="How importance is measured", live=True),
    ] = "shuffled parts",
    samples: Annotated[int, Slider(10, 1000, log=True, live=True, help="Steadier")] = 200,
    grid: Annotated[int, Slider(2, 14, live=True, help="Smaller parts of a picture")] = 7,
    seed: Seed = 0,
) -> Steered:
    """Show which parts of its inputs the model needs over the validation set.

    Args:
        model: The folder of a trained run.
        way: How much worse it gets when a part is shuffled among samples, or the mean size of
            KernelSHAP's shares.
        samples: How many validation samples are looked at.
        grid: Into how many parts a side of a picture is cut.
        seed: Of the shuffles.

    Yields:
        A frame a part, or a sample; the last one waits.
    """
    desk = Desk(model)
    controls = {"way": way, "samples": samples, "grid": grid, "seed": seed}
    yield from steered(lambda now: _importances(desk, now), controls)


def _importances(desk: Desk, controls: Mapping[str, Any]) -> Iterator[Frame]:
    try:
        case, x, y = _samples(desk, int(controls["samples"]))
        growing = (_shuffled if controls["way"] == "shuffled parts" else _mean_size)(
            desk, case, x, y, controls
        )
        for done, of, found, unit in growing:
            last = done == of
            yield Frame(
                done, of, _shown(desk, case, found, int(controls["grid"]), unit), waits=last
            )
    except (ValueError, LookupError, RuntimeError) as error:
        yield refused(error)


def _samples(desk: Desk, count: int) -> tuple[Case, torch.Tensor, torch.Tensor]:
    """Validation samples as explainers take them, and one of them as a case."""
    if desk.data is None:
        raise ValueError("There are no data known for this model, so nothing can be averaged.")
    data = desk.data
    if data.valid_y.ndim != 1 and desk.classifies:
        raise ValueError("This model answers at every place; choose Compare methods.")
    x, y = data.valid_x[:count], data.valid_y[:count]
    case = desk.put(Given(x[:1], None, "validation samples"))
    if isinstance(case.module, Embedded):
        return case, case.module.vectors(x.long()), y
    return case, x.transpose(1, 2) if case.kind == "series" else x, y


_Grown = Iterator[tuple[int, int, torch.Tensor, str]]


def _shuffled(
    desk: Desk, case: Case, x: torch.Tensor, y: torch.Tensor, controls: Mapping[str, Any]
) -> _Grown:
    """The falls part by part: how many of how many are done, `(parts,)`, and the unit."""
    unit = "fall of right answers [%]" if desk.classifies else "rise of the mean square error"
    factor = 100 if desk.classifies else 1
    growing = importance(
        case.module, x, y, classes=desk.classifies, grid=int(controls["grid"]),
        seed=int(controls["seed"]),
    )  # fmt: skip
    for done, found in enumerate(growing, start=1):
        yield done, len(found), factor * found, unit


def _mean_size(
    desk: Desk, case: Case, x: torch.Tensor, y: torch.Tensor, controls: Mapping[str, Any]
) -> _Grown:
    """The mean size of each part's share, sample by sample."""
    del desk, y  # the two ways are called alike
    grid = int(controls["grid"])
    parts = players(case.x, grid)[0]
    total = torch.zeros(int(parts.max()) + 1)
    entry = explainers.find("kernel_shap")
    samples = max(200, 4 * len(total))
    with torch.no_grad():
        said = case.module(x).argmax(1)
    for done, one in enumerate(x, start=1):
        shares = entry(
            case.module, one[None], int(said[done - 1]), grid=grid, samples=samples,
            seed=int(controls["seed"]),
        )[0]  # fmt: skip
        each = torch.zeros_like(total).index_add_(0, parts.flatten(), shares.flatten())
        total += each.abs()
        yield done, len(x), total / done, "mean size of its Shapley value"


def _shown(desk: Desk, case: Case, found: torch.Tensor, grid: int, unit: str) -> dict[str, View]:
    order = torch.nan_to_num(found, nan=-torch.inf).argsort(descending=True)[:MOST_BARS]
    if case.kind == "image":
        spread = torch.nan_to_num(found)[players(case.x, grid)[0][0]]
        mean = desk.data.train_x[:2000].mean(0) if desk.data is not None else case.x[0]
        most = float(spread.abs().max())
        return {
            "importance": Tiles(
                spread[None].numpy(), (f"{unit}: {most:.3g} at most",), scale="signed"
            ),
            "mean": Tiles(pictures.grey(mean)[None], ("the mean of the training pictures",)),
        }
    names = pictures.places(desk, case)
    if len(names) != len(found) or case.kind == "text":
        names = tuple(f"place {i + 1}" for i in range(len(found)))
    bars = Bars(
        tuple(names[int(i)] for i in order),
        {unit: torch.nan_to_num(found)[order].numpy()},
        title=unit,
    )
    return {"importance": bars}


def explained(
    model: str,
    *,
    method: Annotated[str, Choice(QUICK, help="How each sample is explained", live=True)] = (
        "integrated_gradients"
    ),
    layer: Layer = "",
    samples: Annotated[int, Slider(20, MOST_DOTS, live=True, help="More dots")] = 100,
    dot: Annotated[int, Pick(MOST_DOTS, "plane", help="The sample to look at")] = 0,
) -> Steered:
    """Put samples where their explanations are alike; show the one that is clicked.

    Args:
        model: The folder of a trained run.
        method: How each sample is explained.
        layer: The layer that the methods of a layer look at.
        samples: How many.
        dot: Which of them is shown.

    Yields:
        A frame for every ten explanations; the last one waits.
    """
    atlas = _Atlas(Desk(model))
    controls = {"method": method, "layer": layer, "samples": samples, "dot": dot}
    yield from steered(atlas.frames, controls)


class _Atlas:
    """Explanations of many samples, kept."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._made: dict[object, torch.Tensor] = {}

    def frames(self, controls: Mapping[str, Any]) -> Iterator[Frame]:
        """The plane with more and more dots; the last frame waits."""
        desk, count = self._desk, int(controls["samples"])
        try:
            case, x, y = _samples(desk, count)
            entry = explainers.find(controls["method"])
            settings = desk.settings(controls["method"], {"layer": controls["layer"]})
            with torch.no_grad():
                said = torch.cat([case.module(some) for some in x.split(50)]).argmax(1)
            maps: list[torch.Tensor] = []
            for i in range(len(x)):
                key = (controls["method"], controls["layer"], i)
                if key not in self._made:
                    self._made[key] = entry(case.module, x[i : i + 1], int(said[i]), **settings)[0]
                maps.append(self._made[key])
                if i % 10 == 9 and i + 1 < len(x):
                    yield Frame(i + 1, len(x), self._views(maps, said, y, controls))
            yield Frame(len(x), len(x), self._views(maps, said, y, controls), waits=True)
        except (ValueError, LookupError, RuntimeError) as error:
            yield refused(error)

    def _views(
        self,
        maps: list[torch.Tensor],
        said: torch.Tensor,
        y: torch.Tensor,
        controls: Mapping[str, Any],
    ) -> dict[str, View]:
        desk = self._desk
        points, share = plane(torch.stack(maps))
        names = tuple(desk.name(output) for output in range(int(said.max()) + 1))
        dot = min(int(controls["dot"]), len(maps) - 1)
        wrong = (said[: len(maps)] != y[: len(maps)]) if desk.classifies else torch.zeros(0)
        views: dict[str, View] = {
            "plane": Points(
                points.numpy(), said[: len(maps)].numpy().astype(np.int32), names,
                xlabel=f"first direction, {100 * share[0]:.0f} % of the scatter",
                ylabel=f"second, {100 * share[1]:.0f} %",
                title="samples whose explanations are alike stand together; click one",
            )
        }  # fmt: skip
        if desk.data is not None:
            label = int(y[dot]) if desk.classifies else None
            case = desk.put(Given(desk.data.valid_x[dot : dot + 1], label, f"sample {dot}"))
            views["input"] = pictures.shown(desk, case)
            one = maps[dot][None]
            views["maps"] = pictures.maps(desk, case, {"map": one}, (str(controls["method"]),))
        if len(wrong):
            views["notes"] = Note(
                f"Colours are what the model says; {int(wrong.sum())} of {len(maps)} are wrong. A "
                f"group of its own within one class often is a shortcut that the model has found."
            )
        return views
