"""Recurrent networks with the batch first in everything, states included."""

from __future__ import annotations

import torch
from torch import nn

Tensor = torch.Tensor


class RNN(nn.RNN):
    """A plain recurrent network."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            nonlinearity,
            bias,
            batch_first=True,
            dropout=dropout,
            bidirectional=bidirectional,
        )

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, ...]:  # type: ignore[override]
        """`(batch, length, features)` and `(batch, layers, hidden)` to outputs and last state."""
        start = None if state is None else state.transpose(0, 1).contiguous()
        outputs, last = super().forward(x, start)
        return outputs, last.transpose(0, 1)


class GRU(nn.GRU):
    """Gated recurrent units."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first=True,
            dropout=dropout,
            bidirectional=bidirectional,
        )

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, ...]:  # type: ignore[override]
        """`(batch, length, features)` and `(batch, layers, hidden)` to outputs and last state."""
        start = None if state is None else state.transpose(0, 1).contiguous()
        outputs, last = super().forward(x, start)
        return outputs, last.transpose(0, 1)


class LSTM(nn.LSTM):
    """Long short-term memory."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first=True,
            dropout=dropout,
            bidirectional=bidirectional,
        )

    def forward(  # type: ignore[override]
        self, x: Tensor, state: Tensor | None = None, cell: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """`(batch, length, features)`, states `(batch, layers, hidden)`, to outputs and states."""
        start = None
        if state is not None:
            cell = torch.zeros_like(state) if cell is None else cell
            start = (state.transpose(0, 1).contiguous(), cell.transpose(0, 1).contiguous())
        outputs, (last, memory) = super().forward(x, start)
        return outputs, last.transpose(0, 1), memory.transpose(0, 1)
