"""Attention: every place of a sequence looks at others and takes what it needs.

Sequences are `(batch, length, features)`. An input of truth values `(batch, length)` is a padding
mask wherever it comes in: what is true is not looked at.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

Tensor = torch.Tensor


def sort_out(inputs: tuple[Tensor, ...]) -> tuple[list[Tensor], Tensor | None]:
    """The sequences among the inputs, and the padding mask if there is one."""
    masks = [one for one in inputs if one.dtype == torch.bool]
    return [one for one in inputs if one.dtype != torch.bool], masks[0] if masks else None


def future(length: int, device: torch.device) -> Tensor:
    """What comes later, `(length, length)`: true where the column is after the row."""
    return torch.ones(length, length, dtype=torch.bool, device=device).triu(1)


class MultiheadAttention(nn.MultiheadAttention):
    """Several attentions side by side, each on its own part of the features."""

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        kdim: int | None = None,
        vdim: int | None = None,
        causal: bool = False,
        weights: bool = False,
    ) -> None:
        super().__init__(
            embed_dim, num_heads, dropout, bias, kdim=kdim, vdim=vdim, batch_first=True
        )
        self.causal, self.weights = causal, weights

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, Tensor]:  # type: ignore[override]
        """Query, or query and memory, or query, key and value; a padding mask may follow."""
        sequences, padding = sort_out(inputs)
        query = sequences[0]
        key = sequences[1] if len(sequences) > 1 else query
        value = sequences[2] if len(sequences) > 2 else key
        mask = future(query.shape[1], query.device) if self.causal else None
        result, weights = super().forward(
            query, key, value, key_padding_mask=padding, need_weights=self.weights, attn_mask=mask
        )
        return result if weights is None else (result, weights)


class TransformerEncoderLayer(nn.TransformerEncoderLayer):
    """Self-attention and a feed-forward part, each with a shortcut and a norm."""

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str = "relu",
        norm_first: bool = False,
        bias: bool = True,
        causal: bool = False,
    ) -> None:
        super().__init__(
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            batch_first=True,
            norm_first=norm_first,
            bias=bias,
        )
        self.causal = causal

    def forward(self, *inputs: Tensor) -> Tensor:  # type: ignore[override]
        """`(batch, length, features)`, and perhaps a padding mask, to the same shape."""
        (x,), padding = sort_out(inputs)
        mask = future(x.shape[1], x.device) if self.causal else None
        result: Tensor = super().forward(x, mask, padding)
        return result


class TransformerDecoderLayer(nn.TransformerDecoderLayer):
    """Self-attention without the future, attention to a memory, and a feed-forward part."""

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str = "relu",
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__(
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            batch_first=True,
            norm_first=norm_first,
            bias=bias,
        )

    def forward(self, *inputs: Tensor) -> Tensor:  # type: ignore[override]
        """What is written so far, and the memory with perhaps its padding mask."""
        (x, memory), padding = sort_out(inputs)
        mask = future(x.shape[1], x.device)
        result: Tensor = super().forward(x, memory, mask, memory_key_padding_mask=padding)
        return result


class SelfAttention(nn.Module):
    """Self-attention as language models have it: causal, with positions built in."""

    def __init__(
        self,
        features: int,
        heads: int,
        groups: int | None = None,
        causal: bool = True,
        positions: str = "none",
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if features % heads:
            raise ValueError(f"{features} features cannot be shared evenly by {heads} heads")
        self.heads, self.groups, self.size = heads, groups or heads, features // heads
        if heads % self.groups:
            raise ValueError(f"{heads} heads cannot share {self.groups} keys evenly")
        self.causal, self.positions, self.dropout = causal, positions, dropout
        self.qkv = nn.Linear(features, features + 2 * self.groups * self.size, bias=bias)
        self.out = nn.Linear(features, features, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """`(batch, length, features)` to the same shape."""
        length = x.shape[1]
        shared = self.groups * self.size
        query, key, value = (
            part.unflatten(-1, (-1, self.size)).transpose(1, 2)  # (batch, heads, length, size)
            for part in self.qkv(x).split([self.heads * self.size, shared, shared], -1)
        )
        if self.positions == "rotary":
            query, key = rotate(query), rotate(key)
        repeats = self.heads // self.groups
        if repeats > 1:
            key, value = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
        plain = self.causal and self.positions != "alibi"  # what is later is not even worked out
        mixed = functional.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=None if plain else self.mask(length, x),
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=plain,
        )
        result: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return result

    def mask(self, length: int, like: Tensor) -> Tensor | None:
        """What is added to the scores, `(heads, length, length)`, or None."""
        if not self.causal and self.positions != "alibi":
            return None
        mask = like.new_zeros(length, length)
        if self.positions == "alibi":
            place = torch.arange(length, device=like.device, dtype=like.dtype)
            mask = -slopes(self.heads, like)[:, None, None] * (place[:, None] - place).abs()
        if self.causal:
            mask = mask.masked_fill(future(length, like.device), float("-inf"))
        return mask


def slopes(heads: int, like: Tensor) -> Tensor:
    """How fast each head forgets what is far: `2^(-8/n), 2^(-16/n), ...`, `(heads,)`."""
    number = torch.arange(1, heads + 1, device=like.device, dtype=like.dtype)
    return 2.0 ** (-8.0 * number / heads)


def rotate(x: Tensor, base: float = 10_000.0, start: int = 0) -> Tensor:
    """Turn pairs of features by angles that grow with the place: `(..., length, size)`.

    The first place is number `start`.
    """
    length, size = x.shape[-2:]
    speed = base ** (-torch.arange(0, size, 2, device=x.device, dtype=x.dtype) / size)
    angle = torch.arange(start, start + length, device=x.device, dtype=x.dtype)[:, None] * speed
    even, odd = x[..., 0::2], x[..., 1::2]
    cos, sin = angle.cos(), angle.sin()
    turned = torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1)
    return turned.flatten(-2)


class RotaryPositions(nn.Module):
    """Each place turned by its own angles, so that products depend on distances only."""

    def __init__(self, heads: int = 1, base: float = 10_000.0) -> None:
        super().__init__()
        self.heads, self.base = heads, base

    def forward(self, x: Tensor) -> Tensor:
        """`(batch, length, features)` to the same shape."""
        if x.shape[-1] % (2 * self.heads):
            raise ValueError(f"{x.shape[-1]} features make no pairs for {self.heads} heads")
        split = x.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        return rotate(split, self.base).transpose(1, 2).flatten(2)


class DotAttention(nn.Module):
    """Attention by the product of a query with each place of a memory."""

    def __init__(self, query_size: int, memory_size: int, score: str = "dot") -> None:
        super().__init__()
        if score != "general" and query_size != memory_size:
            raise ValueError(
                f"score {score} needs queries and memory of one size; got {query_size} and "
                f"{memory_size}; take score general"
            )
        self.scale = 1 / math.sqrt(memory_size) if score == "scaled" else 1.0
        self.project = (
            nn.Linear(query_size, memory_size, bias=False) if score == "general" else nn.Identity()
        )

    def forward(self, query: Tensor, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """`(batch, n, features)` and `(batch, m, features)` to what is taken and the weights."""
        (memory,), padding = sort_out(inputs)
        scores = self.scale * self.project(query) @ memory.transpose(1, 2)  # (batch, n, m)
        if padding is not None:
            scores = scores.masked_fill(padding[:, None], float("-inf"))
        weights = scores.softmax(-1)
        return weights @ memory, weights


class AdditiveAttention(nn.Module):
    """Attention by a small network that compares a query with each place of a memory."""

    def __init__(self, query_size: int, memory_size: int, hidden_size: int) -> None:
        super().__init__()
        self.query = nn.Linear(query_size, hidden_size, bias=False)
        self.memory = nn.Linear(memory_size, hidden_size, bias=False)
        self.score = nn.Linear(hidden_size, 1, bias=False)

    def forward(self, query: Tensor, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """`(batch, n, features)` and `(batch, m, features)` to what is taken and the weights."""
        (memory,), padding = sort_out(inputs)
        compared = torch.tanh(self.query(query)[:, :, None] + self.memory(memory)[:, None])
        scores = self.score(compared).squeeze(-1)  # (batch, n, m)
        if padding is not None:
            scores = scores.masked_fill(padding[:, None], float("-inf"))
        weights = scores.softmax(-1)
        return weights @ memory, weights


class AttentionGRU(nn.Module):
    """Gated units that look at a memory before each of their steps, and read what they find."""

    def __init__(
        self, input_size: int, memory_size: int, hidden_size: int, align_size: int | None = None
    ) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.attention = AdditiveAttention(hidden_size, memory_size, align_size or hidden_size)
        self.cell = nn.GRUCell(input_size + memory_size, hidden_size)

    def forward(self, x: Tensor, *inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`(batch, n, features)`, memory `(batch, m, features)`, perhaps a first state.

        Gives the states `(batch, n, hidden)`, what was taken, and the weights `(batch, n, m)`.
        """
        sequences, padding = sort_out(inputs)
        memory, masks = sequences[0], [] if padding is None else [padding]
        begin = x.new_zeros(x.shape[0], self.hidden_size)
        state = sequences[1].flatten(1) if len(sequences) > 1 else begin
        found: list[tuple[Tensor, Tensor, Tensor]] = []
        for place in range(x.shape[1]):
            taken, weights = self.attention(state[:, None], memory, *masks)
            state = self.cell(torch.cat([x[:, place], taken[:, 0]], -1), state)
            found.append((state, taken[:, 0], weights[:, 0]))
        states, contexts, maps = (torch.stack(list(part), 1) for part in zip(*found, strict=True))
        return states, contexts, maps


class PaddingMask(nn.Module):
    """Where a sequence of tokens holds nothing."""

    def __init__(self, token: int = 0) -> None:
        super().__init__()
        self.token = token

    def forward(self, tokens: Tensor) -> Tensor:
        """`(batch, length)` whole numbers to truth values."""
        return tokens == self.token
