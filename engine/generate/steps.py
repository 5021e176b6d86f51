"""What each layer does with new tokens when it has kept what it needs of the old ones.

`step(layer, kept, start, *inputs)` gives what the layer would give at the new places had it read
everything; `kept` is the layer's own memory, filled and used here; `start` is how many places
came before. Attention keeps the keys and values of every place, so its memory grows; a recurrent
network and a state space keep a state, which does not.

Source: Shazeer (2019), Fast transformer decoding; Dao & Gu (2024), Transformers are SSMs.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from engine.memory import state_space
from engine.network.modules.attention import (
    AdditiveAttention,
    AttentionGRU,
    DotAttention,
    MultiheadAttention,
    RotaryPositions,
    SelfAttention,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
    rotate,
)
from engine.network.modules.joining import Concat
from engine.network.modules.positions import LearnedPositions, SinusoidalPositions
from engine.network.modules.recurrent import GRU, LSTM, RNN
from engine.network.modules.state_space import S4D, Mamba

Tensor = torch.Tensor
Kept = dict[str, Tensor]

PLACE_BY_PLACE = {  # layers that never look beside the place they are at
    *("Add", "Multiply", "Subtract", "Maximum", "SwiGLU", "Sine", "ReLUSquared", "DropPath"),
    *("LayerScale", "GaussianNoise", "Linear", "Embedding", "LayerNorm", "RMSNorm", "Identity"),
    *("Dropout", "AlphaDropout", "GLU", "GELU", "ReLU", "Tanh", "Sigmoid", "SiLU", "Softplus"),
    *("OneHot", "LeakyReLU", "ELU", "Mish", "Hardswish", "LogSoftmax"),
}


class UnkeepableError(ValueError):
    """A layer needs to see all places anew for each token; says which and why."""


@functools.singledispatch
def step(layer: nn.Module, kept: Kept, start: int, *inputs: Tensor) -> Any:
    """What the layer gives at the new places; see the module.

    Raises:
        UnkeepableError: The layer looks at later places, or nobody wrote how it is kept.
    """
    del kept, start
    name = type(layer).__name__
    if name not in PLACE_BY_PLACE:
        raise UnkeepableError(f"a layer {name} reads all places anew for each token")
    return layer(*inputs)


@step.register
def _(layer: Concat, kept: Kept, start: int, *inputs: Tensor) -> Tensor:
    del kept, start
    if layer.axis not in (-1, inputs[0].ndim - 1):
        raise UnkeepableError("a Concat joins places, not features")
    result: Tensor = layer(*inputs)
    return result


@step.register(DotAttention)
@step.register(AdditiveAttention)
def _(
    layer: nn.Module, kept: Kept, start: int, query: Tensor, memory: Tensor, *rest: Tensor
) -> Any:
    del kept, start
    return layer(query, memory, *rest)  # the memory is a source that is read once


@step.register(SinusoidalPositions)
@step.register(LearnedPositions)
@step.register(RotaryPositions)
def _(layer: nn.Module, kept: Kept, start: int, x: Tensor) -> Tensor:
    del kept
    if isinstance(layer, LearnedPositions):
        return x + layer.weight[start : start + x.shape[1]]
    before = functional.pad(x, (0, 0, start, 0))  # so that the new places have their own numbers
    result: Tensor = layer(before)[:, start:]
    return result


def attend(kept: Kept, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
    """`softmax(q kᵀ / √size + bias) v`, keys and values put behind those that are kept.

    All are `(batch, heads, places, size)`; `bias` is `(heads or 1, new places, all places)`. Heads
    may share keys: then there are fewer of them.
    """
    if "key" in kept:  # room made ahead for later places was tried: no faster at 256 of them
        key, value = torch.cat([kept["key"], key], 2), torch.cat([kept["value"], value], 2)
    kept["key"], kept["value"] = key, value
    shares = key.shape[1] < query.shape[1]
    return functional.scaled_dot_product_attention(
        query, key, value, attn_mask=bias, enable_gqa=shares
    )


def unseen(start: int, new: int, like: Tensor) -> Tensor | None:
    """-∞ where a new place would look at a later one, `(1, new, start + new)`."""
    if new == 1:
        return None
    later = torch.ones(new, start + new, dtype=torch.bool).triu(start + 1)
    return like.new_zeros(1, new, start + new).masked_fill(later, -math.inf)


@step.register
def _(layer: SelfAttention, kept: Kept, start: int, x: Tensor) -> Tensor:
    if not layer.causal:
        raise UnkeepableError("a SelfAttention that is not causal looks at later places")
    shared = layer.groups * layer.size
    query, key, value = (
        part.unflatten(-1, (-1, layer.size)).transpose(1, 2)
        for part in layer.qkv(x).split([layer.heads * layer.size, shared, shared], -1)
    )
    if layer.positions == "rotary":  # keys are kept as turned: their place never changes
        query, key = rotate(query, start=start), rotate(key, start=start)
    bias = unseen(start, x.shape[1], x)
    if layer.positions == "alibi":
        whole = layer.mask(start + x.shape[1], x)
        bias = None if whole is None else whole[:, start:]
    mixed = attend(kept, query, key, value, bias)
    result: Tensor = layer.out(mixed.transpose(1, 2).flatten(2))
    return result


@step.register
def _(layer: MultiheadAttention, kept: Kept, start: int, *inputs: Tensor) -> Any:
    x, *source = inputs
    if source:  # which is read once
        return layer(*inputs)
    if not layer.causal:
        raise UnkeepableError("a MultiheadAttention that is not causal looks at later places")
    return among_themselves(layer, kept, start, x)


def among_themselves(layer: nn.MultiheadAttention, kept: Kept, start: int, x: Tensor) -> Tensor:
    """Causal self-attention of torch's own layer at the new places."""
    projected = functional.linear(x, layer.in_proj_weight, layer.in_proj_bias)
    query, key, value = (
        part.unflatten(-1, (layer.num_heads, -1)).transpose(1, 2) for part in projected.chunk(3, -1)
    )
    mixed = attend(kept, query, key, value, unseen(start, x.shape[1], x))
    result: Tensor = layer.out_proj(mixed.transpose(1, 2).flatten(2))
    return result


@step.register
def _(layer: TransformerEncoderLayer, kept: Kept, start: int, x: Tensor) -> Tensor:
    if not layer.causal:
        raise UnkeepableError("a TransformerEncoderLayer that is not causal looks at later places")
    if layer.norm_first:
        x = x + among_themselves(layer.self_attn, kept, start, layer.norm1(x))
        return x + layer._ff_block(layer.norm2(x))
    x = layer.norm1(x + among_themselves(layer.self_attn, kept, start, x))
    result: Tensor = layer.norm2(x + layer._ff_block(x))
    return result


@step.register
def _(
    layer: TransformerDecoderLayer, kept: Kept, start: int, x: Tensor, memory: Tensor, *rest: Tensor
) -> Tensor:
    padding = rest[0] if rest else None

    def look(at: Tensor) -> Tensor:
        return layer._mha_block(at, memory, None, padding)

    if layer.norm_first:
        x = x + among_themselves(layer.self_attn, kept, start, layer.norm1(x))
        x = x + look(layer.norm2(x))
        return x + layer._ff_block(layer.norm3(x))
    x = layer.norm1(x + among_themselves(layer.self_attn, kept, start, x))
    x = layer.norm2(x + look(x))
    result: Tensor = layer.norm3(x + layer._ff_block(x))
    return result


@step.register(RNN)
@step.register(GRU)
@step.register(LSTM)
def _(layer: Any, kept: Kept, start: int, x: Tensor, *begin: Tensor) -> Any:
    del start
    if layer.bidirectional:
        raise UnkeepableError(f"a bidirectional {type(layer).__name__} reads from the end too")
    names = ("state", "memory") if isinstance(layer, LSTM) else ("state",)
    given = [kept[name] for name in names] if kept else begin
    outputs, *states = layer(x, *given)
    kept.update(zip(names, states, strict=True))
    return (outputs, *states)


@step.register
def _(layer: AttentionGRU, kept: Kept, start: int, x: Tensor, memory: Tensor, *rest: Tensor) -> Any:
    del start
    given = [one for one in rest if one.dtype == torch.bool]  # padding of the memory
    begin = [kept["state"]] if kept else [one for one in rest if one.dtype != torch.bool]
    found = layer(x, memory, *begin, *given)
    kept["state"] = found[0][:, -1]
    return found


@step.register
def _(layer: S4D, kept: Kept, start: int, x: Tensor) -> Tensor:
    del start
    walk = state_space.s4d(layer, x, kept.get("state"))
    kept["state"] = walk.states[-1]
    return walk.output


@step.register
def _(layer: Mamba, kept: Kept, start: int, x: Tensor) -> Tensor:
    del start
    walk = state_space.mamba(layer, x, kept.get("state"), kept.get("inputs"))
    kept["state"], kept["inputs"] = walk.states[-1], walk.inputs
    return walk.output
