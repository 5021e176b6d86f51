"""Questions about single samples."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch

from engine.explain.counterfactual import Bounds, bounds_of, nearest
from engine.explain.inner import Layer, Steps, Unit, inner
from engine.explain.interactions import shapley_interactions
from engine.explain.layers import find_layer
from engine.explain.maximise import Wishes, ascend
from engine.explain.methods.gradients import Baseline, Seed
from engine.explain.questions import Answer, Request, question
from engine.forms import Choice, Slider, Text


@question("layer_units", gives="like the layer", needs=["input"])
def layer_units(
    request: Request,
    *,
    measure: Annotated[str, Choice(tuple(inner.all()))] = "unit_conductance",
    layer: Layer = "",
) -> Answer:
    """What each unit of a layer does for the answer.

    Source: Dhamdhere, Sundararajan & Yan (2019), How important is a neuron?
    """
    found = inner.find(measure)(request.module, request.x, request.target, layer=layer)
    return {"units": found.numpy()}


@question("shapley_interactions", gives="parts by parts", needs=["input"])
def pairs(
    request: Request,
    *,
    grid: Annotated[int, Slider(1, 3, help="Smaller parts, more of them")] = 3,
    baseline: Baseline = 0.0,
) -> Answer:
    """What pairs of parts give together beyond what each gives alone, exactly.

    Source: Grabisch & Roubens (1999), An axiomatic approach to the concept of interaction among
    players in cooperative games.
    """
    found = [
        shapley_interactions(request.module, x[None], int(wanted), grid=grid, baseline=baseline)
        for x, wanted in zip(request.x, request.target, strict=True)
    ]
    return {"interactions": np.stack(found)}


@question("counterfactual", gives="a changed input", needs=["input"])
def counterfactual(
    request: Request,
    *,
    wanted: Annotated[
        str, Text(20, help="Number of the class to arrive at; empty: any other")
    ] = "",
    search: Literal["nearest", "fewest changes"] = "nearest",
) -> Answer:
    """The smallest change found that makes the network say something else; NaN where none was.

    Source: Wachter, Mittelstadt & Russell (2018), Counterfactual explanations without opening the
    black box.
    """
    if wanted and not wanted.isdecimal():
        raise ValueError(f"counterfactual: wanted must be the number of a class; got {wanted!r}")
    aim = int(wanted) if wanted else None
    bounds = _bounds(request)
    changed, distances, after = [], [], []
    for x in request.x:
        flip = nearest(
            request.module, x[None], bounds, wanted=aim, sparse=search == "fewest changes",
            fallback=None if request.data is None else request.data.train_x[:2000],
        )  # fmt: skip
        changed.append(torch.full_like(x, torch.nan) if flip is None else flip.x[0])
        distances.append(float("nan") if flip is None else flip.distance)
        after.append(-1 if flip is None else flip.after)
    return {
        "counterfactual": torch.stack(changed).numpy(),
        "distance": np.array(distances),
        "says_then": np.array(after),
    }


def _bounds(request: Request) -> Bounds:
    if len(request.shape) == 3 or request.data is None:
        ones = torch.ones(request.shape)
        low = torch.minimum(0 * ones, request.x.amin(0))
        return Bounds(low, torch.maximum(ones, request.x.amax(0)), ones)
    return bounds_of(request.data.train_x)


@question("activation_maximisation", gives="an input", needs=[])
def wish(
    request: Request,
    *,
    layer: Layer = "",
    unit: Unit = 0,
    steps: Steps = 120,
    rate: Annotated[float, Slider(0.01, 0.3, log=True, help="Longer steps")] = 0.05,
    decay: Annotated[float, Slider(0.0, 5.0, help="Large numbers cost more")] = 1.0,
    smooth: Annotated[float, Slider(0.0, 50.0, help="Differences of neighbours cost more")] = 10.0,
    blur: Annotated[float, Slider(0.0, 2.0, help="Blurred more now and then")] = 0.5,
    jitter: Annotated[int, Slider(0, 4, help="Shifted more before every step")] = 1,
    seed: Seed = 0,
) -> Answer:
    """An input at which a unit is loudest; an empty layer is the network's own outputs.

    Source: Erhan et al. (2009), Visualizing higher-layer features of a deep network.
    """
    part = find_layer("activation_maximisation", request.module, layer) if layer else None
    seen = list(
        ascend(
            request.module, part, unit, request.shape, steps=steps, rate=rate,
            wishes=Wishes(decay, smooth, blur, jitter), seed=seed,
        )
    )  # fmt: skip
    heights = np.array([one.activation for one in seen])
    return {"input": seen[-1].x.numpy(), "activation": heights[-1], "climb": heights}
