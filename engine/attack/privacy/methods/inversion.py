"""Model inversion: what does the model think a class looks like?"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Annotated

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from engine.attack.adam import Adam
from engine.attack.privacy.table import privacy_attacks
from engine.attack.table import asked
from engine.data import load as load_data
from engine.explain.table import calm
from engine.forms import Slider, Value
from engine.models.kept import Kept, load
from engine.views import Curve, Frame, Note, Tiles, View

LOOKS = 20  # frames on the way


@privacy_attacks.add("inversion", steals="what the classes look like", needs="model")
def inversion(
    model: str,
    *,
    steps: Annotated[int, Slider(10, 1000, log=True, help="Searches longer")] = 200,
    rate: Annotated[float, Slider(0.001, 0.5, log=True, help="Longer steps")] = 0.05,
    smooth: Annotated[float, Slider(0.0, 5.0, help="Neighbours must be more alike")] = 0.3,
    small: Annotated[float, Slider(0.0, 5.0, help="Less ink")] = 0.1,
    seed: Annotated[int, Slider(0, 999, help="Another beginning")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """From grey, up the score of each class, held back by smoothness: what the model has in mind.

    Args:
        model: The folder of a trained run.
        steps: Gradients a class.
        rate: Length of a step.
        smooth: How much neighbouring pixels are to be alike.
        small: How much pixels are to stay near zero.
        seed: For a little noise in the beginning.

    Yields:
        A frame now and then, with the pictures so far beside the true means of the classes.

    Source: Fredrikson, Jha & Ristenpart (2015), Model inversion attacks that exploit confidence
    information and basic countermeasures.
    """
    kept = load(model)
    if len(kept.shape) not in (1, 3) or kept.vocabulary:
        raise ValueError("inversion: needs a model of pictures or tables")
    means = _means(kept)
    with torch.no_grad():
        classes = kept.module(torch.zeros(1, *kept.shape)).shape[1]
    track: list[tuple[int, float]] = []
    walk = invert(kept.module, kept.shape, classes, steps, rate, smooth, small, seed)
    every = max(1, steps // LOOKS)
    for step, (x, chance) in enumerate(walk, start=1):
        if step % every == 0 or step == steps:
            track.append((step, float(chance.mean())))
            yield _frame(kept, x, chance, means, step, steps, track)


def invert(
    module: nn.Module,
    shape: tuple[int, ...],
    classes: int,
    steps: int,
    rate: float,
    smooth: float,
    small: float,
    seed: int,
) -> Generator[tuple[torch.Tensor, torch.Tensor], None, None]:
    """Inputs in [0, 1], one a class, on their way; minimises `−log p(class) + priors`.

    Yields:
        The inputs, `(classes, *shape)`, and how sure the model is of each, `(classes,)`.
    """
    generator = torch.Generator().manual_seed(seed)
    wanted = torch.arange(classes)
    start = 0.5 + 0.05 * torch.randn(classes, *shape, generator=generator)
    adam = Adam(start, rate)
    for _ in range(steps):
        with calm(module):
            x, scores = asked(module, adam.w)
            with torch.enable_grad():
                cost = functional.cross_entropy(scores, wanted, reduction="sum")
                cost = cost + small * x.square().flatten(1).mean(1).sum()
                cost = cost + smooth * _roughness(x)
            (gradient,) = torch.autograd.grad(cost, x)
        adam.step(gradient)
        adam.w.clamp_(0, 1)
        yield adam.w.clone(), scores.detach().softmax(1)[wanted, wanted]


def _roughness(x: torch.Tensor) -> torch.Tensor:
    """Total variation: the mean difference of neighbours, summed over pictures."""
    if x.ndim != 4:
        return x.new_zeros(())
    down, right = (x[:, :, 1:] - x[:, :, :-1]).abs(), (x[..., 1:] - x[..., :-1]).abs()
    return down.flatten(1).mean(1).sum() + right.flatten(1).mean(1).sum()


def likeness(x: torch.Tensor, means: torch.Tensor) -> torch.Tensor:
    """Correlation of each input with each class's mean, `(classes, classes)`."""
    a, b = (z.flatten(1) - z.flatten(1).mean(1, keepdim=True) for z in (x, means))
    found: torch.Tensor = functional.normalize(a) @ functional.normalize(b).T
    return found


def _means(kept: Kept) -> torch.Tensor | None:
    """The mean training sample of each class, `(classes, *shape)`; None if unknown."""
    if not kept.data:
        return None
    data = load_data(kept.data)
    if data.task != "classification":
        return None
    return torch.stack(
        [data.train_x[data.train_y == number].mean(0) for number in range(len(data.classes))]
    )


def _frame(
    kept: Kept,
    x: torch.Tensor,
    chance: torch.Tensor,
    means: torch.Tensor | None,
    step: int,
    steps: int,
    track: list[tuple[int, float]],
) -> Frame:
    names = [kept.name(output) for output in range(len(x))]
    captions = tuple(f"{n} ({100 * float(p):.0f} %)" for n, p in zip(names, chance, strict=True))
    at, sure = (np.array(column, dtype=float) for column in zip(*track, strict=True))
    views: dict[str, View] = {
        "found": Tiles(_pictures(x), captions, title="what the model takes for each class"),
        "curve": Curve(at, {"mean chance": sure}, xlabel="step", ylabel="chance", dots=True),
    }
    facts = {"mean chance": float(chance.mean())}
    told = f"The model is {100 * float(chance.mean()):.0f} % sure of these pictures on average."
    if means is not None and means.shape == x.shape:
        alike = likeness(x, means)
        own = int((alike.argmax(1) == torch.arange(len(x))).sum())
        views["true"] = Tiles(_pictures(means), tuple(names), title="the true mean of each class")
        facts["correlation with the true mean"] = float(alike.diagonal().mean())
        facts["classes recognised"] = float(own)
        told += (
            f" {own} of {len(x)} are most like the true mean of their own class: that much of the "
            "training data leaks; being sure and looking alike are different things."
        )
    views["notes"] = Note(told)
    return Frame(step, steps, views, facts)


def _pictures(x: torch.Tensor) -> np.ndarray:
    if x.ndim != 4:
        return x.reshape(len(x), 1, -1).numpy()
    flat: np.ndarray = (x.permute(0, 2, 3, 1) if x.shape[1] == 3 else x.mean(1)).numpy()
    return flat
