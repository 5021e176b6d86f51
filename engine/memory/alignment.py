"""Where a translator looks while it writes: the weights over the source, one word after another.

Source: Bahdanau, Cho & Bengio (2014), Neural machine translation by jointly learning to align and
translate; Luong, Pham & Manning (2015), Effective approaches to attention-based translation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from engine.network.modules.attention import AdditiveAttention, DotAttention, MultiheadAttention


@dataclass(frozen=True)
class Said:
    """One word of the translation.

    Attributes:
        token: Which was said.
        scores: Of every word, `(tokens,)`.
        weights: Layer -> where it looked for this word, `(source places,)`, adding up to 1.
    """

    token: int
    scores: Tensor
    weights: dict[str, Tensor]


@contextmanager
def alignments(network: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """While this holds, a run puts down where each layer looks: name -> `(1, n, m)` one by one.

    What looks from one sequence at another counts, not what looks at itself: layers of Bahdanau's
    and Luong's kind, and torch's multi-head attention, whose heads are averaged.
    """
    found: dict[str, list[Tensor]] = {}
    hooks = []
    silent = [
        part
        for part in network.modules()
        if isinstance(part, MultiheadAttention) and not part.weights
    ]
    for part in silent:
        part.weights = True  # it gives its weights only when asked for them
    for name, part in network.named_modules():
        if isinstance(part, AdditiveAttention | DotAttention | nn.MultiheadAttention):
            hooks.append(part.register_forward_pre_hook(_ask, with_kwargs=True))
            hooks.append(part.register_forward_hook(_note(found, name), with_kwargs=True))
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()
        for part in silent:
            part.weights = False


def _ask(layer: nn.Module, given: Any, words: dict[str, Any]) -> Any:
    """Torch's decoder leaves the weights out unless it is asked for them."""
    if type(layer) is nn.MultiheadAttention:
        return given, {**words, "need_weights": True}
    return None


def _note(found: dict[str, list[Tensor]], name: str) -> Any:
    def note(layer: nn.Module, given: Any, words: dict[str, Any], out: Any) -> None:
        del layer
        read = [one for one in given if one.dtype != torch.bool]  # without padding masks
        key = read[1] if len(read) > 1 else words.get("key", read[0])
        if isinstance(out, tuple) and key is not read[0] and out[1] is not None:
            found.setdefault(name, []).append(out[1].detach())

    return note


def look(network: nn.Module, inputs: Sequence[Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """The network's answer, and where each layer looks: `(places written, places read)`."""
    with torch.inference_mode(), alignments(network) as found:
        answer: Tensor = network(*inputs)
    return answer, {name: torch.cat(parts, 1)[0] for name, parts in found.items()}


def say(
    network: nn.Module,
    source: Tensor,
    begin: int,
    *,
    most: int,
    end: int | None = None,
    told: Sequence[int] = (),
) -> Iterator[Said]:
    """Translate word by word, the likeliest each time.

    Args:
        network: In eval mode, with source and target as inputs.
        source: `(1, length)`.
        begin: The token the translation begins with.
        most: How many words at most.
        end: The token that ends it.
        told: The right words: where given, they are written on instead of the network's own.
    """
    text = [begin]
    for place in range(len(told) or most):
        answer, maps = look(network, (source, torch.tensor([text])))
        scores = answer[0, -1]
        token = int(scores.argmax())
        weights = {
            name: rows[-1] for name, rows in maps.items() if rows.shape[1] == source.shape[1]
        }
        yield Said(token, scores, weights)
        text.append(told[place] if told else token)
        if token == end and not told:
            return


def entropy(weights: Tensor) -> float:
    """How spread out a look is [bit]: 0 for one word, log2(n) for all alike."""
    sure = weights.clamp_min(1e-12)
    return float(-(weights * sure.log2()).sum())
