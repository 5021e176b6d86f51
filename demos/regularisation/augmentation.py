"""More data from the data you have.

A digit moved by a pixel, a little brighter or noisier, is the same digit to you, but a new one to a
network: it has learnt pixels, not shapes. *Augmentation* changes every training picture at random,
each time anew, in ways that must not matter: shifts, turns, flips, crops, brightness, noise. What
must not matter is knowledge about the task. A 6 turned by 180° is a 9: an augmentation that changes
the label teaches nonsense.

**Try:** click into the large picture to move the digit, and see which of the twins still reads it.

Source: Shorten & Khoshgoftaar (2019), A survey on image data augmentation for deep learning.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from demos import kit
from demos.kit import Claim, Drawing, Frames, Place, Question, Slider, Toggle, above, below, same
from engine.data.shipped import digits
from engine.views import Array, Curve, Field, Frame, Tiles, View

EXTENT, MIDDLE = (0.0, 8.0, 0.0, 8.0), [4.0, 4.0]
LINES = ("plain", "plain, moved", "augmented", "augmented, moved")
HOW = {"shift": 1, "turn": 0.0, "crop": 0.0, "flip": False, "light": 0.3, "noise": 0.1}


def moved(x: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Images `(n, 8, 8)` shifted by whole pixels `(n,)`, black coming in."""
    wide, at = F.pad(x, (8, 8, 8, 8)), torch.arange(8, 16)
    rows, columns = at - down[:, None], at - right[:, None]  # (n, 8) each
    return wide[torch.arange(len(x))[:, None, None], rows[:, :, None], columns[:, None, :]]


def quarter_turn(x: Tensor) -> Tensor:
    """Images `(..., 8, 8)` turned by 90°, pixel for pixel."""
    return x.transpose(-2, -1).flip(-2)


def augment(x: Tensor, random: torch.Generator, how: dict[str, Any]) -> Tensor:
    """Images `(n, 8, 8)`, each changed at random within the limits of `how`."""
    n, d = len(x), how["shift"]
    angle = torch.deg2rad((2 * torch.rand(n, generator=random) - 1) * how["turn"])
    zoom = 1 - how["crop"] * torch.rand(n, generator=random)  # less than the whole is shown
    flip = torch.where(torch.rand(n, generator=random) < how["flip"] / 2, -1.0, 1.0)
    cos, sin, zero = zoom * angle.cos(), zoom * angle.sin(), torch.zeros(n)
    affine = torch.stack([cos * flip, -sin, zero, sin * flip, cos, zero], 1).view(n, 2, 3)
    if how["turn"] or how["crop"] or how["flip"]:
        grid = F.affine_grid(affine, [n, 1, 8, 8], align_corners=False)
        x = F.grid_sample(x[:, None], grid, align_corners=False)[:, 0]
    x = moved(x, *torch.randint(-d, d + 1, (2, n), generator=random))
    x = x * (1 + how["light"] * (2 * torch.rand(n, 1, 1, generator=random) - 1))
    return torch.as_tensor(x + how["noise"] * torch.randn(x.shape, generator=random))


class Reader(nn.Sequential):
    """A network 64-256-10 that reads digits `(n, 8, 8)`; knows how to train itself."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        super().__init__(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))
        self.adam = torch.optim.Adam(self.parameters(), lr=5e-3, fused=True)
        self.random = torch.Generator().manual_seed(seed)

    def epoch(self, x: Tensor, y: Tensor, how: dict[str, Any] | None) -> None:
        """Once through the digits in batches of 100, augmented if it is said how."""
        for pick in torch.randperm(len(x), generator=self.random).split(100):
            seen = augment(x[pick], self.random, how) if how else x[pick]
            self.adam.zero_grad()
            F.cross_entropy(self(seen), y[pick]).backward()
            self.adam.step()

    @torch.no_grad()
    def right(self, x: Tensor, y: Tensor) -> float:
        """Share read right [%]."""
        return 100 * float((self(x).argmax(1) == y).double().mean())


def shuffled(seed: int, train: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Digits and labels to train, to test, and the test digits moved to a random neighbour."""
    random = torch.Generator().manual_seed(seed)
    images, labels = digits()
    order = torch.randperm(len(labels), generator=random)
    x, y = torch.from_numpy(images)[order], torch.from_numpy(labels)[order]
    step = torch.randint(0, 8, (len(x) - train,), generator=random)
    step = step + (step >= 4).long()  # 9 places without the one in the middle
    return x[:train], y[:train], x[train:], y[train:], moved(x[train:], step % 3 - 1, step // 3 - 1)


@kit.lab(
    covers=["image-augmentation"],
    seconds=5,
    quick={"epochs": 3},
    tries={
        "Shift, light, noise": {"shift": 1, "light": 0.3, "noise": 0.1},
        "The trap: half turns": {"turn": 180.0, "shift": 0},
        "The trap: mirrors": {"flip": True, "turn": 0.0},
    },
    question=Question(
        "A network reads 93 % of new digits. You move them all by one pixel. And now?",
        ("Still about 93 %", "About 70 %", "Below 40 %"),
        2,
        "It has learnt which pixels are dark. One pixel is an eighth of these pictures.",
    ),
    needs=["mlp-vs-cnn"],
)
def run(
    shift: Annotated[int, Slider(0, 3, unit="pixel", help="Shift further", live=True)] = 1,
    turn: Annotated[float, Slider(0.0, 180.0, unit="°", help="Turn further", live=True)] = 0.0,
    crop: Annotated[float, Slider(0.0, 0.5, help="Cut away more", live=True)] = 0.0,
    flip: Annotated[bool, Toggle(help="Mirror half of them", live=True)] = False,
    light: Annotated[float, Slider(0.0, 0.9, help="Vary brightness more", live=True)] = 0.3,
    noise: Annotated[float, Slider(0.0, 0.5, help="More noise", live=True)] = 0.1,
    drawn: Annotated[list[float], Drawing(8, 8, help="Draw your own digit")] = [],  # noqa: B006
    place: Annotated[list[float], Place(EXTENT, "dragged", help="Where its centre is")] = MIDDLE,
    digit: Annotated[int, Slider(0, 99, help="Another test digit", live=True)] = 3,
    epochs: Annotated[int, Slider(3, 200, help="Train longer")] = 150,
) -> Frames:
    """Train twins on 200 digits, one on augmented ones; then move, turn and draw."""
    x, y, new, labels, displaced = shuffled(0, 200)
    plain, robust = twins = Reader(0), Reader(0)
    rows: list[list[float]] = []
    live: dict[str, Any] = {"shift": shift, "turn": turn, "crop": crop, "flip": flip}
    live |= {"light": light, "noise": noise, "drawn": drawn, "place": place, "digit": digit}

    def picture(**how: Any) -> Frame:
        chosen = torch.tensor(how["drawn"] or new[how["digit"]].tolist()).reshape(8, 8)
        many = augment(chosen.expand(24, 8, 8), torch.Generator().manual_seed(1), how)
        read = zip(robust(many).argmax(1).tolist(), plain(many).argmax(1).tolist(), strict=True)
        names = tuple(f"{a}, plain: {b}" for a, b in read)
        lines: dict[str, Array] = dict(zip(LINES, np.array(rows).T, strict=True))
        views: dict[str, View] = {
            "dragged": _dragged(chosen, how["place"], twins),
            "gallery": Tiles(many.clamp(0, 1).numpy(), names, across=6, title="what both read"),
            "curves": Curve(
                np.arange(1, len(rows) + 1), lines, "epoch", "read right [%]",
                title="1,597 test digits, as they are and moved by one pixel",
            ),
        }  # fmt: skip
        return Frame(len(rows), epochs, views, dict(zip(LINES, rows[-1], strict=True)))

    for _ in range(epochs):
        plain.epoch(x, y, None)
        robust.epoch(x, y, live)
        rows.append([net.right(seen, labels) for net in twins for seen in (new, displaced)])
        live.update((yield partial(picture, **live)) or {})
    yield from kit.interactive(picture, **live)


@torch.no_grad()
def _dragged(chosen: Tensor, place: list[float], twins: tuple[Reader, Reader]) -> Field:
    right, down = round(place[0] - 4), round(4 - place[1])
    there = moved(chosen[None], torch.tensor([right]), torch.tensor([down]))
    sure = [net(there).softmax(1)[0].max(0) for net in twins]
    said = [f"{int(one.indices)} ({float(one.values):.0%})" for one in sure]
    title = f"moved by {right}, {-down}: plain reads {said[0]}, augmented {said[1]}"
    canvas = there[0].flip(0).numpy()
    return Field(canvas, EXTENT, {}, title, None, "grey", False, "column [pixel]", "row [pixel]")


def check() -> Iterator[Claim]:
    """Turns and flips are exact; augmentation makes a reader of moved digits; 6 becomes 9."""
    x, y, new, labels, _ = shuffled(0, 1200)
    turned = quarter_turn(quarter_turn(quarter_turn(quarter_turn(x))))
    yield same("Four quarter turns give back every pixel", bool((turned == x).all()), True)
    yield same("Two flips give back every pixel", bool((x.flip(-1).flip(-1) == x).all()), True)
    ends = []
    for seed in range(3):
        data, twins = shuffled(seed, 200), (Reader(seed), Reader(seed))
        for _ in range(150):
            twins[0].epoch(*data[:2], None)
            twins[1].epoch(*data[:2], HOW)
        ends.append([net.right(seen, data[3]) for net in twins for seen in (data[2], data[4])])
    rows = np.array(ends)  # (3, 4): plain, plain moved, augmented, augmented moved
    yield below("Plain, moved by one pixel, best of 3 seeds [%]", rows[:, 1].max(), 50)
    yield above("Augmented, moved by one pixel, worst of 3 [%]", rows[:, 3].min(), 75)
    yield below("Cost on digits as they are, largest [points]", (rows[:, 0] - rows[:, 2]).max(), 4)
    reader = Reader(0)
    for _ in range(30):
        reader.epoch(x, y, None)
    sixes = quarter_turn(quarter_turn(new[labels == 6]))
    nines = reader.right(sixes, torch.full((len(sixes),), 9))
    yield above("6s turned by 180° that are read as 9 [%]", nines, 80)
