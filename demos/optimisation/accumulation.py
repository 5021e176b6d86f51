"""Gradient accumulation: a large batch in small bites.

A batch too large for memory can be cut into `k` micro-batches whose gradients are added up before
one step is made: `g = Σᵢ (nᵢ/n) gᵢ`, each weighed by its share of the examples. That equals the
gradient of the whole batch, exactly, as long as no example looks at another. Batch normalisation
does look: its means are those of the micro-batch. And unequal micro-batches must not be averaged
as if they were equal.

**Try:** switch batch norm on, then cut 64 examples into 4 and 60 and average naively.

Source: Goyal et al. (2017), Accurate, large minibatch SGD: training ImageNet in 1 hour.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from demos.kit import (
    Choice,
    Claim,
    Frames,
    Question,
    Slider,
    Toggle,
    above,
    below,
    interactive,
    lab,
)
from engine.data import shipped
from engine.views import Bars, Frame, Matrix, Table, View

CUTS = {
    "2 equal": (32, 32),
    "4 equal": (16,) * 4,
    "16 equal": (4,) * 16,
    "64 equal": (1,) * 64,
    "4 and 60": (4, 60),
}


@functools.cache
def digits() -> tuple[Tensor, Tensor]:
    """64 digits, `(64, 64)`, and their classes."""
    images, labels = map(torch.from_numpy, shipped.digits())
    order = np.random.default_rng(0).permutation(1797)[:64]
    return images[order].flatten(1).double(), labels[order]


def gradient(weights: Sequence[Tensor], x: Tensor, y: Tensor, batch_norm: bool) -> Tensor:
    """Of the mean loss of a 64-16-10 network over these examples, all weights in one row."""
    first, second = (w.detach().requires_grad_() for w in weights)
    hidden = x @ first
    if batch_norm:
        deviation = (hidden.var(0, correction=0) + 1e-5).sqrt()
        hidden = (hidden - hidden.mean(0)) / deviation
    loss = torch.nn.functional.cross_entropy(hidden.relu() @ second, y)
    return torch.cat([g.ravel() for g in torch.autograd.grad(loss, (first, second))])


def accumulated(
    weights: Sequence[Tensor], sizes: Sequence[int], batch_norm: bool, naive: bool
) -> Tensor:
    """The same from micro-batches: weighed by their sizes, or naively as if all were equal."""
    x, y = digits()
    total = torch.zeros(64 * 16 + 16 * 10, dtype=torch.float64)
    for part_x, part_y in zip(x.split(list(sizes)), y.split(list(sizes)), strict=True):
        share = 1 / len(sizes) if naive else len(part_x) / len(x)
        total = total + share * gradient(weights, part_x, part_y, batch_norm)
    return total


def start(seed: int) -> tuple[Tensor, Tensor]:
    """Random weights of both layers, `(64, 16)` and `(16, 10)`."""
    generator = torch.Generator().manual_seed(seed)
    shapes = ((64, 16), (16, 10))
    first, second = (
        torch.randn(shape, generator=generator, dtype=torch.float64) * (2 / shape[0]) ** 0.5
        for shape in shapes
    )
    return first, second


def apart(ours: Tensor, whole: Tensor) -> float:
    """Their distance over the length of the true gradient."""
    return float((ours - whole).norm() / whole.norm())


def picture(cut: str, batch_norm: bool, naive: bool, seed: int) -> Frame:
    """The whole batch's gradient beside the accumulated one."""
    weights, sizes = start(seed), CUTS[cut]
    x, y = digits()
    whole = gradient(weights, x, y, batch_norm)
    ours = accumulated(weights, sizes, batch_norm, naive)
    largest = whole.abs().argsort(descending=True)[:12]
    maps = [g[: 64 * 16].reshape(64, 16).T for g in (whole, ours)]  # (16, 64)
    rows = [(f"{'batch norm' if norm else 'no batch norm'}, {'naive' if simple else 'weighed'}",
             apart(accumulated(weights, sizes, norm, simple), gradient(weights, x, y, norm)))
            for norm in (False, True) for simple in (False, True)]  # fmt: skip
    views: dict[str, View] = {
        "weights": Bars(
            tuple(f"w{i}" for i in largest.tolist()),
            {"one batch of 64": whole[largest].numpy(), "accumulated": ours[largest].numpy()},
            xlabel="the twelve weights with the largest gradient", ylabel="gradient",
            title="bar by bar: is it the same gradient?",
        ),
        "difference": Matrix(
            (maps[1] - maps[0]).numpy(), xlabel="pixel", ylabel="hidden neuron", scale="signed",
            title="accumulated minus whole, first layer",
        ),
        "table": Table(
            ("way", "relative error"), tuple((way, f"{error:.2g}") for way, error in rows),
            f"when does the equality break? {cut}",
        ),
    }  # fmt: skip
    facts = {
        "relative error": apart(ours, whole),
        "examples in memory at once": max(sizes),
        "gradients added up": len(sizes),
    }
    return Frame(1, 1, views, facts)


@lab(
    covers=["gradient-accumulation"],
    seconds=1,
    tries={
        "One by one": {"cut": "64 equal"},
        "With batch norm": {"batch_norm": True},
        "4 and 60, averaged": {"cut": "4 and 60", "naive": True},
    },
    question=Question(
        "Four micro-batches of 16, gradients averaged, one step. Compared with one batch of 64?",
        ("Noisier", "Exactly the same", "The same, unless a layer mixes examples"),
        2,
        "The mean of means is the mean. But batch norm's statistics come from 16 examples, not 64.",
    ),
    needs=["gd-variants", "backpropagation"],
)
def run(
    cut: Annotated[str, Choice(tuple(CUTS), help="Micro-batches", live=True)] = "4 equal",
    batch_norm: Annotated[bool, Toggle("Normalise over the micro-batch", live=True)] = False,
    naive: Annotated[bool, Toggle("Average as if all were equal", live=True)] = False,
    seed: Annotated[int, Slider(0, 99, help="Other weights", live=True)] = 0,
) -> Frames:
    """Both gradients, again at every change."""
    yield from interactive(picture, cut=cut, batch_norm=batch_norm, naive=naive, seed=seed)


def check() -> Iterator[Claim]:
    """Equal without batch norm, not with it; naive averages of unequal parts are wrong."""
    (x, y), seeds = digits(), range(3)
    whole = {n: [gradient(start(s), x, y, n) for s in seeds] for n in (False, True)}

    def errors(cut: str, norm: bool, naive: bool) -> list[float]:
        ways = [accumulated(start(s), CUTS[cut], norm, naive) for s in seeds]
        return [apart(ours, g) for ours, g in zip(ways, whole[norm], strict=True)]

    same = max(errors("4 equal", norm=False, naive=False))
    yield below("4 × 16 against 64: relative error", same, 1e-12)
    yield below("4 and 60, weighed", max(errors("4 and 60", norm=False, naive=False)), 1e-12)
    broken = min(errors("4 equal", norm=True, naive=False))
    yield above("4 × 16 with batch norm: relative error, least of 3 seeds", broken, 0.1)
    wrong = min(errors("4 and 60", norm=False, naive=True))
    yield above("4 and 60, averaged naively, least of 3 seeds", wrong, 0.5)
