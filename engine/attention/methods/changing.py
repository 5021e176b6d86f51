"""What becomes of the answer when something inside is changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import numpy as np

from engine.attention.edits import PATTERNS, ablate, fix, hide, pattern_of
from engine.attention.methods import methods
from engine.attention.methods.seeing import names, sight
from engine.attention.subject import Subject
from engine.attention.watch import Edit, Seen
from engine.forms import Choice, Slider, Text
from engine.views import Array

_HEAD = re.compile(r"(\d+)(?:\.(\d+))?")


@methods.add("ablate")
def ablation(
    subject: Subject,
    heads: Annotated[
        str, Text(2000, help="Which: 0.1 1.3 (layer.head), 0 (a layer), or all")
    ] = "all",
) -> dict[str, Array]:
    """Heads hand on nothing: what is left goes around them.

    Source: Michel, Levy & Neubig (2019), Are sixteen heads really better than one?
    """
    seen = sight(subject)
    edits = [ablate(seen.layers[layer].name, which) for layer, which in chosen(heads, seen.layers)]
    return _before_and_after(subject, edits, seen.layers)


@methods.add("fix")
def fixed(
    subject: Subject,
    heads: Annotated[
        str, Text(2000, help="Which: 0.1 1.3 (layer.head), 0 (a layer), or all")
    ] = "all",
    pattern: Annotated[str, Choice(PATTERNS, help="Where they look instead")] = "uniform",
) -> dict[str, Array]:
    """Heads look by a rule, whatever comes in.

    Source: Raganato, Scherrer & Tiedemann (2020), Fixed encoder self-attention patterns.
    """
    seen = sight(subject)
    rule = pattern_of(pattern)
    edits = [fix(seen.layers[i].name, which, rule) for i, which in chosen(heads, seen.layers)]
    return _before_and_after(subject, edits, seen.layers)


@methods.add("hide")
def hidden(
    subject: Subject,
    place: Annotated[int, Slider(0, 4095, help="Another place")] = 0,
) -> dict[str, Array]:
    """Nobody may look at a place.

    Source: Kobayashi et al. (2020), Attention is not only a weight.
    """
    seen = sight(subject)
    length = seen.layers[0].weights.shape[-1]
    if place >= length:
        raise ValueError(f"hide: place must be 0 to {length - 1}; got {place}")
    return _before_and_after(subject, [hide([place], length)], seen.layers)


def chosen(text: str, layers: Sequence[Seen]) -> list[tuple[int, list[int] | None]]:
    """Heads as people write them: `0.1 1.3`, whole layers `0 2`, or `all`; layer -> heads.

    Raises:
        ValueError: There is no such layer or head.
    """
    if text.strip() in ("all", "*"):
        return [(number, None) for number in range(len(layers))]
    found: dict[int, list[int] | None] = {}
    for word in text.replace(",", " ").split():
        match = _HEAD.fullmatch(word)
        if match is None:
            raise ValueError(f"heads: are written layer.head, as 0.1 1.3, or all; got {word!r:.40}")
        layer, head = int(match[1]), None if match[2] is None else int(match[2])
        if layer >= len(layers):
            raise ValueError(f"heads: there are layers 0 to {len(layers) - 1}; got {layer}")
        if head is not None and head >= layers[layer].heads:
            most = layers[layer].heads - 1
            raise ValueError(f"heads: layer {layer} has heads 0 to {most}; got {head}")
        before = found.get(layer, [])
        found[layer] = None if head is None or before is None else [*before, head]
    return list(found.items())


def _before_and_after(
    subject: Subject, edits: Sequence[Edit], layers: Sequence[Seen]
) -> dict[str, Array]:
    before, after = subject.look().answer, subject.look(edits).answer
    return {
        "before": before[0].numpy(),
        "after": after[0].numpy(),
        "change": np.array(float((after - before).abs().max())),
        "layers": names(list(layers)),
    }
