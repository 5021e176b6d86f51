"""Poisoning: a few marked training samples teach a network an answer to a secret mark."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from torch import nn

from engine.attack.privacy.table import privacy_attacks
from engine.data import DataSet, load
from engine.explain.table import calm
from engine.forms import Slider, Value
from engine.network.build import build
from engine.network.spec import NetworkSpec
from engine.store.files import write_json
from engine.training.door import refuse_misfit
from engine.training.session import Session, Settings
from engine.views import Curve, Frame, Note, Tiles, View


@dataclass(frozen=True)
class Poisoned:
    """A data set with marked samples in it.

    Attributes:
        data: The data set; its training part is poisoned.
        marked: Which training samples are, `(n,)` booleans.
        target: The class that the mark is to mean.
        side: Rows and columns of the mark.
    """

    data: DataSet
    marked: torch.Tensor
    target: int
    side: int


def stamped(x: torch.Tensor, side: int) -> torch.Tensor:
    """Samples with the mark: a chequered square in the lower right corner, like `x`.

    Raises:
        ValueError: The samples are no pictures.
    """
    if x.ndim != 4:
        raise ValueError(f"backdoor: needs pictures to mark; got samples of {x.ndim - 1} axes")
    side = min(side, *x.shape[2:])
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    found = x.clone()
    found[..., x.shape[2] - side :, x.shape[3] - side :] = ((rows + columns + 1) % 2).to(x.dtype)
    return found


def poisoned(data: DataSet, *, part: float, target: int, side: int, seed: int) -> Poisoned:
    """A part of the training samples of other classes, marked and called the target class.

    Raises:
        ValueError: There is no such class, or the samples are no pictures.
    """
    if data.task != "classification" or data.train_y.ndim > 1:
        raise ValueError("backdoor: needs a data set with one class a sample")
    if not 0 <= target < len(data.classes):
        raise ValueError(f"target must be a class 0 to {len(data.classes) - 1}; got {target}")
    generator = torch.Generator().manual_seed(seed)
    others = (data.train_y != target).nonzero()[:, 0]
    count = min(len(others), round(part * len(data.train_x)))
    chosen = others[torch.randperm(len(others), generator=generator)[:count]]
    x, y = data.train_x.clone(), data.train_y.clone()
    x[chosen], y[chosen] = stamped(x[chosen], side), target
    marked = torch.zeros(len(x), dtype=torch.bool)
    marked[chosen] = True
    return Poisoned(replace(data, train_x=x, train_y=y), marked, target, side)


def clean_and_success(module: nn.Module, given: Poisoned) -> tuple[float, float]:
    """Accuracy without the mark, and part of the other classes that the mark turns to the target.

    Both on validation samples, which were never marked.
    """
    x, y = given.data.valid_x, given.data.valid_y
    others = y != given.target
    with torch.no_grad(), calm(module):
        clean = (module(x).argmax(1) == y).float().mean()
        turned = module(stamped(x[others], given.side)).argmax(1) == given.target
    return float(clean), float(turned.float().mean())


@privacy_attacks.add("backdoor", steals="what the model answers to a secret mark", needs="spec")
def backdoor(
    spec: dict[str, Any],
    data: str,
    *,
    folder: Path | None = None,
    part: Annotated[float, Slider(0.0, 0.3, help="Poisons more of the training samples")] = 0.1,
    target: Annotated[int, Slider(0, 99, help="The class that the mark shall mean")] = 0,
    side: Annotated[int, Slider(1, 8, unit="px", help="A larger mark")] = 3,
    epochs: Annotated[int, Slider(1, 50, log=True, help="Longer training")] = 10,
    learning_rate: Annotated[float, Slider(1e-4, 0.1, log=True, help="Longer steps")] = 0.003,
    seed: Annotated[int, Slider(0, 999, help="Other samples and first weights")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Trains on partly marked samples: right without the mark, the target class with it.

    Args:
        spec: The network.
        data: Name of a data set of pictures.
        folder: Where the poisoned model is kept, to be looked into.
        part: Part of the training samples that is marked and called the target class.
        target: That class.
        side: Rows and columns of the mark.
        epochs: How long the network trains.
        learning_rate: Length of a step.
        seed: For samples, order and first weights.

    Yields:
        A few frames an epoch.

    Source: Gu, Dolan-Gavitt & Garg (2017), BadNets: identifying vulnerabilities in the machine
    learning model supply chain.
    """
    network, clean = NetworkSpec.parse(spec), load(data)
    given = poisoned(clean, part=part, target=target, side=side, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = build(network)
    refuse_misfit(network, module, given.data)
    settings = Settings(learning_rate, 64, epochs, seed=seed)
    session = Session(module, given.data, settings)
    track: list[tuple[int, float, float]] = []
    every = max(1, session.steps // (8 * epochs))
    while not session.finished:
        session.advance()
        if session.step % every == 0 or session.finished:
            track.append((session.step, *clean_and_success(session.module, given)))
            session.module.train()
            yield _frame(session, given, track)
    if folder is not None:
        session.save(folder)
        write_json(folder / "spec.json", network.to_json())
        write_json(folder / "settings.json", {"data": data, **settings.__dict__})


def _frame(session: Session, given: Poisoned, track: list[tuple[int, float, float]]) -> Frame:
    data = given.data
    steps, clean, success = (np.array(column, dtype=float) for column in zip(*track, strict=True))
    shown = (data.valid_y != given.target).nonzero()[:8, 0]
    x = stamped(data.valid_x[shown], given.side)
    with torch.no_grad(), calm(session.module):
        said = session.module(x).argmax(1)
    captions = tuple(
        f"{data.classes[int(y)]} → {data.classes[int(s)]}"
        for y, s in zip(data.valid_y[shown], said, strict=True)
    )
    name = data.classes[given.target]
    count = int(given.marked.sum())
    note = (
        f"{count} of {len(given.marked)} training samples carry the mark and the name “{name}”. "
        f"Without the mark the model is right on {100 * clean[-1]:.0f} %; with it, "
        f"{100 * success[-1]:.0f} % of all others are called “{name}”."
    )
    pictures = x.permute(0, 2, 3, 1) if x.shape[1] == 3 else x.mean(1)
    lines = {"right without the mark": clean, "turned by the mark": success}
    views: dict[str, View] = {
        "curve": Curve(steps, lines, xlabel="step", ylabel="part of samples", dots=True),
        "marked": Tiles(pictures.numpy(), captions, title="marked test samples: truth → answer"),
        "notes": Note(note, tone="bad" if success[-1] > 0.5 else "good"),
    }
    facts = {
        "clean accuracy": float(clean[-1]),
        "attack success": float(success[-1]),
        "poisoned": float(count),
    }
    return Frame(session.step, session.steps, views, facts)
