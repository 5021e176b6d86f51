"""Why convolution? Drag the digit.

A dense layer learns a separate weight for every pixel; a convolution slides *one* small window
over all of them: `z[i, j] = Σ_{a,b} w[a, b] · x[i + a, j + b] + b`. The weights are shared, so a
stroke is recognised wherever it stands. Both networks here learn from centred digits only.
The two maps show at which places of the canvas each of them still reads the digits.

**Try:** click in the canvas: the digit jumps there. Who keeps the right answer?

Source: LeCun et al. (1989), Backpropagation Applied to Handwritten Zip Code Recognition.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn

from demos.kit import (
    Claim,
    Frames,
    Place,
    Question,
    Slider,
    above,
    below,
    interactive,
    lab,
    same,
)
from engine.views import Array, Bars, Curve, Field, Frame, Tiles, View

SIZE, DIGIT = 16, 8  # the canvas and the digit on it [pixel]
FREE = SIZE - DIGIT + 1  # at how many places of a row a digit can stand
EXTENT = (0.0, 16.0, 0.0, 16.0)  # left, right, bottom, top
CENTRE = [8.0, 8.0]


def dense() -> nn.Sequential:
    """Every pixel has its own weights: `(n, 1, 16, 16)` to `(n, 10)`."""
    return nn.Sequential(nn.Flatten(), nn.Linear(SIZE**2, 64), nn.ReLU(), nn.Linear(64, 10))


def convolutional() -> nn.Sequential:
    """The same 3 × 3 windows everywhere, then the strongest answer of each map."""
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()),
        *(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(32, 10)),
    )


def place(digits: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Digits `(n, 8, 8)` on empty canvases `(n, 1, 16, 16)`, by upper left corners."""
    canvas = torch.zeros(len(digits), SIZE, SIZE)
    row = rows[:, None, None] + torch.arange(DIGIT)[:, None]  # (n, 8, 1)
    column = columns[:, None, None] + torch.arange(DIGIT)  # (n, 1, 8)
    canvas[torch.arange(len(digits))[:, None, None], row, column] = digits
    return canvas[:, None]


def data() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Digits and their classes, 1,297 to learn from and 500 to test with."""
    from sklearn.datasets import load_digits

    pictures, classes = load_digits(return_X_y=True)
    x = torch.tensor(pictures.reshape(-1, 8, 8) / 16, dtype=torch.float32)
    y = torch.tensor(classes)
    return x[:1297], y[:1297], x[1297:], y[1297:]


def accuracy(net: nn.Module, x: Tensor, y: Tensor) -> float:
    """Share of right answers."""
    with torch.no_grad():
        return float((net(x).argmax(1) == y).float().mean())


def reach(net: nn.Module, digits: Tensor, y: Tensor) -> Array:
    """Share of digits read right at each place, `(9, 9)`: by row and column of the corner."""
    n = len(digits)
    corner = torch.arange(FREE**2).repeat_interleave(n)
    x = place(digits.repeat(FREE**2, 1, 1), corner // FREE, corner % FREE)
    with torch.no_grad():
        right = net(x).argmax(1) == y.repeat(FREE**2)
    rates: Array = right.float().view(FREE, FREE, n).mean(2).numpy()
    return rates


@lab(
    covers=["mlp-vs-cnn"],
    seconds=11,
    quick={"epochs": 1},
    tries={
        "A four at the edge": {"digit": 4, "where": [4.0, 4.0]},
        "A zero a little to the right": {"digit": 0, "where": [10.0, 8.0]},
    },
    question=Question(
        "Both networks saw centred digits only. Who reads a digit in the corner?",
        ("Both", "The dense one: it has more weights", "The convolutional one", "Neither"),
        2,
        "The dense network has never seen ink on those pixels: their weights learned nothing. "
        "The convolution uses the same weights there as in the middle.",
    ),
)
def run(
    where: Annotated[list[float], Place(EXTENT, "canvas", help="Where the digit stands")] = CENTRE,
    digit: Annotated[int, Slider(0, 9, live=True, help="Which digit is on the canvas")] = 3,
    epochs: Annotated[int, Slider(1, 30, help="More passes over the centred digits")] = 15,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train both on centred digits; the canvas can be clicked at any time."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = data()
    middle = torch.full((len(x),), (SIZE - DIGIT) // 2)
    centred = place(x, middle, middle)
    nets = {"dense": dense(), "convolution": convolutional()}
    optimizers = [torch.optim.Adam(net.parameters(), lr=3e-3) for net in nets.values()]
    sizes = {name: sum(p.numel() for p in net.parameters()) for name, net in nets.items()}
    corners = torch.randint(0, FREE, (2, len(x_test)))
    moved = place(x_test, corners[0], corners[1])
    score: dict[str, list[float]] = {
        name: [accuracy(net, moved, y_test)] for name, net in nets.items()
    }

    def picture(where: list[float], digit: int) -> Frame:
        left = min(max(round(where[0] - DIGIT / 2), 0), FREE - 1)
        top = min(max(round(SIZE - where[1] - DIGIT / 2), 0), FREE - 1)
        shown = place(x_test[y_test == digit][:1], torch.tensor([top]), torch.tensor([left]))
        with torch.no_grad():
            answers = {name: net(shown).softmax(1)[0].numpy() for name, net in nets.items()}
        maps = np.stack([reach(net, x_test[:60], y_test[:60]) for net in nets.values()])
        epoch = len(score["dense"]) - 1
        score_lines = {name: np.array(values) for name, values in score.items()}
        shares = tuple(f"{name}: {m.mean():.0%}" for name, m in zip(nets, maps, strict=True))
        pixels = shown[0, 0].flip(0).numpy()
        views: dict[str, View] = {
            "canvas": Field(
                pixels,
                EXTENT,
                {},
                "click: the digit jumps there",
                None,
                "grey",
                False,
                "column [pixel]",
                "row [pixel]",
            ),
            "answers": Bars(
                tuple("0123456789"), answers, "class", "probability", title="what each reads"
            ),
            "reach": Tiles(
                maps, shares, "sequential", across=2, title="share read right, by place"
            ),
            "accuracy": Curve(
                np.arange(epoch + 1), score_lines, "epoch", "accuracy at random places"
            ),
        }
        facts = {f"{name}: accuracy at random places": values[-1] for name, values in score.items()}
        return Frame(
            epoch, epochs, views, facts | {f"{name}: weights": n for name, n in sizes.items()}
        )

    shown: dict[str, Any] = {"where": where, "digit": digit}
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(64):
            for net, optimizer in zip(nets.values(), optimizers, strict=True):
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(centred[batch]), y[batch]).backward()
                optimizer.step()
        for name, net in nets.items():
            score[name].append(accuracy(net, moved, y_test))
        shown.update((yield lambda: picture(**shown)) or {})
    yield from interactive(picture, **shown)


def check() -> Iterator[Claim]:
    """Shared weights: far fewer of them, and they work where nothing was learned."""
    weights = nn.Linear(224 * 224 * 3, 1000, bias=False, device="meta").weight.numel()
    yield same("Weights of a dense layer from 224 × 224 × 3 to 1,000", weights, 150_528_000)
    window = sum(p.numel() for p in nn.Conv2d(3, 64, 3).parameters())
    yield same("Parameters of a 3 × 3 convolution from 3 to 64 channels", window, 1_792)
    for seed in (0, 1):
        facts = run.last(seed=seed).facts
        said = "accuracy at random places"
        yield below(f"Dense network, {said} (seed {seed})", facts[f"dense: {said}"], 0.25)
        yield above(f"Convolution, {said} (seed {seed})", facts[f"convolution: {said}"], 0.60)
