"""Attention weighed by what the answer makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from engine.attention.subject import Subject
from engine.attention.watch import Seen, Sight, look

Tensor = torch.Tensor


def weighed(subject: Subject, place: int, output: int) -> tuple[Sight, list[Tensor]]:
    """For every layer its weights times the slope of one output by them, `(batch, heads, n, m)`.

    Where it is positive, attention speaks for the output; where it is negative, against it.

    Args:
        subject: A model and what it sees.
        place: Whose answer is meant; networks with one answer ignore it.
        output: Which output.

    Source: Barkan et al. (2021), Grad-SAM: explaining transformers via gradient
    self-attention maps.
    """
    with torch.enable_grad():
        tracked = [_tracked(one) for one in subject.inputs]
        sight = look(subject.module, tracked)
        score = _score(sight.answer, place, output)
        weights = [layer.weights for layer in sight.layers]
        slopes: Sequence[Tensor | None] = (None,) * len(weights)
        if weights and score.requires_grad:
            slopes = torch.autograd.grad(score, weights, allow_unused=True)
    found = [
        torch.zeros_like(one) if slope is None else (one * slope).detach()
        for one, slope in zip(weights, slopes, strict=True)
    ]
    return sight, found


def relevance(layers: Sequence[Tensor], place: int) -> Tensor:
    """How much each first token matters for the answer at a place, `(n,)`.

    What speaks for it is averaged over heads, `Ā = mean (A ∘ ∂y/∂A)⁺`, and gathered on the way up:
    `R ← R + Ā R`, beginning with `R = I`.

    Args:
        layers: A stack of self-attentions' weights times slopes, `(heads, n, n)` each.
        place: Where the answer stands.

    Source: Chefer, Gur & Wolf (2021), Generic attention-model explainability.
    """
    total = torch.eye(layers[0].shape[-1], dtype=layers[0].dtype)
    for layer in layers:
        total = total + layer.clamp_min(0).mean(0) @ total
    row = total[place].clone()
    row[place] -= 1  # that it is itself says nothing
    return row


def self_attentions(layers: Sequence[Seen], like: Seen | None = None) -> list[int]:
    """Numbers of the self-attentions that lie on each other, with `like` or else the last one."""
    own = [number for number, layer in enumerate(layers) if layer.kind != "cross"]
    if not own:
        return []
    last = layers[own[-1]] if like is None or like.kind == "cross" else like
    fitting = (last.kind, last.weights.shape[-1])
    return [n for n in own if (layers[n].kind, layers[n].weights.shape[-1]) == fitting]


def _tracked(x: Tensor) -> Tensor:
    """With an input that asks for slopes the weights do too, even if no parameter does."""
    return x.detach().requires_grad_() if x.is_floating_point() else x


def _score(answer: Tensor, place: int, output: int) -> Tensor:
    return answer[0, output] if answer.ndim == 2 else answer[0, place, output]
