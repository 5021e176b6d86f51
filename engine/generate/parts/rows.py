"""Recurrent networks over an image that see only pixels that come before."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from engine.generate.parts.masked import Masked


class RowLSTM(nn.Module):
    """An LSTM that reads the rows from top to bottom, all columns at once.

    What a pixel remembers comes from the three pixels above it, so it sees a triangle above, and of
    its own row what the masked kernel reaches.

    Source: van den Oord, Kalchbrenner & Kavukcuoglu (2016), Pixel Recurrent Neural Networks.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.read = Masked(width, 4 * width, (1, 3), sees="left")
        self.remember = nn.Conv1d(width, 4 * width, 3, padding=1)

    def forward(self, x: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        """`(n, width, rows, columns)` -> what is remembered at every pixel, like x."""
        del image
        read = self.read(x)
        hidden = cell = torch.zeros_like(x[:, :, 0])
        rows = []
        for row in range(x.shape[2]):
            hidden, cell = step(read[:, :, row] + self.remember(hidden), cell)
            rows.append(hidden)
        return torch.stack(rows, 2)


class DiagonalLSTM(nn.Module):
    """Two LSTMs that read diagonal after diagonal, from the top left and from the top right.

    The image is skewed, so that a diagonal is a column; a pixel's two neighbours on the diagonal
    before, the one above and the one beside, then stand in one column. The one from the right is
    moved down a row, or it would see what comes later. Because it is, it may read the image itself:
    else the last pixel of the row above would be seen by nobody. So every pixel before is seen.

    Source: van den Oord, Kalchbrenner & Kavukcuoglu (2016), Pixel Recurrent Neural Networks.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.left, self.right = _Diagonal(width, width), _Diagonal(width + 1, width)

    def forward(self, x: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        """`(n, width, rows, columns)` -> what both remember at every pixel, like x."""
        left: torch.Tensor = self.left(x)
        right = self.right(torch.cat([x, image], 1).flip(3)).flip(3)
        return left + functional.pad(right, (0, 0, 1, 0))[:, :, :-1]


class _Diagonal(nn.Module):
    def __init__(self, takes: int, width: int) -> None:
        super().__init__()
        self.read = nn.Conv2d(takes, 4 * width, 1)
        self.remember = nn.Conv1d(width, 4 * width, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        read = skew(self.read(x))  # (n, 4 * width, rows, rows + columns - 1)
        hidden = cell = torch.zeros_like(read[:, : read.shape[1] // 4, :, 0])
        columns = []
        for column in range(read.shape[3]):
            before = self.remember(functional.pad(hidden, (1, 0)))  # the row above, and the own
            hidden, cell = step(read[:, :, :, column] + before, cell)
            columns.append(hidden)
        return unskew(torch.stack(columns, 3), x.shape[3])


def step(gates: torch.Tensor, cell: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """One step of an LSTM from the sums of its four gates, `(n, 4 * width, places)`.

    Source: Hochreiter & Schmidhuber (1997), Long Short-Term Memory.
    """
    into, forget, out, new = gates.chunk(4, 1)
    cell = forget.sigmoid() * cell + into.sigmoid() * new.tanh()
    return out.sigmoid() * cell.tanh(), cell


def skew(x: torch.Tensor) -> torch.Tensor:
    """Row r moved r places to the right: `(..., rows, columns)` -> `(..., rows, rows+columns-1)`.

    Every row with `rows` zeros behind it, read on end and cut one shorter, is just that.
    """
    *more, rows, columns = x.shape
    whole = functional.pad(x, (0, rows)).flatten(-2)
    return whole[..., : rows * (rows + columns - 1)].reshape(*more, rows, rows + columns - 1)


def unskew(x: torch.Tensor, columns: int) -> torch.Tensor:
    """What `skew` was given."""
    *more, rows, long = x.shape
    whole = functional.pad(x.flatten(-2), (0, rows))
    return whole.reshape(*more, rows, long + 1)[..., :columns]


class Recurrent(nn.Module):
    """A masked convolution, recurrent layers, and the odds of every level."""

    def __init__(
        self,
        gives: int,
        *,
        width: int,
        depth: int,
        first: int,
        diagonal: bool,
    ) -> None:
        super().__init__()
        self.begin = Masked(1, width, (first, first), own=False)
        kind = DiagonalLSTM if diagonal else RowLSTM
        self.layers = nn.ModuleList(kind(width) for _ in range(depth))
        self.end = nn.Sequential(
            nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, gives, 1)
        )
        self.reach = None  # a memory has no edge

    def forward(self, x: torch.Tensor, told: torch.Tensor | None = None) -> torch.Tensor:
        """Images `(n, 1, rows, columns)` -> `(n, gives, rows, columns)`."""
        del told
        hidden = self.begin(x)
        for layer in self.layers:
            hidden = hidden + layer(hidden, x)
        end: torch.Tensor = self.end(hidden)
        return end
