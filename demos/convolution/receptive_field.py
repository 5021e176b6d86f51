"""How much of the picture does one number see?

Layer by layer a unit sees a larger piece of the input: `r_l = r_{l−1} + (k_l − 1) d_l j_{l−1}`,
where the jump `j_l = j_{l−1} s_l` is how many pixels one step is worth. That piece *can* matter.
What *does* matter the gradient says: through many averaging layers it becomes a bell, whose width
grows only with the square root of the depth, `σ = √(l (k² − 1)/12)`. Bright pixels matter most.

**Try:** click anywhere in the picture to ask another unit; then compare stride, dilation and depth.

Source: Luo et al. (2016), Understanding the Effective Receptive Field in Deep CNNs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

from demos.kit import (
    Choice,
    Claim,
    Frames,
    Place,
    Question,
    Slider,
    interactive,
    lab,
    near,
    same,
)
from engine.views import Array, Curve, Field, Frame, Table, View

SIZE = 96
EXTENT = (0.0, 96.0, 0.0, 96.0)  # left, right, bottom, top
MIDDLE = [48.0, 48.0]
X, Y = "column [pixel]", "row [pixel]"
WEIGHTS = ("averaging", "random", "random and ReLU")


class Layer(NamedTuple):
    """A square window: kernel size, stride, dilation."""

    kernel: int
    stride: int = 1
    dilation: int = 1


SEVEN = (Layer(5), Layer(2, 2), Layer(3), Layer(3, 2), Layer(5), Layer(5), Layer(2, 2))


def field(layers: Sequence[Layer]) -> tuple[int, int]:
    """Receptive field and jump after these layers [pixel]."""
    size = jump = 1
    for kernel, stride, dilation in layers:
        size += (kernel - 1) * dilation * jump
        jump *= stride
    return size, jump


def plan(depth: int, kernel: int, stride: int, dilation: str) -> list[Layer]:
    """As many equal layers as asked for, while they see no more than the picture."""
    stack = [Layer(kernel, stride, 2**i if dilation == "doubling" else 1) for i in range(depth)]
    return [one for i, one in enumerate(stack) if field(stack[: i + 1])[0] <= SIZE]


def through(x: Tensor, layers: Sequence[Layer], weights: str, seed: int) -> Tensor:
    """The picture through the stack, `(1, 1, h, w)` to `(1, 1, h', w')`; no padding."""
    random = torch.Generator().manual_seed(seed)
    for kernel, stride, dilation in layers:
        w = torch.rand(1, 1, kernel, kernel, generator=random, dtype=x.dtype)
        if weights == "averaging":
            w = torch.ones_like(w)
        w = w / w.sum() if weights == "averaging" else (w - 0.3) / w.sum()
        x = F.conv2d(x, w, stride=stride, dilation=dilation)
        x = x.relu() if weights == "random and ReLU" else x
    return x


def influence(layers: Sequence[Layer], weights: str = "averaging", seed: int = 0) -> Array:
    """|∂ output / ∂ pixel| over exactly the receptive field, `(r, r)`."""
    size, _ = field(layers)
    x = torch.rand(
        1, 1, size, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    x.requires_grad_()
    (slope,) = torch.autograd.grad(through(x, layers, weights, seed).sum(), x)
    seen: Array = slope[0, 0].abs().numpy()
    return seen


def spread(seen: Array) -> float:
    """Standard deviation of the influence along one axis [pixel]."""
    share, at = seen.sum(0) / max(seen.sum(), 1e-300), np.arange(len(seen))
    return float(np.sqrt((share * (at - (share * at).sum()) ** 2).sum()))


def on_picture(seen: Array, where: list[float]) -> Array:
    """The influence laid over the picture around a place, `(96, 96)`, in [0, 1]."""
    padded = np.zeros((3 * SIZE, 3 * SIZE))
    size = len(seen)
    row, column = (SIZE + int(v) - size // 2 for v in (where[1], where[0]))
    padded[row : row + size, column : column + size] = seen / max(seen.max(), 1e-300)
    return padded[SIZE : 2 * SIZE, SIZE : 2 * SIZE]


@lab(
    covers=["receptive-field"],
    seconds=1,
    quick={"depth": 3},
    tries={
        "Sixteen plain layers": {"depth": 16, "kernel": 3},
        "Five layers, stride 2": {"depth": 5, "kernel": 3, "stride": 2},
        "Dilation 1, 2, 4, ...": {"depth": 5, "kernel": 3, "dilation": "doubling"},
    },
    question=Question(
        "Depth times four. How much wider is the piece that really matters?",
        ("Four times", "Twice", "Just as wide"),
        1,
        "The influence spreads like a random walk: with the square root of the depth.",
    ),
    needs=["conv-hyperparameters"],
)
def run(
    where: Annotated[list[float], Place(EXTENT, "influence", help="Which unit to ask")] = MIDDLE,
    depth: Annotated[int, Slider(1, 24, live=True, help="More layers")] = 16,
    kernel: Annotated[int, Slider(1, 7, live=True, unit="pixel", help="Larger windows")] = 3,
    stride: Annotated[int, Slider(1, 2, live=True, help="Every layer halves the picture")] = 1,
    dilation: Annotated[str, Choice(("none", "doubling"), live=True)] = "none",
    weights: Annotated[str, Choice(WEIGHTS, live=True)] = "averaging",
    seed: Annotated[int, Slider(0, 99, live=True)] = 0,
) -> Frames:
    """The stack grows layer by layer; then every control answers at once."""

    def picture(
        where: list[float], weights: str, seed: int, layers: int = 99, **sizes: Any
    ) -> Frame:
        stack = plan(**sizes)
        grown = [stack[:i] for i in range(min(layers, len(stack)) + 1)]
        seen = [influence(some, weights, seed) for some in grown]
        reach = np.array([field(some)[0] for some in grown], dtype=float)
        now, (size, jump) = seen[-1], field(grown[-1])
        corner = np.array([int(where[0]) - size // 2, int(where[1]) - size // 2])
        square = {"can matter": corner + size * np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)])}
        widths = {"can matter": reach, "does matter (4 σ)": 4 * np.array([spread(a) for a in seen])}
        cut = {"influence": now.sum(0) / max(now.sum(), 1e-300)}
        rows = tuple((i + 1, *grown[-1][i], int(reach[i + 1])) for i in range(len(grown) - 1))
        headings = ("layer", "kernel", "stride", "dilation", "sees [pixel]")
        click = "click: ask the unit above that place"
        views: dict[str, View] = {
            "influence": Field(on_picture(now, where), EXTENT, square, click, xlabel=X, ylabel=Y),
            "growth": Curve(np.arange(len(grown)), widths, "layers", "width [pixel]", dots=True),
            "profile": Curve(np.arange(size) - size // 2, cut, "distance [pixel]", "influence"),
            "layers": Table(headings, rows, "the stack"),
        }
        facts = {
            "can matter [pixel]": size,
            "does matter, σ [pixel]": spread(now),
            "jump [pixel]": jump,
        }
        return Frame(len(grown) - 1, len(stack), views, facts)

    shown: dict[str, Any] = {"depth": depth, "kernel": kernel, "stride": stride, "seed": seed}
    shown |= {"where": where, "dilation": dilation, "weights": weights}
    for layers in range(1, depth):
        shown.update((yield partial(picture, **shown, layers=layers)) or {})
    yield from interactive(picture, **shown)


def check() -> Iterator[Claim]:
    """The formula is the gradient's support; the effective width is the root of the depth."""
    yield same("Receptive field of the seven layers by the formula [pixel]", field(SEVEN)[0], 50)
    x = torch.rand(1, 1, 150, 150, dtype=torch.float64, requires_grad=True)
    z = through(x, SEVEN, "averaging", 0)
    (slope,) = torch.autograd.grad(z[0, 0, z.shape[2] // 2, z.shape[3] // 2], x)
    for axis, name in ((0, "columns"), (1, "rows")):
        wide = int((slope[0, 0].abs().sum(axis) > 0).sum())
        yield same(f"Support of the gradient of one output, {name} [pixel]", wide, 50)
    for depth, sigma in ((4, 1.63), (16, 3.27), (64, 6.53)):
        measured = spread(influence([Layer(3)] * depth))
        yield near(
            f"Effective width σ after {depth} averaging layers [pixel]", measured, sigma, 0.005
        )
