"""Look into the state spaces of a trained model: what they let in, keep and forget."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor

from engine.attention.put import Table as Putting
from engine.attention.subject import Subject
from engine.forms import Choice, Pick, Slider, Text, Value
from engine.memory.state_space import Walk, mamba, memory_span, reach, s4d
from engine.memory.watch import instead, layers
from engine.models.kept import load
from engine.network.modules.state_space import S4D, Mamba
from engine.views import Curve, Frame, Matrix, Note, Tokens, View

SOURCES = ("sample", "typed")
SHOWN = ("step Δ", "kept exp(ΔA)", "state")
MOST_CHANNELS = 256


def study(
    model: str,
    *,
    source: Annotated[str, Choice(SOURCES, help="What to put in", live=True)] = "sample",
    sample: Annotated[
        int, Slider(0, 9999, live=True, help="Another sample", when="source=sample")
    ] = 0,
    text: Annotated[
        str, Text(2000, live=True, help="In the model's own words", when="source=typed")
    ] = "",
    which: Annotated[int, Slider(0, 31, live=True, help="A later state-space layer")] = 0,
    show: Annotated[
        Literal["step Δ", "kept exp(ΔA)", "state"],
        Choice(SHOWN, help="What is shown of every channel", live=True),
    ] = "step Δ",
    cell: Annotated[int, Pick(4_000_000, "channels", help="A channel at a place: click it")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Show a state space place by place; wait for a control to be turned.

    Args:
        model: The folder of a trained run.
        source: Whether a validation sample is read, or what was typed.
        sample: Its number.
        text: A text in the model's vocabulary.
        which: Number of the layer.
        show: What is shown of every channel.
        cell: `channel * length + place` of what is looked at.

    Yields:
        One frame, and a new one whenever a control was turned.
    """
    put = Putting(load(model))
    wish: dict[str, Any] = {
        "source": source,
        "sample": sample,
        "text": text,
        "which": which,
        "show": show,
        "cell": cell,
    }
    while True:
        changes = yield frame(put, **wish)
        wish.update(changes or {})


def walks(network: torch.nn.Module, inputs: Sequence[Tensor]) -> tuple[Tensor, dict[str, Walk]]:
    """The network's answer, and the way of each of its state spaces along one sample."""

    def written_out(layer: S4D | Mamba, given: Sequence[Tensor]) -> tuple[object, Walk]:
        walk = s4d(layer, *given) if isinstance(layer, S4D) else mamba(layer, *given)
        return walk.output, walk

    with torch.inference_mode(), instead(layers(network, S4D, Mamba), written_out) as seen:
        answer: Tensor = network(*inputs)
    return answer, seen


def frame(
    put: Putting, source: str, sample: int, text: str, which: int, show: str, cell: int
) -> Frame:
    """The frame of what was asked for."""
    try:
        subject = put.typed(text) if source == "typed" else put.sample(sample)
        _, seen = walks(put.kept.module, subject.inputs)
        if not seen:
            raise ValueError("this model has no state space")
    except (ValueError, LookupError) as error:
        note = Note(str(error), title="Cannot read this", tone="warning")
        return Frame(0, 1, {"note": note}, waits=True)
    name = list(seen)[min(which, len(seen) - 1)]
    walk = seen[name]
    words = _words(subject, len(walk.states))
    channel, place = divmod(cell, len(words))
    if cell == 0 or channel >= walk.states.shape[1]:
        channel, place = _liveliest(walk), len(words) - 1
    step = walk.parts["step Δ"]
    views: dict[str, View] = {
        "text": Tokens(
            words,
            _plain(step.mean(1) - step.mean()),
            title=f"{name}: blue tokens are let in more than others, orange ones less (mean Δ)",
        ),
        "channels": _channels(walk, show, words, (channel, place)),
        "reach": _reach(walk, channel, words),
        "state": _lines(walk.states[:, channel], words, f"state of channel {channel}"),
        "course": _course(walk),
    }
    for part in ("into B", "out C"):
        if part in walk.parts:
            title = f"{part}: made from what is read, one for all channels"
            views[part[-1]] = _lines(walk.parts[part], words, title)
    if "into B" not in walk.parts:
        views["note"] = Note(
            "This state space is the same at every place: Δ, B and C do not depend on what is "
            "read. Mamba's do: that is its selection.",
            title="S4D does not select",
        )
    return Frame(1, 1, views, _facts(walk, channel), waits=True)


def _words(subject: Subject, length: int) -> tuple[str, ...]:
    for stream in subject.streams:
        if len(stream.words) == length:
            return stream.words
    return tuple(map(str, range(length)))


def _plain(values: Tensor) -> np.ndarray:
    real = values.abs() if values.is_complex() else values
    return real.detach().numpy().astype(np.float64)


def _liveliest(walk: Walk) -> int:
    """The channel whose state moves most."""
    return int(walk.states.abs().var(0).mean(-1).argmax())


def _channels(walk: Walk, show: str, words: Sequence[str], at: tuple[int, int]) -> Matrix:
    values = {
        "step Δ": walk.parts["step Δ"],
        "kept exp(ΔA)": walk.kept.abs().mean(-1),
        "state": walk.states.abs().square().sum(-1).sqrt(),
    }[show]
    what = {
        "step Δ": "step Δ: how far each channel moves at each token",
        "kept exp(ΔA)": "kept: which part of its state each channel keeps at each token",
        "state": "length of each channel's state",
    }[show]
    table = _plain(values).T[:MOST_CHANNELS]
    return Matrix(
        table,
        tuple(map(str, range(len(table)))),
        tuple(words),
        xlabel="place",
        ylabel="channel",
        highlight=(at,) if at[0] < len(table) else (),
        title=f"{what} (click one)",
    )


def _reach(walk: Walk, channel: int, words: Sequence[str]) -> Matrix:
    return Matrix(
        _plain(reach(walk, channel)),
        tuple(words),
        tuple(words),
        xlabel="what was read",
        ylabel="what is said here",
        scale="signed",
        title=f"what channel {channel} still holds of each earlier token",
    )


def _lines(values: Tensor, words: Sequence[str], title: str) -> Matrix:
    table = _plain(values).T
    return Matrix(
        table,
        tuple(map(str, range(len(table)))),
        tuple(words),
        xlabel="place",
        ylabel="number of the state",
        scale="sequential" if values.is_complex() else "signed",
        title=title + (" (size)" if values.is_complex() else ""),
    )


def _course(walk: Walk) -> Curve:
    length = len(walk.states)
    flow = walk.let_in.abs().square().flatten(1).sum(1).sqrt()
    size = walk.states.abs().square().flatten(1).sum(1).sqrt()
    return Curve(
        np.arange(length, dtype=np.float64),
        {"length of the state": _plain(size), "length of what is let in": _plain(flow)},
        xlabel="place",
        title="the state, and what each token adds to it",
    )


def _facts(walk: Walk, channel: int) -> dict[str, float]:
    step = walk.parts["step Δ"]
    return {
        "half of the state forgotten after [places]": float(memory_span(walk).median()),
        "channel": float(channel),
        "numbers in the state": float(walk.states[0].numel()),
        "Δ, largest over smallest of a channel": float(
            (step.amax(0) / step.amin(0).clamp_min(1e-9)).median()
        ),
    }
