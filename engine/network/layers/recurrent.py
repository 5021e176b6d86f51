"""Recurrent layers: a state carried along a sequence."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine.network.registry import Layer, follows, limited


class _Recurrent(Layer):
    category = "Recurrent"
    home = "recurrent"
    inputs: ClassVar[tuple[int, int | None]] = (1, 2)
    axes = ("length", "features")
    recurs = True

    input_size: int | None = follows(-1, "Features that come in; found from the input")
    hidden_size: int = limited(high=100_000, help="Numbers of the state", begin=32)
    num_layers: int = limited(1, 1, 64, "How many are stacked")
    bias: bool = True
    dropout: float = limited(0.0, 0.0, 1.0, "Dropped between stacked layers")
    bidirectional: bool = False


class RNN(_Recurrent):
    """Carries a state along a sequence; gives all its outputs and its last state.

    Source: Elman (1990), Finding structure in time.
    """

    nonlinearity: Literal["tanh", "relu"] = "tanh"


class LSTM(_Recurrent):
    """Carries a state and a guarded memory along a sequence; gives outputs, state and memory.

    Source: Hochreiter & Schmidhuber (1997), Long short-term memory.
    """

    inputs = (1, 3)


class GRU(_Recurrent):
    """Carries a gated state along a sequence; gives all its outputs and its last state.

    Source: Cho et al. (2014), Learning phrase representations using RNN encoder-decoder.
    """
