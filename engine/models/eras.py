"""Eight dates of the field as miniature networks for digits of 8 x 8 pixels.

Source: Rosenblatt (1958); Minsky & Papert (1969); Rumelhart et al. (1986); LeCun et al. (1989,
1998); Krizhevsky et al. (2012); He et al. (2015); Vaswani et al. (2017).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

IDEAS = {
    1958: "perceptron",
    1969: "XOR: no line",
    1986: "back-propagation",
    1989: "shared weights",
    1998: "LeNet, pooling",
    2012: "ReLU, dropout",
    2015: "shortcuts",
    2017: "attention",
}
"""Year -> what was new."""


def network(year: int) -> nn.Sequential:
    """That date's idea in small: images `(n, 1, 8, 8)` to scores `(n, 10)`.

    Raises:
        LookupError: No network is of that date.
    """
    return nn.Sequential(*_layers(year))


def _layers(year: int) -> list[nn.Module]:
    match year:
        case 1958:
            return [nn.Flatten(), nn.Linear(64, 10)]
        case 1986:
            return _read(64, 40, nn.Sigmoid())
        case 1989:
            early = [_conv(1, 12, 2), nn.Tanh(), _conv(12, 12, 2), nn.Tanh()]
            return early + _read(48, 30, nn.Tanh())
        case 1998:
            early = [_conv(1, 6), nn.Tanh(), nn.AvgPool2d(2), _conv(6, 16), nn.Tanh()]
            return [*early, nn.AvgPool2d(2), *_read(64, 48, nn.Tanh())]
        case 2012:
            early = [_conv(1, 16), nn.ReLU(), nn.MaxPool2d(2), _conv(16, 32), nn.ReLU()]
            return [*early, nn.MaxPool2d(2), nn.Dropout(0.3), *_read(128, 64, nn.ReLU())]
        case 2015:
            deep = [Shortcut(8), Shortcut(8), nn.MaxPool2d(2), Shortcut(8)]
            return [_conv(1, 8), nn.ReLU(), *deep, nn.Flatten(), nn.Linear(128, 10)]
        case 2017:
            return [Attention()]
    raise LookupError(f"no network of {year}; there are {', '.join(map(str, IDEAS))} but 1969")


def _conv(before: int, width: int, stride: int = 1) -> nn.Module:
    return nn.Conv2d(before, width, 3, stride=stride, padding=1)


def _read(inputs: int, hidden: int, bend: nn.Module) -> list[nn.Module]:
    return [nn.Flatten(), nn.Linear(inputs, hidden), bend, nn.Linear(hidden, 10)]


class Shortcut(nn.Module):
    """`x + f(x)`, with two normalised convolutions as f."""

    def __init__(self, width: int) -> None:
        super().__init__()
        first, second = ([_conv(width, width), nn.BatchNorm2d(width)] for _ in range(2))
        self.f = nn.Sequential(*first, nn.ReLU(), *second)

    def forward(self, x: Tensor) -> Tensor:
        """`(n, width, rows, columns)` to the same."""
        return torch.relu(x + self.f(x))


class Attention(nn.Module):
    """Sixteen patches of 2 x 2 pixels; each gathers from all, weighted by how well they match."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.place = nn.Linear(4, 32), nn.Parameter(0.1 * torch.randn(16, 32))
        self.mix, self.scores = nn.Linear(32, 96), nn.Linear(16 * 32, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Images `(n, 1, 8, 8)` to scores `(n, 10)`."""
        h = self.embed(nn.functional.unfold(x, 2, stride=2).mT) + self.place  # (n, 16, 32)
        q, k, v = self.mix(h).chunk(3, dim=-1)
        h = h + torch.softmax(q @ k.mT / 32**0.5, dim=-1) @ v
        out: Tensor = self.scores(torch.relu(h).flatten(1))
        return out
