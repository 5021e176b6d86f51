"""Group and instance norm: which numbers share a mean?

A convolution's output is a block: batch × channels × places. The norms differ only in which part
of it one mean and variance are taken over. Batch norm: one channel, all examples. Layer norm: one
example, all channels. Instance norm: one channel of one example, and so contrast vanishes. Group
norm: a few channels of one example; with one group it is layer norm, with a group a channel it is
instance norm. Only under batch norm does a picture's result depend on its neighbours.

**Try:** let the batch be drawn again and again: whose picture jitters?

Source: Wu & He (2018), Group normalization;
Ulyanov, Vedaldi & Lempitsky (2016), Instance normalization.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
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
    below,
    between,
    lab,
    near,
    same,
)
from engine.data.shipped import digits
from engine.normalisation import batch_norm, group_norm, instance_norm, layer_norm
from engine.views import Curve, Frame, Tiles, View

CHANNELS, SHOWN, DRAWS = 8, 4, 40
SIZES = (2, 4, 8, 16, 32, 64, 128)
NORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "batch norm": batch_norm,
    "layer norm": layer_norm,
    "instance norm": instance_norm,
    "group norm": functools.partial(group_norm, groups=4),
}


@functools.cache
def maps() -> Tensor:
    """1797 digits behind eight random 3 × 3 filters: `(1797, 8, 6, 6)`, double precision."""
    images = torch.from_numpy(digits()[0]).double()[:, None]
    generator = torch.Generator().manual_seed(0)
    filters = torch.randn(CHANNELS, 1, 3, 3, generator=generator, dtype=torch.float64)
    return torch.nn.functional.conv2d(images, filters)


def batch_of(size: int, draw: int) -> Tensor:
    """The first digit with `size − 1` others drawn at random: `(size, 8, 6, 6)`."""
    generator = torch.Generator().manual_seed(draw)
    others = 1 + torch.randperm(1796, generator=generator)[: size - 1]
    return maps()[torch.cat([torch.tensor([0]), others])]


def outputs(norm: str, size: int, draws: int) -> Tensor:
    """The first digit normalised in several batches: `(draws, 8, 6, 6)`."""
    return torch.stack([NORMS[norm](batch_of(size, draw))[0] for draw in range(draws)])


@functools.cache
def jitter(norm: str, size: int) -> float:
    """Standard deviation of the first digit's output over batches, mean over its numbers."""
    return outputs(norm, size, DRAWS).std(0, correction=0).mean().item()


def framed(norm: str) -> dict[int, str]:
    """The tiles, four examples of eight channels, that share a mean with the first one."""
    examples, channels = {
        "batch norm": (SHOWN, 1),
        "layer norm": (1, CHANNELS),
        "instance norm": (1, 1),
        "group norm": (1, CHANNELS // 4),
    }[norm]
    return {
        example * CHANNELS + channel: "one mean"
        for example in range(examples)
        for channel in range(channels)
    }


def picture(draw: int, of: int, norm: str, size: int, contrast: float) -> Frame:
    """The batch as drawn now, the first digit normalised in it, and what the draw changed."""
    batch = contrast * batch_of(size, draw) + (contrast - 1)
    out, first = NORMS[norm](batch)[0], NORMS[norm](contrast * batch_of(size, 0) + contrast - 1)[0]
    padded = torch.cat([batch, batch.new_zeros(SHOWN, *batch.shape[1:])])[:SHOWN]
    measured = np.array([jitter("batch norm", B) for B in SIZES])
    names = tuple(f"channel {i + 1}" for i in range(CHANNELS))
    views: dict[str, View] = {
        "block": Tiles(
            padded.flatten(0, 1).numpy(), scale="signed", across=CHANNELS, marks=framed(norm),
            title=f"four examples, eight channels each; framed: one mean of {norm}",
        ),
        "output": Tiles(
            out.clamp(-3, 3).numpy(), names, "signed", across=CHANNELS,
            title="the first example after the norm",
        ),
        "change": Tiles(
            (out - first).clamp(-0.5, 0.5).numpy(), names, "signed", across=CHANNELS,
            title="what this draw of neighbours changed in it",
        ),
        "law": Curve(
            np.array(SIZES),
            {"batch norm, measured": measured,
             "falling like 1/√B": measured[-1] * np.sqrt(SIZES[-1] / np.array(SIZES))},
            "batch size B", "jitter of one example", log=True, logx=True, dots=True,
            marks={"here": size}, title="jitter; the other three norms have none",
        ),
    }  # fmt: skip
    facts = {
        "largest change by this draw": float((out - first).abs().max()),
        "jitter over 40 draws": jitter(norm, size),
    }
    return Frame(draw, of, views, facts)


@lab(
    covers=["group-instance-norm"],
    seconds=2,
    quick={"draws": 2},
    tries={
        "Batch of two": {"norm": "batch norm", "size": 2},
        "Batch of 128": {"norm": "batch norm", "size": 128},
        "Four groups, batch of two": {"norm": "group norm", "size": 2},
    },
    question=Question(
        "Batch norm with batches of 2 instead of 128. How much more does one picture's result "
        "depend on its neighbours?",
        ("Not more", "About 8 times", "64 times"),
        1,
        "A mean over B examples wavers like 1/√B, and √64 = 8.",
    ),
    needs=["batch-normalization", "layer-norm-rmsnorm"],
)
def run(
    norm: Annotated[str, Choice(tuple(NORMS), help="What shares a mean", live=True)] = "batch norm",
    size: Annotated[int, Slider(2, 128, log=True, help="More neighbours", live=True)] = 4,
    contrast: Annotated[
        float, Slider(0.5, 5.0, help="Brighter pictures, more contrast", live=True)
    ] = 1.0,
    draws: Annotated[int, Slider(2, 200, help="More draws of neighbours")] = 60,
) -> Frames:
    """Draw the neighbours of one digit again and again; norm and size may change midway."""
    for draw in range(1, draws + 1):
        changes = (yield picture(draw, draws, norm, size, contrast)) or {}
        norm = str(changes.get("norm", norm))
        size = int(changes.get("size", size))  # type: ignore[arg-type]
        contrast = float(changes.get("contrast", contrast))  # type: ignore[arg-type]


def check() -> Iterator[Claim]:
    """The special cases, contrast, and the law of the jitter."""
    x = batch_of(16, 0)
    one = (group_norm(x, 1) - layer_norm(x)).abs().max().item()
    yield below("Group norm with 1 group against layer norm", one, 1e-5)
    each = (group_norm(x, CHANNELS) - instance_norm(x)).abs().max().item()
    yield below("with 8 groups against instance norm", each, 1e-5)
    theirs = (group_norm(x, 4) - torch.nn.functional.group_norm(x, 4)).abs().max().item()
    yield below("with 4 groups against torch's", theirs, 1e-12)
    wide = maps()[(maps().var((2, 3), correction=0) > 0.2).all(1)]  # where ε does not count
    contrast = (instance_norm(3 * wide + 1) - instance_norm(wide)).abs().max().item()
    yield below(f"Instance norm: change under 3 x + 1, {len(wide)} digits", contrast, 1e-4)
    measured = np.array([jitter("batch norm", size) for size in SIZES])
    slope = float(np.polyfit(np.log(SIZES), np.log(measured), 1)[0])
    yield near("Batch norm: jitter falls like B to the power", slope, -0.4, 0.1)
    yield between("times smaller at 128 than at 2", measured[0] / measured[-1], 4, 10)
    yield same("Group norm: jitter at B = 2", jitter("group norm", 2), 0.0)
