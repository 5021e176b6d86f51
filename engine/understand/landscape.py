"""The loss around a trained network, cut along two directions, with the way it came.

The loss is a function of thousands of weights; a picture shows it on a plane through the end of
the run: `L(θ* + α d₁ + β d₂)`. Along random directions layers of different size would count
differently, so each filter of a direction is scaled to the length of the network's own filter
(filter normalisation). Along the main directions of the run's own way (PCA of its kept weights)
the path lies in the plane as well as it can.

Source: Li et al. (2018), Visualizing the loss landscape of neural nets.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from torch import nn

from engine.forms import Choice, Slider, Value
from engine.training import travel
from engine.understand.past import restored
from engine.views import Array, Field, Frame, Note, Surface, View

SAMPLES = 256  # training samples on which the loss is taken
MOST_WEIGHTS = 5_000_000
CAVEAT = (
    "**A cut, not the land.** Two of {weights:,} directions are seen; walls and valleys in all "
    "others are not. {share}Compare runs only with the same directions and scales."
)


def study(
    model: str,
    *,
    directions: Annotated[
        str, Choice(("the run's own", "random"), help="Along which two directions", live=True)
    ] = "the run's own",
    reach: Annotated[float, Slider(0.1, 3.0, log=True, live=True, help="A wider view")] = 1.0,
    fineness: Annotated[
        int, Slider(9, 41, live=True, help="More points each way, and slower")
    ] = 21,
    seed: Annotated[int, Slider(0, 99, live=True, help="Other random directions")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Draw the loss around the end of a run; row by row, so that one sees it grow.

    Args:
        model: The folder of the run.
        directions: The main directions of its own way, or random ones.
        reach: How far the view goes, in parts of its usual width.
        fineness: Points each way.
        seed: Fixes random directions.

    Yields:
        A frame every few rows; the last one waits.
    """
    folder = Path(model)
    controls: dict[str, Value] = {
        "directions": directions, "reach": reach, "fineness": fineness, "seed": seed,
    }  # fmt: skip
    while True:
        land = Landscape(folder)
        changes: Mapping[str, Value] | None = None
        for frame in land.frames(**controls):  # type: ignore[arg-type] # held against the form
            changes = yield frame
            if changes:
                break
        controls |= changes or {}


class Landscape:
    """A run's end, its way there, and the loss around."""

    def __init__(self, folder: Path) -> None:
        steps = travel.kept(folder)
        if not steps:
            raise LookupError("this run has kept no steps; train the network anew")
        self.session = restored(folder, steps[-1])
        self._weights = [p for p in self.session.module.parameters() if p.requires_grad]
        self.count = sum(p.numel() for p in self._weights)
        if self.count > MOST_WEIGHTS:
            raise ValueError(
                f"the network has {self.count:,} weights; the landscape is drawn up to "
                f"{MOST_WEIGHTS:,}: take a smaller one"
            )
        self.end = flat(self.session.module)
        self._folder, self._steps = folder, steps
        data = self.session.data
        picked = torch.randperm(len(data.train_x), generator=torch.Generator().manual_seed(0))[
            :SAMPLES
        ]
        self._x, self._y = data.train_x[picked], data.train_y[picked]

    def loss(self, weights: torch.Tensor) -> float:
        """The loss on the chosen training samples with these weights, `(weights,)`."""
        put(self._weights, weights)
        self.session.module.eval()
        with torch.inference_mode():
            scores = self.session.module(*self.session.data.inputs(self._x))
            return float(self.session.objective.loss(scores, self._y))

    def way(self) -> torch.Tensor:
        """The weights at all kept steps, `(steps, weights)`."""
        found = [flat(restored(self._folder, step).module) for step in self._steps]
        return torch.stack(found)

    def plane(self, directions: str, seed: int) -> tuple[torch.Tensor, torch.Tensor, float]:
        """Two directions `(2, weights)`, the path in them `(steps, 2)`, and its share there.

        The share is the part of the way's variance that lies in the plane, in [0, 1].
        """
        away = self.way() - self.end
        if directions == "random" or len(away) < 3:
            generator = torch.Generator().manual_seed(seed)
            drawn = torch.randn(2, self.count, generator=generator)
            both = torch.stack([normalised(one, self._weights) for one in drawn])
        else:
            _, _, axes = torch.linalg.svd(away, full_matrices=False)
            both = axes[:2]
        gram = both @ both.T  # random directions are not quite at right angles
        path = torch.linalg.solve(gram, both @ away.T).T
        seen = (path @ both).square().sum() / away.square().sum().clamp_min(1e-12)
        return both, path, float(seen)

    def frames(
        self, directions: str, reach: float, fineness: int, seed: int
    ) -> Generator[Frame, Mapping[str, Value] | None, None]:
        """The picture, growing from the bottom."""
        both, path, share = self.plane(directions, seed)
        half = reach * _width(path, directions)
        middle = (path.max(0).values + path.min(0).values) / 2 * (directions != "random")
        x = torch.linspace(-half, half, fineness) + middle[0]
        y = torch.linspace(-half, half, fineness) + middle[1]
        extent = (float(x[0]), float(x[-1]), float(y[0]), float(y[-1]))
        values = np.full((fineness, fineness), np.nan)
        for row in range(fineness):
            for column in range(fineness):
                place = self.end + x[column] * both[0] + y[row] * both[1]
                values[row, column] = self.loss(place)
            if row % 4 == 3 or row == fineness - 1:
                last = row == fineness - 1
                yield self._frame(values, extent, path, share, row + 1, last)

    def _frame(
        self,
        values: Array,
        extent: tuple[float, float, float, float],
        path: torch.Tensor,
        share: float,
        rows: int,
        last: bool,
    ) -> Frame:
        heights = np.log10(np.maximum(values, 1e-6))
        inside = {"the way": path.numpy()} if len(path) > 1 else {}
        note = CAVEAT.format(
            weights=self.count,
            share=f"They hold {100 * share:.0f} % of the way the run took. ",
        )
        views: dict[str, View] = {
            "land": Field(
                heights, extent, inside, "log₁₀ of the training loss", contours=True,
                xlabel="first direction", ylabel="second direction",
            ),
            "hills": Surface(
                np.nan_to_num(heights, nan=float(np.nanmin(heights))), extent,
                zlabel="log₁₀ loss", title="the same as a landscape",
            ),
            "caveat": Note(note, "what this is", "warning"),
        }  # fmt: skip
        facts = {"loss at the end": self.loss(self.end), "of the way in the plane [%]": 100 * share}
        return Frame(rows, len(values), views, facts, waits=last)


def normalised(direction: torch.Tensor, weights: list[nn.Parameter]) -> torch.Tensor:
    """A direction `(weights,)` whose every filter is as long as the network's own.

    Biases and other vectors stay where they are, as in the paper.
    """
    parts = []
    for part, own in zip(direction.split([p.numel() for p in weights]), weights, strict=True):
        if own.ndim < 2:
            parts.append(torch.zeros_like(part))
            continue
        filters = part.reshape(len(own), -1)
        length = own.detach().flatten(1).norm(dim=1, keepdim=True)
        unit = filters / filters.norm(dim=1, keepdim=True).clamp_min(1e-12)
        parts.append((unit * length).flatten())
    return torch.cat(parts)


def flat(module: nn.Module) -> torch.Tensor:
    """All weights that are learnt, one after the other, `(weights,)`."""
    found = [p.detach().flatten() for p in module.parameters() if p.requires_grad]
    return torch.cat(found).clone()


def put(weights: list[nn.Parameter], values: torch.Tensor) -> None:
    """Write numbers into weights, in their order."""
    with torch.no_grad():
        parts = values.split([p.numel() for p in weights])
        for own, part in zip(weights, parts, strict=True):
            own.copy_(part.view_as(own))


def _width(path: torch.Tensor, directions: str) -> float:
    """Half the picture's usual width: the way and some room, or once the network's own size."""
    if directions == "random" or len(path) < 3:
        return 1.0
    spread = float((path.max(0).values - path.min(0).values).max())
    return 0.7 * spread if spread > 0 else 1.0
