"""MixUp: train on what lies between.

MixUp blends two training pictures and their labels by the same share: `x = λ x_a + (1 − λ) x_b`,
`y = λ y_a + (1 − λ) y_b`, with `λ` drawn from `Beta(α, α)`. The loss of a mixed label is just the
mixture of the two losses. A plain network jumps from one class to the other somewhere on the way
and is sure of itself all along; one trained with MixUp learns to go straight over, and to be unsure
half-way, where it should be.

**Try:** walk λ from 1 to 0 and watch the two confidences on the line.

Source: Zhang, Cissé, Dauphin & Lopez-Paz (2018), mixup: beyond empirical risk minimization.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from demos.kit import Claim, Frames, Question, Slider, above, below, interactive, lab
from engine.data.shipped import digits
from engine.views import Array, Bars, Curve, Frame, Tiles, View

EXAMPLES, LINE = 200, torch.linspace(0, 1, 41)
NAMES = tuple("0123456789")


def mixup(x: Tensor, y: Tensor, share: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Blend each row with row `other`: images `(n, 64)`, labels `(n, 10)`, shares `(n, 1)`."""
    return share * x + (1 - share) * x[other], share * y + (1 - share) * y[other]


def beta(x: Array, alpha: float) -> Array:
    """The density of `Beta(α, α)` at `x`."""
    log = math.lgamma(2 * alpha) - 2 * math.lgamma(alpha)
    return np.asarray(np.exp(log + (alpha - 1) * (np.log(x) + np.log(1 - x))))


class Reader(nn.Sequential):
    """A network 64-128-10; an alpha of 0 trains it plainly."""

    def __init__(self, seed: int, alpha: float) -> None:
        torch.manual_seed(seed)
        super().__init__(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
        self.alpha, self.random = alpha, np.random.default_rng(seed)
        self.adam = torch.optim.Adam(self.parameters(), lr=5e-3, fused=True)

    def epoch(self, x: Tensor, y: Tensor) -> None:
        """Once through the digits in batches of 50."""
        for pick in torch.from_numpy(self.random.permutation(len(x))).split(50):
            seen, told = x[pick], one_hot(y[pick], 10).float()
            if self.alpha:
                share = torch.from_numpy(self.random.beta(self.alpha, self.alpha, (len(pick), 1)))
                other = torch.from_numpy(self.random.permutation(len(pick)))
                seen, told = mixup(seen, told, share.float(), other)
            self.adam.zero_grad()
            cross_entropy(self(seen), told).backward()
            self.adam.step()

    @torch.no_grad()
    def sure(self, x: Tensor) -> Tensor:
        """The largest probability for each of `(n, 64)`, `(n,)`."""
        return torch.as_tensor(self(x).softmax(1).max(1).values)


def shuffled(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """200 digits to learn, the rest to test, and points half-way between two test classes."""
    random = torch.Generator().manual_seed(seed)
    images, labels = digits()
    order = torch.randperm(len(labels), generator=random)
    x, y = torch.from_numpy(images).flatten(1)[order], torch.from_numpy(labels)[order]
    new, truth = x[EXAMPLES:], y[EXAMPLES:]
    a, b = torch.randint(0, len(new), (2, 2000), generator=random)
    apart = truth[a] != truth[b]
    return x[:EXAMPLES], y[:EXAMPLES], new, truth, (new[a[apart]] + new[b[apart]]) / 2


@lab(
    covers=["mixup"],
    seconds=5,
    quick={"epochs": 4},
    tries={
        "A gentle mix": {"alpha": 0.2},
        "Any share alike": {"alpha": 1.0},
        "Always half and half": {"alpha": 8.0},
    },
    question=Question(
        "Half a 3 and half a 7: how sure is a plainly trained network, on average?",
        ("About 50 %", "About 75 %", "About 99 %"),
        1,
        "It was never told what lies between. MixUp brings it down to little more than 50 %.",
    ),
    needs=["cross-entropy"],
)
def run(
    alpha: Annotated[float, Slider(0.05, 8.0, log=True, help="More even mixtures")] = 0.2,
    share: Annotated[float, Slider(0.0, 1.0, help="λ: more of the first", live=True)] = 0.5,
    first: Annotated[int, Slider(0, 99, help="Another first digit", live=True)] = 0,
    second: Annotated[int, Slider(0, 99, help="Another second digit", live=True)] = 7,
    epochs: Annotated[int, Slider(4, 300, help="Train longer")] = 100,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train twins, one with MixUp; show both along the line between two digits."""
    x, y, new, labels, between = shuffled(seed)
    twins = Reader(seed, 0.0), Reader(seed, alpha)
    epoch = 0

    def picture(share: float, first: int, second: int) -> Frame:
        views = _views(twins, new[first], new[second], share, (labels[first], labels[second]))
        grid = np.linspace(0.01, 0.99, 99)
        views["beta"] = Curve(
            grid, {f"Beta({alpha:.2g}, {alpha:.2g})": np.minimum(beta(grid, alpha), 20)}, "share λ",
            "density", marks={"λ": share}, title="which shares are drawn in training",
        )  # fmt: skip
        with torch.no_grad():
            right = [100 * float((net(new).argmax(1) == labels).double().mean()) for net in twins]
        facts = {"plain: sure half-way [%]": 100 * float(twins[0].sure(between).mean())}
        facts |= {"MixUp: sure half-way [%]": 100 * float(twins[1].sure(between).mean())}
        facts |= {"plain: test accuracy [%]": right[0], "MixUp: test accuracy [%]": right[1]}
        return Frame(epoch, epochs, views, facts)

    live: dict[str, Any] = {"share": share, "first": first, "second": second}
    for epoch in range(1, epochs + 1):  # noqa: B007 - `picture` reads it
        for net in twins:
            net.epoch(x, y)
        live.update((yield partial(picture, **live)) or {})
    yield from interactive(picture, **live)


@torch.no_grad()
def _views(
    twins: tuple[Reader, Reader], a: Tensor, b: Tensor, share: float, labels: tuple[Tensor, Tensor]
) -> dict[str, View]:
    blends = LINE[:, None].flip(0) * a + LINE[:, None] * b  # (41, 64), from all of a to all of b
    now = share * a + (1 - share) * b
    lines = {
        f"{name}: {int(label)}": net(blends).softmax(1)[:, label].numpy()
        for name, net in zip(("plain", "MixUp"), twins, strict=True)
        for label in dict.fromkeys(labels)
    }
    target = share * np.eye(10)[int(labels[0])] + (1 - share) * np.eye(10)[int(labels[1])]
    said = [net(now[None]).softmax(1)[0].numpy() for net in twins]
    title = f"on the way from a {int(labels[0])} to a {int(labels[1])}"
    return {
        "line": Curve(
            LINE.numpy(), lines, f"share of the {int(labels[1])}", "probability",
            marks={"now": 1 - share}, title=title,
        ),
        "blends": Tiles(
            torch.cat([blends[::5], now[None]]).reshape(-1, 8, 8).numpy(),
            (*(f"{1 - one:.0%}" for one in LINE[::5].tolist()), f"λ = {share:.0%}"),
            across=5, marks={9: "now"}, title=f"share of the {int(labels[0])}",
        ),
        "label": Bars(
            NAMES, {"mixed label": target, "plain": said[0], "MixUp": said[1]}, "digit",
            "probability", title="the label and what both say",
        ),
    }  # fmt: skip


def check() -> Iterator[Claim]:
    """The mixed loss is the mixture of losses; half-way MixUp is unsure, and no worse."""
    torch.manual_seed(0)
    scores, y = torch.randn(100, 10), one_hot(torch.randint(0, 10, (2, 100)), 10).float()
    share = torch.rand(100, 1)
    whole = cross_entropy(scores, share * y[0] + (1 - share) * y[1], reduction="none")
    parts = [cross_entropy(scores, one, reduction="none") for one in y]
    gap = (whole - share[:, 0] * parts[0] - (1 - share[:, 0]) * parts[1]).abs().max()
    yield below("Loss of the mixed label against the mixed losses, largest gap", float(gap), 1e-6)
    ends = [run.last(seed=seed, alpha=0.2, epochs=100).facts for seed in range(4)]
    plain = [one["plain: sure half-way [%]"] for one in ends]
    mixed = [one["MixUp: sure half-way [%]"] for one in ends]
    yield above("Plain: mean confidence half-way, least of 4 seeds [%]", min(plain), 70)
    yield below("MixUp: mean confidence half-way, most of 4 seeds [%]", max(mixed), 62)
    name = "test accuracy [%]"
    gain = np.mean([one[f"MixUp: {name}"] - one[f"plain: {name}"] for one in ends])
    yield above("Test accuracy, MixUp − plain, mean of 4 [points]", float(gain), -1)
