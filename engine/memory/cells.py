"""Recurrent layers written out, so that every gate can be seen.

Each function computes what torch's own layer computes, with the layer's own weights, place by
place, and keeps all that is inside. `σ` is the logistic function, `⊙` the product of numbers one
by one; `W`, `b` act on what is read, `U`, `c` on the state before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.network.modules.recurrent import GRU, LSTM, RNN

Recurrent = RNN | GRU | LSTM
Weights = tuple[Tensor, Tensor, Tensor, Tensor]  # W, U, b, c


@dataclass(frozen=True)
class Pass:
    """One layer's way along a sequence in one direction.

    Attributes:
        number: Which of the stacked layers.
        backward: Whether it read from the end.
        parts: Name of a gate or state -> its values, `(length, hidden)`, in the order of the text.
        states: The state at each place, as tensors of their own so that gradients can be asked for.
    """

    number: int
    backward: bool
    parts: Mapping[str, Tensor]
    states: tuple[Tensor, ...]

    @property
    def name(self) -> str:
        """What it is called: `layer 1`, `layer 2, backward`."""
        return f"layer {self.number + 1}" + (", backward" if self.backward else "")


def rnn(x: Tensor, h: Tensor, weights: Weights, bend: str) -> dict[str, Tensor]:
    """`h ← f(W x + b + U h + c)` with `f` the tangent or ReLU.

    Source: Elman (1990), Finding structure in time.
    """
    W, U, b, c = weights
    total = W @ x + b + U @ h + c
    return {"state h": torch.tanh(total) if bend == "tanh" else torch.relu(total)}


def lstm(x: Tensor, h: Tensor, memory: Tensor, weights: Weights) -> dict[str, Tensor]:
    """`i, f, o = σ(...)`, `g = tanh(...)`, `c ← f ⊙ c + i ⊙ g`, `h ← o ⊙ tanh(c)`.

    Source: Hochreiter & Schmidhuber (1997), Long short-term memory; Gers et al. (2000), Learning
    to forget.
    """
    W, U, b, c = weights
    i, f, g, o = (W @ x + b + U @ h + c).chunk(4)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    memory = f * memory + i * g
    return {
        "input gate i": i,
        "forget gate f": f,
        "candidate g": g,
        "output gate o": o,
        "memory c": memory,
        "state h": o * memory.tanh(),
    }


def gru(x: Tensor, h: Tensor, weights: Weights) -> dict[str, Tensor]:
    """`r, z = σ(...)`, `n = tanh(W x + b + r ⊙ (U h + c))`, `h ← (1 - z) ⊙ n + z ⊙ h`.

    Source: Cho et al. (2014), Learning phrase representations using RNN encoder-decoder.
    """
    W, U, b, c = weights
    (read_r, read_z, read_n), (held_r, held_z, held_n) = (W @ x + b).chunk(3), (U @ h + c).chunk(3)
    r, z = (read_r + held_r).sigmoid(), (read_z + held_z).sigmoid()
    n = torch.tanh(read_n + r * held_n)
    return {
        "reset gate r": r,
        "update gate z": z,
        "candidate n": n,
        "state h": (1 - z) * n + z * h,
    }


def unroll(
    layer: Recurrent, x: Tensor, state: Tensor | None = None, memory: Tensor | None = None
) -> tuple[tuple[Tensor, ...], list[Pass]]:
    """What the layer gives, and all that goes on inside.

    Args:
        layer: In eval mode.
        x: One sequence, `(1, length, features)`.
        state: The state to begin with, `(1, layers * directions, hidden)`; zeros if None.
        memory: Likewise the memory of an LSTM.

    Returns:
        The layer's own outputs, and a pass for each stacked layer and direction.
    """
    signal, passes, ends = x[0], list[Pass](), list[dict[str, Tensor]]()
    directions = 2 if layer.bidirectional else 1
    for number in range(layer.num_layers):
        sides = []
        for side in range(directions):
            index = number * directions + side
            begin = [_begin(layer, given, index, x) for given in (state, memory)]
            order = range(len(signal)) if side == 0 else range(len(signal) - 1, -1, -1)
            found = _walk(layer, signal, begin, _weights(layer, number, side, x), order)
            ends.append(found[order[-1]])
            passes.append(_pass(number, side, found))
            sides.append(torch.stack([one["state h"] for one in found]))
        signal = torch.cat(sides, -1)  # (length, directions * hidden)
    names = ("state h", "memory c") if isinstance(layer, LSTM) else ("state h",)
    last = [torch.stack([end[name] for end in ends])[None] for name in names]
    return (signal[None], *last), passes


def _walk(
    layer: Recurrent, x: Tensor, begin: list[Tensor], weights: Weights, order: range
) -> list[dict[str, Tensor]]:
    """The parts at each place, in the order of the text."""
    h, memory = begin
    found: list[dict[str, Tensor]] = [{}] * len(x)
    for place in order:
        if isinstance(layer, LSTM):
            parts = lstm(x[place], h, memory, weights)
            memory = parts["memory c"]
        elif isinstance(layer, GRU):
            parts = gru(x[place], h, weights)
        else:
            parts = rnn(x[place], h, weights, str(layer.nonlinearity))
        h = parts["state h"]
        found[place] = parts
    return found


def _pass(number: int, side: int, found: list[dict[str, Tensor]]) -> Pass:
    parts = {name: torch.stack([one[name] for one in found]) for name in found[0]}
    return Pass(number, side == 1, parts, tuple(one["state h"] for one in found))


def _begin(layer: Recurrent, given: Tensor | None, index: int, like: Tensor) -> Tensor:
    return like.new_zeros(layer.hidden_size) if given is None else given[0, index]


def _weights(layer: Recurrent, number: int, side: int, like: Tensor) -> Weights:
    end = f"l{number}" + ("_reverse" if side else "")
    W, U = getattr(layer, f"weight_ih_{end}"), getattr(layer, f"weight_hh_{end}")
    if not layer.bias:
        none = like.new_zeros(len(W))
        return W, U, none, none
    return W, U, getattr(layer, f"bias_ih_{end}"), getattr(layer, f"bias_hh_{end}")


def openness(one: Pass) -> dict[str, float]:
    """How far each gate of a pass is open on average, in [0, 1]."""
    return {
        name: float(values.detach().mean()) for name, values in one.parts.items() if "gate" in name
    }


def saturation(values: Tensor) -> tuple[float, float]:
    """Which part of a gate's values is nearly shut (below 0.1), and nearly open (above 0.9)."""
    return float((values < 0.1).float().mean()), float((values > 0.9).float().mean())
