"""Convolution through time.

A kernel may slide along a third axis: `z[t, i, j] = Σ_{c,a,b} w[c, a, b] · x[t + c, i + a, j + b]`.
It then sees three frames at once and can answer to movement, which no single frame contains.
A dot wanders over a small synthetic clip; one model sees the middle frame, the other all of
them. The learned kernels show what they wait for: a dot here, then a dot one step further.

**Try:** look at the three slices of one kernel: in which direction does its bright spot move?

Source: Tran et al. (2015), Learning Spatiotemporal Features with 3D Convolutional Networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn

from demos.kit import (
    Claim,
    Frames,
    Question,
    Slider,
    above,
    between,
    interactive,
    lab,
    same,
)
from engine.views import Bars, Curve, Frame, Tiles, View

FRAMES, SIZE = 5, 10
STEPS = torch.tensor([[-1, 0], [1, 0], [0, -1], [0, 1]])  # row, column
WAYS = ("up", "down", "left", "right")


def clips(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A dot that moves one pixel a frame, edges meeting: `(n, 1, 5, 10, 10)` and ways `(n,)`."""
    way = torch.randint(0, 4, (n,), generator=generator)
    start = torch.randint(0, SIZE, (n, 1, 2), generator=generator)
    moved = start + torch.arange(FRAMES)[:, None] * STEPS[way][:, None]  # (n, 5, 2)
    row, column = (moved % SIZE).unbind(2)
    x = 0.3 * torch.rand(n, 1, FRAMES, SIZE, SIZE, generator=generator)
    x[torch.arange(n)[:, None], 0, torch.arange(FRAMES), row, column] = 1.0
    return x, way


def flat(channels: int) -> nn.Sequential:
    """One frame, `(n, 1, 10, 10)`: convolution over rows and columns."""
    conv = nn.Conv2d(1, channels, 3, padding=1, padding_mode="circular")
    return nn.Sequential(
        conv, nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(channels, 4)
    )


def deep(channels: int) -> nn.Sequential:
    """The clip, `(n, 1, 5, 10, 10)`: convolution over time, rows and columns."""
    conv = nn.Conv3d(1, channels, 3, padding=(0, 1, 1), padding_mode="circular")
    return nn.Sequential(
        conv, nn.ReLU(), nn.AdaptiveMaxPool3d(1), nn.Flatten(), nn.Linear(channels, 4)
    )


@lab(
    covers=["conv-3d"],
    seconds=2,
    quick={"steps": 5},
    tries={
        "Four kernels": {"channels": 4},
        "One kernel": {"channels": 1},
        "Sixteen": {"channels": 16},
    },
    question=Question(
        "A model sees one frame of a moving dot. How often is it right about the direction?",
        ("100 %", "50 %", "25 %", "0 %"),
        2,
        "A frame shows where the dot is, not where it goes: one in four is a guess.",
    ),
    needs=["convolution-2d"],
)
def run(
    clip: Annotated[int, Slider(0, 19, live=True, help="Another clip to look at")] = 0,
    channels: Annotated[int, Slider(1, 16, help="More kernels")] = 8,
    steps: Annotated[int, Slider(1, 400, help="More batches of 64 clips")] = 120,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train both on the same clips; show a clip, their answers and the kernels."""
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    nets = {"one frame": flat(channels), "all frames": deep(channels)}
    optimizers = [torch.optim.Adam(net.parameters(), lr=0.01) for net in nets.values()]
    x_test, way = clips(1500, torch.Generator().manual_seed(1000 + seed))
    score: dict[str, list[float]] = {name: [] for name in nets}

    def inputs(x: Tensor) -> dict[str, Tensor]:
        return {"one frame": x[:, :, FRAMES // 2], "all frames": x}

    def picture(step: int, clip: int) -> Frame:
        seen = inputs(x_test[clip : clip + 1])
        with torch.no_grad():
            answers = {name: net(seen[name]).softmax(1)[0].numpy() for name, net in nets.items()}
        kernels = next(nets["all frames"].parameters()).detach()[:, 0]  # (channels, 3, 3, 3)
        slices = tuple(f"{c}: {t}" for c in range(channels) for t in ("t", "t + 1", "t + 2"))
        lines = {name: np.array(values) for name, values in score.items()}
        views: dict[str, View] = {
            "clip": Tiles(
                x_test[clip, 0].numpy(),
                tuple(f"frame {t}" for t in range(FRAMES)),
                across=FRAMES,
                title=f"the clip: {WAYS[way[clip]]}",
            ),
            "answers": Bars(
                WAYS, answers, "direction", "probability", title="what each model says"
            ),
            "kernels": Tiles(
                kernels.reshape(-1, 3, 3).numpy(),
                slices,
                "signed",
                across=6,
                title="kernels, three frames each",
            ),
            "accuracy": Curve(np.arange(step), lines, "batch", "accuracy on 1,500 new clips"),
        }
        facts = {f"{name}: accuracy": values[-1] for name, values in score.items()}
        return Frame(step, steps, views, facts)

    shown: dict[str, Any] = {"clip": clip}
    for step in range(1, steps + 1):
        x, y = clips(64, random)
        for (name, net), optimizer in zip(nets.items(), optimizers, strict=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(inputs(x)[name]), y).backward()
            optimizer.step()
            if step % 10 == 1 or step == steps:
                with torch.no_grad():
                    right = (net(inputs(x_test)[name]).argmax(1) == way).float().mean()
                score[name].append(float(right))
            else:
                score[name].append(score[name][-1])
        shown.update((yield partial(picture, step, **shown)) or {})
    yield from interactive(partial(picture, steps), **shown)


def check() -> Iterator[Claim]:
    """Direction is nowhere in one frame and easy in five."""
    count = sum(p.numel() for p in nn.Conv3d(3, 8, 3).parameters())
    yield same("Parameters of a 3 × 3 × 3 convolution from 3 to 8 channels", count, 656)
    for seed in (0, 1):
        facts = run.last(seed=seed, steps=70).facts
        yield between(
            f"One frame: accuracy (seed {seed})", facts["one frame: accuracy"], 0.19, 0.31
        )
        yield above(f"All frames: accuracy (seed {seed})", facts["all frames: accuracy"], 0.97)
