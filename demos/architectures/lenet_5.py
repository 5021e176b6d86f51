"""LeNet-5, the original and its modern form.

Two rounds of convolution and pooling, then dense layers: the plan of nearly all that followed.
The original of 1998 learns a gain and a bias for every pooling map, squashes with
`1.7159 tanh(2x/3)`, connects its third layer sparsely by a table, and compares 84 numbers with
a drawn code of each digit, `y_i = Σ_j (x_j − w_ij)²`. Today: ReLU, max pooling, full connections.

**Try:** draw a digit and follow it through the maps; then train the original instead.

Source: LeCun et al. (1998), Gradient-based learning applied to document recognition.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from demos.kit import Claim, Drawing, Frames, Question, Slider, above, interactive, lab, same
from engine.data.shipped import digits
from engine.network.build import build
from engine.network.templates import find
from engine.views import Bars, Curve, Frame, Matrix, Table, Tiles, View

READS = (  # which maps of S2 each of the sixteen maps of C3 reads: table I of the paper
    *(tuple((i + j) % 6 for j in range(3)) for i in range(6)),
    *(tuple((i + j) % 6 for j in range(4)) for i in range(6)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5)),
)
PLACES = {"C1": 28 * 28, "S2": 14 * 14, "C3": 10 * 10, "S4": 5 * 5, "C5": 1, "F6": 1}
EMPTY: list[float] = []


class Subsample(nn.Module):
    """A gain and a bias for the sum of every 2 × 2 patch of each map."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.gain, self.bias = (nn.Parameter(torch.full((maps, 1, 1), v)) for v in (0.5, 0.0))

    def forward(self, x: Tensor) -> Tensor:
        """`(n, maps, h, w)` to `(n, maps, h/2, w/2)`."""
        return squash(self.gain * 4 * F.avg_pool2d(x, 2) + self.bias)


class Original(nn.Module):
    """LeNet-5 of 1998 for `(n, 1, 28, 28)`; `codes` are the 84-pixel pictures it aims at."""

    def __init__(self, codes: Tensor) -> None:
        super().__init__()
        self.C1, self.S2 = nn.Conv2d(1, 6, 5, padding=2), Subsample(6)
        self.C3 = nn.ModuleList(nn.Conv2d(len(some), 1, 5) for some in READS)
        self.S4, self.C5, self.F6 = Subsample(16), nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        self.register_buffer("codes", codes)  # (10, 84) of ±1, not trained

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What C1 and C3 show."""
        first = squash(self.C1(x))
        pooled = self.S2(first)
        third = [conv(pooled[:, some]) for conv, some in zip(self.C3, READS, strict=True)]
        return first, squash(torch.cat(third, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Minus the distance to each code, `(n, 10)`."""
        last = squash(self.C5(self.S4(self.maps(x)[1]))).flatten(1)
        return -0.1 * (squash(self.F6(last))[:, None] - self.get_buffer("codes")).square().sum(2)


def squash(x: Tensor) -> Tensor:
    """The paper's sigmoid."""
    return 1.7159 * torch.tanh(2 / 3 * x)


def sizes(net: Original) -> dict[str, tuple[int, int]]:
    """Layer -> (parameters that learn, connections)."""
    found = {}
    for name, places in PLACES.items():
        count = sum(p.numel() for p in getattr(net, name).parameters())
        # a subsampled value has four inputs and a bias, though it learns two numbers a map
        found[name] = (count, places * (count // 2 * 5 if name in ("S2", "S4") else count))
    return found


def data() -> tuple[Tensor, Tensor]:
    """The 1,797 digits, shuffled and enlarged to `(n, 1, 28, 28)` with a rim, and classes."""
    images, labels = digits()
    order = np.random.default_rng(0).permutation(len(labels))
    x = torch.tensor(images[order, None], dtype=torch.float32)
    x = F.pad(F.interpolate(x, size=(24, 24), mode="bilinear"), (2, 2, 2, 2))
    return x, torch.tensor(labels[order])


@lab(
    covers=["lenet-5"],
    seconds=4,
    quick={"epochs": 1},
    tries={"The original of 1998": {"version": "original"}, "Modern, a seven": {"digit": 7}},
    question=Question(
        "The modern form connects all maps. How many more parameters has it?",
        ("Twice as many", "3 % more", "Fewer"),
        1,
        "61,706 against 60,000: C3 grows from 1,516 to 2,416, pooling loses its 44, scores learn.",
    ),
    needs=["convolution-2d", "pooling"],
    network="lenet",
)
def run(
    version: Literal["modern", "original"] = "modern",
    drawing: Annotated[list[float], Drawing(28, 28, help="Your own digit")] = EMPTY,
    digit: Annotated[int, Slider(0, 9, live=True, help="Which digit, if none is drawn")] = 3,
    epochs: Annotated[int, Slider(1, 12, help="Longer training")] = 9,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train it; show every map of a digit on its way."""
    torch.manual_seed(seed)
    x, y = data()
    means = torch.stack([x[y == c].mean(0) for c in range(10)])
    codes = (F.interpolate(means[..., 2:26, 5:23], size=(12, 7)).flatten(1) > 0.4).float() * 2 - 1
    original = Original(codes)
    net = build(find("lenet").spec) if version == "modern" else original
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    fading = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, 22 * epochs)
    error: list[float] = []
    table = tuple((name, *both) for name, both in sizes(original).items())
    reads = np.array([[float(i in some) for i in range(6)] for some in READS])

    def picture(epoch: int, drawing: list[float], digit: int) -> Frame:
        seen = torch.tensor(drawing).view(1, 1, 28, 28) if drawing else x[y == digit][:1]
        with torch.no_grad():
            first, third = original.maps(seen) if version == "original" else modern_maps(net, seen)
            answers = net(seen).softmax(1)[0].numpy()
        third = F.pad(third, (9, 9, 9, 9), value=float(third.min()))
        tiles = torch.cat([seen[0], first[0], third[0]]).numpy()
        names = ("seen", *(f"C1.{i}" for i in range(6)), *(f"C3.{i}" for i in range(16)))
        lines = {"test error": np.array(error)}
        views: dict[str, View] = {
            "maps": Tiles(tiles, names, "sequential", False, 8, title="a digit on its way"),
            "answers": Bars(tuple("0123456789"), {version: answers}, "class", "probability"),
            "learning": Curve(np.arange(1, epoch + 1), lines, "epoch", "error on 400 others"),
            "table": Matrix(
                reads.T, xlabel="map of C3", ylabel="map of S2", title="who reads whom"
            ),
            "layers": Table(("layer", "parameters", "connections"), table, "the original"),
        }
        facts = {
            "test accuracy": 1 - error[-1],
            "parameters": sum(p.numel() for p in net.parameters()),
        }
        return Frame(epoch, epochs, views, facts)

    shown: dict[str, Any] = {"drawing": drawing, "digit": digit}
    for epoch in range(1, epochs + 1):
        for batch in torch.randperm(1397).split(64):
            optimizer.zero_grad()
            F.cross_entropy(net(x[batch]), y[batch]).backward()
            optimizer.step()
            fading.step()
        with torch.no_grad():
            error.append(float((net(x[1397:]).argmax(1) != y[1397:]).float().mean()))
        shown.update((yield partial(picture, epoch, **shown)) or {})
    yield from interactive(partial(picture, epochs), **shown)


def modern_maps(net: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """What the two convolutions of the template show, after ReLU."""
    first = net.get_submodule("conv1")(x).relu()
    return first, net.get_submodule("conv2")(F.max_pool2d(first, 2)).relu()


def check() -> Iterator[Claim]:
    """The original's own counts, and the modern form reads digits."""
    found = sizes(Original(torch.zeros(10, 84)))
    yield same("Original: parameters that learn", sum(p for p, _ in found.values()), 60_000)
    yield same("Original: parameters of C3 by its table", found["C3"][0], 1_516)
    yield same("Original: connections up to F6", sum(c for _, c in found.values()), 340_068)
    yield same("… and with those to the codes", sum(c for _, c in found.values()) + 840, 340_908)
    facts = run.last().facts
    yield same("Modern form: parameters", int(facts["parameters"]), 61_706)
    yield above("Modern form: accuracy on enlarged digits", facts["test accuracy"], 0.96)
