"""Changes that any data set takes: another split, noise, wrong labels, and the input as the answer.

They stand behind a data set's own settings: `digits?aim=itself&test=0.1`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

import torch

from engine.data.dataset import DataSet
from engine.forms import Choice, Slider

CHANGES = ("aim", "valid", "test", "stray", "mislabel")
AIMS = ("class", "itself")
MOST_HELD_OUT = 0.8  # part of the samples that validation and test may take together
SEED = 20_000  # noise and wrong labels are the same at each reading of a data set

Tensor = torch.Tensor


def choices(
    aim: Annotated[
        str, Choice(AIMS, help="Itself: the network shall give its input back")
    ] = "class",
    valid: Annotated[float, Slider(0.0, 0.6, help="Part that judges; 0: as the data come")] = 0.0,
    test: Annotated[
        float, Slider(0.0, 0.4, help="Part that is looked at after the end only")
    ] = 0.0,
    stray: Annotated[float, Slider(0.0, 1.0, help="More noise on every number")] = 0.0,
    mislabel: Annotated[float, Slider(0.0, 0.5, help="More wrong labels to learn from")] = 0.0,
) -> dict[str, object]:
    """The changes that a name must ask for: those that differ from doing nothing."""
    asked: dict[str, object] = {"valid": valid, "test": test, "stray": stray, "mislabel": mislabel}
    found = {name: value for name, value in asked.items() if value}
    return found if aim == "class" else {"aim": aim, **found}


def changed(data: DataSet, changes: Mapping[str, object]) -> DataSet:
    """A data set with changes in a fixed order: split, wrong labels, aim, noise.

    Noise comes last, so that a network that shall give its input back is asked for the clean one.

    Args:
        data: The data set as its own function made it.
        changes: Any of `valid` and `test` (parts of all samples), `mislabel` (part of the training
            labels that becomes another class), `stray` (standard deviation of the noise that is
            added to every number) and `aim` (`itself`: the answer is the sample).

    Raises:
        ValueError: A value is out of range, or makes no sense for these data.
    """
    if "valid" in changes or "test" in changes:
        data = _split(data, changes)
    if wrong := _part(changes, "mislabel", 1.0):
        data = _mislabelled(data, wrong)
    aim = changes.get("aim", "class")
    if aim not in AIMS:
        raise ValueError(f"aim must be one of {', '.join(AIMS)}; got {aim!r:.80}")
    if aim == "itself":
        data = _itself(data)
    spread = _part(changes, "stray", 2.0)
    return _strayed(data, spread) if spread else data


def _part(changes: Mapping[str, object], name: str, most: float) -> float:
    value = changes.get(name, 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"{name} must be a number from 0 to {most:g}; got {value!r:.80}")
    return float(value)


def _split(data: DataSet, changes: Mapping[str, object]) -> DataSet:
    """Other parts for validation and test; what was held out first stays held out longest."""
    if data.kind == "graph" or (data.kind == "series" and not data.classes):
        raise ValueError(
            f"valid, test: {data.name} is cut by its own rule (the latest part of a series, some "
            "nodes of a graph); leave these two settings out"
        )
    total = len(data.train_x) + len(data.valid_x)
    usual = len(data.valid_x) / total
    valid = _part({"valid": usual, **changes}, "valid", MOST_HELD_OUT)
    test = _part(changes, "test", MOST_HELD_OUT)
    held, tested = max(1, round(valid * total)), round(test * total)
    if valid + test > MOST_HELD_OUT or held + tested >= total:
        raise ValueError(
            f"valid and test must leave something to learn from: together at most "
            f"{MOST_HELD_OUT:g}; got {valid:g} and {test:g}"
        )
    x = torch.cat([data.train_x, data.valid_x])
    y = torch.cat([data.train_y, data.valid_y])
    cut, end = total - held - tested, total - tested
    boxes = None if data.boxes is None else torch.cat(data.boxes)
    again = _measured(data)
    if again:
        x, y = _scaled(x, cut), y if data.classes else _scaled(y, cut)
    return replace(
        data,
        train_x=x[:cut],
        train_y=y[:cut],
        valid_x=x[cut:end],
        valid_y=y[cut:end],
        test_x=x[end:],
        test_y=y[end:],
        boxes=None if boxes is None else (boxes[:cut], boxes[cut:end]),
        note=f"{data.note}; cut anew: {cut:,} to learn from, {held:,} for validation, "
        f"{tested:,} for the test" + "; scaled by what is learnt from alone" * again,
    )


def _measured(data: DataSet) -> bool:
    """Whether the columns were scaled to mean 0 and deviation 1 by the training part.

    They then must be again: what is held out may not tell how to scale.
    """
    if data.kind != "table":
        return False
    mean, spread = data.train_x.mean(0), data.train_x.std(0, correction=0)
    one = (spread - 1).abs().lt(1e-3) | spread.lt(1e-6)  # a column that is constant stays so
    return bool(mean.abs().lt(1e-3).all() and one.all())


def _scaled(values: Tensor, cut: int) -> Tensor:
    mean, spread = values[:cut].mean(0), values[:cut].std(0, correction=0)
    return (values - mean) / torch.where(spread > 1e-6, spread, 1.0)


def _mislabelled(data: DataSet, part: float) -> DataSet:
    """A part of the training labels, drawn at random, becomes one of the other classes."""
    if data.task != "classification" or data.train_y.ndim > 1:
        raise ValueError(f"mislabel: needs one class a sample; {data.name} has none")
    random = torch.Generator().manual_seed(SEED)
    count = round(part * len(data.train_y))
    chosen = torch.randperm(len(data.train_y), generator=random)[:count]
    others = torch.randint(1, len(data.classes), (count,), generator=random)
    y = data.train_y.clone()
    y[chosen] = (y[chosen] + others) % len(data.classes)
    note = f"{data.note}; {count:,} of {len(y):,} training labels are wrong on purpose"
    return replace(data, train_y=y, note=note)


def _strayed(data: DataSet, spread: float) -> DataSet:
    """Noise on every number of every sample."""
    if data.vocabulary:
        raise ValueError(f"stray: needs numbers; {data.name} is text")
    random = torch.Generator().manual_seed(SEED + 1)
    parts = [
        x + spread * torch.randn(x.shape, generator=random)
        for x in (data.train_x, data.valid_x, data.test_x)
    ]
    note = f"{data.note}; noise of standard deviation {spread:g} is added to the samples"
    return replace(data, train_x=parts[0], valid_x=parts[1], test_x=parts[2], note=note)


def _itself(data: DataSet) -> DataSet:
    """The answer is the sample, as an autoencoder is asked for it."""
    if data.kind in ("text", "graph"):
        raise ValueError(f"aim=itself: needs samples of numbers; {data.name} is {data.kind}")
    if math.prod(data.shape) < 2:
        raise ValueError(f"aim=itself: {data.name} has one number a sample; there is no code to it")
    return replace(
        data,
        task="regression",
        classes=(),
        itself=True,
        train_y=data.train_x,
        valid_y=data.valid_x,
        test_y=data.test_x,
        note=f"{data.note}; the answer is the sample itself",
    )
