"""Attention layers; sequences are length × features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from engine.network.registry import Layer, Shape, follows, limited


class _Attention(Layer):
    category = "Attention"
    home = "attention"
    axes: ClassVar[tuple[str, ...] | None] = ("length", "features")


class MultiheadAttention(_Attention):
    """Lets every place look at others, with several heads; one input looks at itself.

    With two inputs the first looks at the second, with three they are query, key and value. A
    padding mask may come last. `weights` gives the attention map as a second output.

    Source: Vaswani et al. (2017), Attention is all you need.
    """

    inputs = (1, 4)

    embed_dim: int | None = follows(-1, "Features; found from the input")
    num_heads: int = limited(high=1_000, help="How many attentions side by side", begin=2)
    dropout: float = limited(0.0, 0.0, 1.0, "Dropped from the weights")
    bias: bool = True
    causal: bool = False
    weights: bool = False

    def arguments(self, shapes: Sequence[Shape]) -> dict[str, Any]:
        """The memory's features too, where they differ from the query's."""
        given = super().arguments(shapes)
        memory = [shape for shape in shapes[1:] if len(shape) == 2]
        for name, shape in zip(("kdim", "vdim"), (memory * 2)[: len(memory) and 2], strict=False):
            if shape[-1] != given["embed_dim"]:
                given[name] = shape[-1]
        return given


class _Transformer(_Attention):
    d_model: int | None = follows(-1, "Features; found from the input")
    nhead: int = limited(high=1_000, help="How many attentions side by side", begin=2)
    dim_feedforward: int = limited(2048, help="Width of the feed-forward part")
    dropout: float = limited(0.1, 0.0, 1.0, "Which share is dropped")
    activation: Literal["relu", "gelu"] = "relu"
    norm_first: bool = False
    bias: bool = True


class TransformerEncoderLayer(_Transformer):
    """Self-attention and a feed-forward part, each with a shortcut and a norm.

    Source: Vaswani et al. (2017), Attention is all you need.
    """

    inputs = (1, 2)

    causal: bool = False


class TransformerDecoderLayer(_Transformer):
    """Attends to what is written so far and to a memory, its second input.

    Source: Vaswani et al. (2017), Attention is all you need.
    """

    inputs = (2, 3)


class SelfAttention(_Attention):
    """Self-attention as language models have it, with rotary or ALiBi positions built in.

    Source: Radford et al. (2019), Language models are unsupervised multitask learners; Press,
    Smith & Lewis (2021), Train short, test long (ALiBi); Ainslie et al. (2023), GQA.
    """

    features: int | None = follows(-1, "Features; found from the input")
    heads: int = limited(high=1_000, help="How many attentions side by side", begin=2)
    groups: int | None = limited(None, 1, 1_000, "How many keys the heads share")
    causal: bool = True
    positions: Literal["none", "rotary", "alibi"] = "none"
    bias: bool = True
    dropout: float = limited(0.0, 0.0, 1.0, "Dropped from the weights")


class RotaryPositions(_Attention):
    """Turns each place by its own angles, so that products depend on distances only.

    Source: Su et al. (2021), RoFormer: enhanced transformer with rotary position embedding.
    """

    category = "Positions"

    heads: int = limited(1, 1, 1_000, "Into how many parts the features are split")
    base: float = limited(10_000.0, 1.0, 1e9, "Longest wavelength")


class _Compared(_Attention):
    inputs = (2, 3)

    query_size: int | None = follows(-1, "Features of the query; found from the input")
    memory_size: int | None = limited(None, help="Features of the memory; found from the input")

    def arguments(self, shapes: Sequence[Shape]) -> dict[str, Any]:
        """The sizes of query and memory."""
        memory = self.agree("memory_size", shapes[1], -1)
        return {**super().arguments(shapes), "memory_size": memory}


class DotAttention(_Compared):
    """Looks from its first input at its second by their products; gives the weights too.

    Source: Luong, Pham & Manning (2015), Effective approaches to attention-based translation.
    """

    score: Literal["dot", "scaled", "general"] = "dot"


class AdditiveAttention(_Compared):
    """Looks from its first input at its second by a small network; gives the weights too.

    Source: Bahdanau, Cho & Bengio (2014), Neural machine translation by jointly learning to align.
    """

    hidden_size: int = limited(high=100_000, help="Width of the comparison", begin=32)


class AttentionGRU(_Attention):
    """Gated units that look at a memory before each step; gives states, what it took, weights.

    Its inputs are what it reads, the memory, and perhaps a first state.

    Source: Bahdanau, Cho & Bengio (2014), Neural machine translation by jointly learning to align.
    """

    category = "Recurrent"
    inputs = (2, 4)
    recurs = True

    input_size: int | None = follows(-1, "Features that come in; found from the input")
    memory_size: int | None = limited(None, help="Features of the memory; found from the input")
    hidden_size: int = limited(high=100_000, help="Numbers of the state", begin=32)
    align_size: int | None = limited(None, 1, 100_000, "Width of the comparison; none for hidden")

    def arguments(self, shapes: Sequence[Shape]) -> dict[str, Any]:
        """The sizes of what is read and of the memory."""
        memory = self.agree("memory_size", shapes[1], -1)
        return {**super().arguments(shapes), "memory_size": memory}


class PaddingMask(_Attention):
    """Marks the places of a sequence of tokens that hold nothing."""

    axes = ("length",)
    reads = "token"

    token: int = limited(0, 0, help="The token that stands for nothing")
