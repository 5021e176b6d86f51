"""What a recurrent network or a state space carries along one sequence, while it learns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from engine.memory.cells import Pass
from engine.memory.spaces import walks
from engine.memory.state_space import Walk
from engine.memory.watch import layers, passes, recurrent
from engine.network.modules.state_space import S4D, Mamba
from engine.training.panels import Memory, panels
from engine.training.session import Session
from engine.views import Matrix, Scale, View

MOST_PLACES = 160  # columns; more cannot be told apart
MOST_UNITS = 48
SHARE = 0.05  # of the time: a walk place by place takes far longer than the layer itself


@panels.add("states", place=2.1, shown=True, share=SHARE)
def states(session: Session, memory: Memory) -> View | None:
    """The state of every unit of the first recurrent layer along one validation sample."""
    del memory
    found = _passes(session)
    if not found:
        return None
    name, one = found[0]
    return _drawn(one.parts["state h"], session, "unit", f"{name}: state of every unit", "signed")


@panels.add("gates", place=2.2, shown=True, share=SHARE)
def gates(session: Session, memory: Memory) -> View | None:
    """How far each gate is open along that sample, the mean over units; 1 is wide open.

    Source: Karpathy, Johnson & Fei-Fei (2016), Visualizing and understanding recurrent networks.
    """
    del memory
    found = _passes(session)
    rows = {
        f"{name}: {part}" if len(found) > 1 else part: values.detach().mean(1)
        for name, one in found
        for part, values in one.parts.items()
        if "gate" in part
    }
    if not rows:  # a plain RNN has none
        return None
    # an encoder and its decoder go along texts of two lengths: the shorter row ends in nothing
    padded = pad_sequence(list(rows.values()), padding_value=float("nan"))
    drawn = _drawn(padded, session, "", "", "sequential")
    return replace(drawn, rows=tuple(rows), title="how far gates are open, mean over units")


@panels.add("spaces", place=2.3, shown=True, share=SHARE)
def spaces(session: Session, memory: Memory) -> View | None:
    """The size of each channel's state in the first state space along one validation sample."""
    del memory
    found = _walks(session)
    if not found:
        return None
    name, walk = next(iter(found.items()))
    sizes = walk.states.abs().square().sum(-1).sqrt()
    return _drawn(sizes, session, "channel", f"{name}: size of each channel's state", "sequential")


@panels.add("selection", place=2.4, shown=True, share=SHARE)
def selection(session: Session, memory: Memory) -> View | None:
    """Mamba's step Δ at each place: where it is large a token is let in, where small passed over.

    Source: Gu & Dao (2023), Mamba: linear-time sequence modeling with selective state spaces.
    """
    del memory
    chosen = {name: walk for name, walk in _walks(session).items() if "into B" in walk.parts}
    if not chosen:
        return None
    name, walk = next(iter(chosen.items()))
    title = f"{name}: step Δ, large where a token is let in"
    return _drawn(walk.parts["step Δ"], session, "channel", title, "sequential")


def _passes(session: Session) -> list[tuple[str, Pass]]:
    """Each recurrent layer's way along the first validation sample, stacked ones apart."""
    if not recurrent(session.module):
        return []
    with _answering(session) as inputs:
        _, seen = passes(session.module, inputs)
    return [(f"{name}, {one.name}", one) for name, ways in seen.items() for one in ways]


def _walks(session: Session) -> dict[str, Walk]:
    """Each state space's way along the first validation sample."""
    if not layers(session.module, S4D, Mamba):
        return {}
    with _answering(session) as inputs:
        return walks(session.module, inputs)[1]


@contextmanager
def _answering(session: Session) -> Iterator[tuple[Tensor, ...]]:
    """The first validation sample as the network takes it, which meanwhile does not learn."""
    session.module.eval()
    yield session.data.inputs(session.data.valid_x[:1])
    session.module.train()


def _drawn(values: Tensor, session: Session, ylabel: str, title: str, scale: Scale) -> Matrix:
    """Units or channels as rows, places as columns: `(length, units)` turned."""
    step = -(-len(values) // MOST_PLACES)
    table = values[::step, :MOST_UNITS].detach().T.numpy().astype(np.float64)
    return Matrix(
        table,
        tuple(map(str, range(len(table)))),
        _words(session, len(values), step),
        xlabel="place",
        ylabel=ylabel,
        scale=scale,
        title=title,
    )


def _words(session: Session, length: int, step: int = 1) -> tuple[str, ...]:
    """What the places are called: by the tokens of the input of that length, else by number."""
    words = session.data.vocabulary
    for one in session.data.inputs(session.data.valid_x[:1]):
        if words and one.shape[1] == length:
            return tuple(words[int(token)] for token in one[0, ::step])
    return tuple(map(str, range(0, length, step)))
