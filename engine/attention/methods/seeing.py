"""What was computed: weights, and the numbers they are made of."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from engine.attention.heads import scores
from engine.attention.methods import methods
from engine.attention.subject import Subject
from engine.attention.watch import Seen, Sight
from engine.forms import Text
from engine.views import Array

Layer = Annotated[str, Text(200, help="The attention layer's name; empty: the first")]


@methods.add("weights")
def weights(subject: Subject) -> dict[str, Array]:
    """Who looks at whom in every layer and head: softmax(q kᵀ / √d).

    Source: Vaswani et al. (2017), Attention is all you need.
    """
    return stacked(sight(subject))


@methods.add("numbers")
def numbers(subject: Subject, layer: Layer = "") -> dict[str, Array]:
    """The queries, keys, values and scores of one layer, from which its weights follow.

    Source: Vaswani et al. (2017), Attention is all you need.
    """
    seen = sight(subject)
    one = seen.find(layer) if layer else seen.layers[0]
    found = {"scores": one.scores, "weights": one.weights, "value": one.value, "mixed": one.mixed}
    if one.query is not None and one.key is not None:
        found |= {"query": one.query, "key": one.key}
    return {name: tensor[0].numpy() for name, tensor in found.items()} | {
        "scale": np.array(one.scale),
        "layer": np.array(one.name),
    }


@methods.add("heads")
def heads(subject: Subject) -> dict[str, Array]:
    """What each head is for: scores of previous-token, duplicate-token, induction and other heads.

    Source: Olsson et al. (2022), In-context learning and induction heads.
    """
    layers = [layer for layer in sight(subject).layers if layer.kind != "cross"]
    if not layers:
        raise ValueError("heads: this network has cross-attention only; these patterns need a row")
    found = [scores(layer.weights[0].numpy(), tokens_of(subject, layer)) for layer in layers]
    most = max(layer.heads for layer in layers)
    padded = {
        name: np.stack(
            [np.pad(one[name], (0, most - len(one[name])), constant_values=np.nan) for one in found]
        )
        for name in found[0]
    }
    return {name.replace(" ", "_"): table for name, table in padded.items()} | {
        "layers": names(layers)
    }


def sight(subject: Subject) -> Sight:
    """What one run shows.

    Raises:
        ValueError: There is no attention in this network.
    """
    seen = subject.look()
    if not seen.layers:
        raise ValueError(
            "look inside: this network computes no attention; build one with MultiheadAttention, "
            "SelfAttention or a Transformer layer, or take such a template"
        )
    return seen


def tokens_of(subject: Subject, layer: Seen) -> Array:
    """The tokens that a self-attention sees, `(n,)`; all different where they are no words."""
    ids = subject.streams[subject.of(layer)[0]].ids
    n = layer.weights.shape[-1]
    return np.asarray(ids) if len(ids) == n else np.arange(n)


def stacked(seen: Sight) -> dict[str, Array]:
    """Each layer as `weights.NAME`, `(heads, n, m)`; all as `weights` where they are as large."""
    arrays = [layer.weights[0].numpy() for layer in seen.layers]
    found = {f"weights.{layer.name}": one for layer, one in zip(seen.layers, arrays, strict=True)}
    if len({array.shape for array in arrays}) == 1:
        found["weights"] = np.stack(arrays)
    kinds = np.array([layer.kind for layer in seen.layers])
    return found | {"layers": names(seen.layers), "kinds": kinds}


def names(layers: tuple[Seen, ...] | list[Seen]) -> Array:
    """The layers' names."""
    return np.array([layer.name for layer in layers])
