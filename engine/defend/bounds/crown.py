"""CROWN: lines below and above every answer, passed backward to the input.

Each bend is put between two lines; a linear wish about the answer is then carried back through
the layers, taking for each coefficient the line that is safe for its sign. At the input the
smallest value over the box is `A x₀ + b − ε ‖A‖₁`. Bounds of the bends themselves are found the
same way, first layer first, and never wider than those of intervals; a layer with very many open
bends keeps its intervals, which is what makes pictures of 28 x 28 pixels bearable.

Source: Zhang et al. (2018), Efficient neural network robustness certification with general
activation functions; Singh et al. (2019), An abstract domain for certifying neural networks (the
lines for tanh and sigmoid).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from engine.defend.bounds.interval import through
from engine.defend.bounds.lines import Lines, corner_lines, pool_back, round_lines
from engine.defend.bounds.tape import CORNERED, NOTHING, ROUND, Cell, Pair, Tape, tape
from engine.network.modules.joining import Add

ROOM = 20_000_000  # coefficients held at once: 80 MB
MOST = 512  # bends of one layer whose bounds are found by lines; a wider layer keeps intervals


def crown(module: nn.Module, low: torch.Tensor, high: torch.Tensor) -> Pair:
    """Bounds of the scores of each sample, `(batch, classes)`, while its input is in its box.

    Raises:
        ValueError: A layer cannot be bounded.
    """
    return _scores(_Walk(module, low, high))


def margins(
    module: nn.Module, low: torch.Tensor, high: torch.Tensor, y: torch.Tensor
) -> torch.Tensor:
    """The smallest lead of class `y` over every other class that is proved, `(batch, classes)`.

    The column of `y` itself is infinite. A sample is certified where all are positive.

    Raises:
        ValueError: A layer cannot be bounded.
    """
    return _leads(_Walk(module, low, high), y)


def crown_and_margins(
    module: nn.Module, low: torch.Tensor, high: torch.Tensor, y: torch.Tensor
) -> tuple[Pair, torch.Tensor]:
    """Both, for little more than the price of one.

    Raises:
        ValueError: A layer cannot be bounded.
    """
    walk = _Walk(module, low, high)
    return _scores(walk), _leads(walk, y)


def _scores(walk: _Walk) -> Pair:
    box_low, box_high = walk.boxes[walk.record.answer]
    batch, classes = box_low.shape
    wishes = torch.eye(classes, dtype=box_low.dtype).expand(batch, classes, classes)
    low, high = walk.bounds(walk.record.answer, wishes)
    return torch.maximum(low, box_low), torch.minimum(high, box_high)


def _leads(walk: _Walk, y: torch.Tensor) -> torch.Tensor:
    box_low, box_high = walk.boxes[walk.record.answer]
    classes = box_low.shape[1]
    own = torch.nn.functional.one_hot(y, classes).to(box_low.dtype)  # (batch, classes)
    wishes = own[:, None, :] - torch.eye(classes, dtype=box_low.dtype)
    proved = walk.bounds(walk.record.answer, wishes)[0]
    plain = box_low.gather(1, y[:, None]) - box_high
    return torch.maximum(proved, plain).masked_fill(own.bool(), torch.inf)


@dataclass
class _Wish:
    """Coefficients on one place, `(batch, wishes, ...)`, for the lower and the upper bound."""

    lower: torch.Tensor
    upper: torch.Tensor

    def plus(self, other: _Wish) -> _Wish:
        return _Wish(self.lower + other.lower, self.upper + other.upper)


class _Walk:
    """A network and one box of inputs a sample; its bends' bounds are known once it is made."""

    def __init__(self, module: nn.Module, low: torch.Tensor, high: torch.Tensor) -> None:
        self.record: Tape = tape(module)
        self.boxes: dict[int, Pair] = {0: (low, high)}
        self._lines: dict[int, Lines] = {}
        bends = (*CORNERED, *ROUND)
        bent = {c.reads[0] for c in self.record.cells if isinstance(c.module, bends)}
        with torch.no_grad():
            for cell in self.record.cells:
                self.boxes[cell.write] = through(cell, self.boxes)
                if cell.write in bent and cell.reads != (0,):  # one affine layer alone is exact
                    self._narrow(cell.write)
                if isinstance(cell.module, bends):
                    self._lines[cell.write] = _lines(cell, self.boxes[cell.reads[0]])

    def bounds(self, place: int, wishes: torch.Tensor) -> Pair:
        """Bounds of linear wishes, `(batch, wishes, ...)`, about what stands in a place.

        Returns:
            Lowest and highest, `(batch, wishes)`.
        """
        with torch.no_grad():
            return self._back(place, wishes)

    def _narrow(self, place: int) -> None:
        """Bring the box of a place in by lines, where that can change what is known of a bend."""
        low, high = self.boxes[place]
        flat_low, flat_high = low.flatten(1).clone(), high.flatten(1).clone()
        open_ = ((flat_low < 0) & (flat_high > 0)).any(0).nonzero().flatten()
        if not 0 < len(open_) <= MOST:
            return
        widest = max(one[0][0].numel() for one in self.boxes.values())
        for some in open_.split(max(1, ROOM // (widest * len(low)))):
            wishes = torch.zeros(len(some), flat_low.shape[1], dtype=low.dtype)
            wishes[torch.arange(len(some)), some] = 1
            shaped = wishes.reshape(1, len(some), *low.shape[1:])
            lower, upper = self._back(place, shaped.expand(len(low), *shaped.shape[1:]))
            flat_low[:, some] = torch.maximum(flat_low[:, some], lower)
            flat_high[:, some] = torch.minimum(flat_high[:, some], upper)
        self.boxes[place] = flat_low.reshape(low.shape), flat_high.reshape(high.shape)

    def _back(self, place: int, wishes: torch.Tensor) -> Pair:
        waiting = {place: _Wish(wishes, wishes)}
        rest = _Wish(*[torch.zeros(wishes.shape[:2], dtype=wishes.dtype) for _ in range(2)])
        for cell in reversed(self.record.cells):
            wish = waiting.pop(cell.write, None)
            if wish is None:
                continue
            parts, constant = self._through(cell, wish)
            rest = rest.plus(constant)
            for source, part in zip(cell.reads, parts, strict=True):
                waiting[source] = waiting[source].plus(part) if source in waiting else part
        low, high = (one.flatten(1)[:, None] for one in self.boxes[0])  # (batch, 1, features)
        lower, upper = waiting[0].lower.flatten(2), waiting[0].upper.flatten(2)
        least = (lower.clamp_min(0) * low + lower.clamp_max(0) * high).sum(2)
        most = (upper.clamp_min(0) * high + upper.clamp_max(0) * low).sum(2)
        return rest.lower + least, rest.upper + most

    def _through(self, cell: Cell, wish: _Wish) -> tuple[list[_Wish], _Wish]:
        """Wishes about a layer's inputs, and the constants that are left over."""
        module = cell.module
        if isinstance(module, Add):
            nothing = wish.lower.flatten(2).sum(2) * 0
            return [wish] * len(cell.reads), _Wish(nothing, nothing)
        if isinstance(module, NOTHING):
            nothing = wish.lower.flatten(2).sum(2) * 0
            return [wish], _Wish(nothing, nothing)
        if cell.write in self._lines:
            part, constant = self._lines[cell.write].back(wish.lower, wish.upper)
        elif isinstance(module, nn.MaxPool2d):
            part, constant = pool_back(module, self.boxes[cell.reads[0]], wish.lower, wish.upper)
        else:
            shape = self.boxes[cell.reads[0]][0].shape[1:]
            lower = upper = _affine(module, wish.lower, shape)
            if wish.upper is not wish.lower:  # they part at the first bend
                upper = _affine(module, wish.upper, shape)
            part, constant = (lower[0], upper[0]), (lower[1], upper[1])
        return [_Wish(*part)], _Wish(*constant)


def _lines(cell: Cell, box: Pair) -> Lines:
    module = cell.module
    if isinstance(module, nn.LeakyReLU):
        return corner_lines(box, module.negative_slope)
    return corner_lines(box, 0.0) if isinstance(module, nn.ReLU) else round_lines(module, box)


def _affine(
    module: nn.Module, wishes: torch.Tensor, shape: torch.Size
) -> tuple[torch.Tensor, torch.Tensor]:
    """`A W` and `A b` of an affine layer `W x + b`: the transpose is the layer's own gradient."""
    batch, count = wishes.shape[:2]
    zero = torch.zeros(batch * count, *shape, dtype=wishes.dtype, requires_grad=True)
    with torch.enable_grad():
        out = module(zero)
    flat = wishes.reshape(batch * count, *wishes.shape[2:])
    (back,) = torch.autograd.grad(out, zero, flat)
    constant = (flat * out.detach()).flatten(1).sum(1)
    return back.reshape(batch, count, *shape), constant.reshape(batch, count)
