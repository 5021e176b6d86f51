"""What layers of attention come to when they are taken together."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch

from engine.attention import flow as adding
from engine.attention.gradient import relevance, self_attentions, weighed
from engine.attention.lens import lens as through_lens
from engine.attention.lens import stream
from engine.attention.methods import methods
from engine.attention.methods.seeing import names, sight
from engine.attention.subject import Subject
from engine.attention.watch import Seen
from engine.forms import Slider
from engine.views import Array

Fuse = Literal["mean", "max", "min"]
Residual = Annotated[float, Slider(0.0, 0.95, help="More goes around each layer")]
Place = Annotated[int, Slider(-1, 4095, help="Whose answer is looked at; -1 is the last place")]


@methods.add("rollout")
def rollout(subject: Subject, fuse: Fuse = "mean", residual: Residual = 0.5) -> dict[str, Array]:
    """How much of each first token there is in each place after every layer.

    Source: Abnar & Zuidema (2020), Quantifying attention flow in transformers.
    """
    layers = _stack(subject)
    found = adding.rollout([layer.weights[0].numpy() for layer in layers], fuse, residual)
    return {"rollout": np.stack(found), "layers": names(layers)}


@methods.add("flow")
def flow(
    subject: Subject, place: Place = -1, fuse: Fuse = "mean", residual: Residual = 0.5
) -> dict[str, Array]:
    """The most that can flow from a place of the last layer to each first token.

    Source: Abnar & Zuidema (2020), Quantifying attention flow in transformers.
    """
    layers = _stack(subject)
    n = layers[0].weights.shape[-1]
    found = adding.flow(
        [layer.weights[0].numpy() for layer in layers], at(place, n), fuse, residual
    )
    return {"flow": found, "layers": names(layers)}


@methods.add("gradient")
def gradient(
    subject: Subject,
    place: Place = -1,
    target: Annotated[int, Slider(-1, 1_000_000, help="The output meant; -1 is the largest")] = -1,
) -> dict[str, Array]:
    """Attention times the slope of an output by it, and what each token gains by it in all.

    Source: Chefer, Gur & Wolf (2021), Generic attention-model explainability.
    """
    answer = sight(subject).answer
    row = answer[0] if answer.ndim == 2 else answer[0, at(place, answer.shape[1])]
    output = int(row.argmax()) if target < 0 else target
    if output >= len(row):
        raise ValueError(f"gradient: target must be an output 0 to {len(row) - 1}; got {output}")
    seen, found = weighed(subject, at(place, answer.shape[1]), output)
    own = self_attentions(seen.layers)
    arrays = {f"weighed_{number}": one[0].numpy() for number, one in enumerate(found)}
    shapes = {one.shape for one in found}
    if len(shapes) == 1:
        arrays = {"weighed": torch.stack([one[0] for one in found]).numpy()}
    if own:
        n = found[own[0]].shape[-1]
        arrays["relevance"] = relevance(
            [found[i][0] for i in own], answering(answer, place, n)
        ).numpy()
    return arrays | {"layers": names(seen.layers), "output": np.array(output)}


@methods.add("lens")
def lens(subject: Subject) -> dict[str, Array]:
    """What the network would answer if it ended after each of its layers: the logit lens.

    Source: nostalgebraist (2020), Interpreting GPT: the logit lens.
    """
    points = stream(subject.module, sight(subject).layers)
    logits, kept = through_lens(subject.module, subject.inputs, points)
    return {"logits": logits.numpy(), "points": np.array(kept)}


def at(place: int, length: int) -> int:
    """A place counted from the end where it is negative, never outside."""
    return max(0, min(length - 1, place if place >= 0 else length + place))


def answering(answer: torch.Tensor, place: int, n: int) -> int:
    """The place of the last layer that the answer is read from, as far as one can tell.

    A network with one answer reads its first token, the class token, or all of them.
    """
    return at(place, n) if answer.ndim == 3 else 0


def _stack(subject: Subject) -> list[Seen]:
    layers = sight(subject).layers
    own = self_attentions(layers)
    if not own:
        raise ValueError(
            "rollout and flow: need layers of self-attention; this network has cross-attention only"
        )
    return [layers[number] for number in own]
