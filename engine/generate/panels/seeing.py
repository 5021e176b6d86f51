"""What a model that draws pixel by pixel looks at."""

from __future__ import annotations

import torch

from engine.generate.families.pixels import Pixels
from engine.generate.learner import Learner
from engine.generate.panels import panels
from engine.generate.parts.masked import Masked
from engine.views import Array, Matrix, Tiles, View


def slopes(model: Pixels, x: torch.Tensor, row: int, column: int) -> Array:
    """How strongly each pixel of an image moves the odds of one, `(rows, columns)`.

    The size of the Jacobian ∂ log-odds / ∂ pixel, summed over shades and colours.
    """
    at = x[:1].detach().clone().requires_grad_()
    with torch.enable_grad():
        odds = model.scores(at)[0, :, :, row, column].log_softmax(-1).flatten()
        total = torch.zeros(x.shape[2:])
        for one in odds:
            (slope,) = torch.autograd.grad(one, at, retain_graph=True)
            total = total + slope[0].abs().sum(0)
    array: Array = total.numpy()
    return array


def field(model: Pixels, x: torch.Tensor, row: int, column: int) -> Matrix:
    """The receptive field of one pixel, framed, and how many earlier pixels have no say."""
    total = slopes(model, x, row, column)
    before = total.flatten()[: row * total.shape[1] + column]
    blind = int((before == 0).sum())
    words = (
        f"{blind} of {len(before)} earlier pixels have no say" if blind else "all before have a say"
    )
    return Matrix(
        total,
        highlight=((row, column),),
        title=f"what row {row + 1}, column {column + 1} looks at: {words}",
    )


def masks(model: Pixels) -> Tiles | None:
    """The masks of the first two layers' kernels: white where a kernel may look."""
    known = [one for one in model.network.modules() if isinstance(one, Masked)]
    seen: dict[str, torch.Tensor] = {}
    for layer in known:
        rows, columns = layer.mask.shape[2:]
        if rows * columns == 1:
            continue
        sees = layer.mask[-1, 0]
        name = f"{rows} x {columns}, {'B' if float(sees[rows // 2, columns // 2]) else 'A'}"
        seen.setdefault(name, sees)
    if not seen:
        return None
    largest = max(max(one.shape) for one in seen.values())
    squares = torch.full((len(seen), largest, largest), 0.5)
    for square, one in zip(squares, seen.values(), strict=True):
        top, left = (largest - one.shape[0]) // 2, (largest - one.shape[1]) // 2
        square[top : top + one.shape[0], left : left + one.shape[1]] = one
    return Tiles(
        squares.numpy(),
        tuple(seen),
        title="where kernels may look (white): A not at the own pixel, B also there",
    )


@panels.add("receptive field", place=19, shown=True)
def receptive(learner: Learner, memory: dict[str, object]) -> View | None:
    """Which pixels move the odds of the one in the middle."""
    del memory
    model = learner.model
    if not isinstance(model, Pixels):
        return None
    _, rows, columns = learner.source.outline.shape
    return field(model, learner.source.held, rows // 2, columns // 2)


@panels.add("masks", place=20, shown=False)
def shown_masks(learner: Learner, memory: dict[str, object]) -> View | None:
    """Where the kernels may look."""
    del memory
    return masks(learner.model) if isinstance(learner.model, Pixels) else None
