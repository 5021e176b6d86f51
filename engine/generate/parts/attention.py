"""Self-attention over the pixels of a feature map: what a convolution cannot see, far away."""

from __future__ import annotations

import torch
from torch import nn


class PixelAttention(nn.Module):
    """Every pixel gathers from every other; `γ`, 0 at first, says how much of it is added.

    s_ij = f(x_i)·g(x_j),  β_ji = softmax over i of s_ij,  o_j = v(Σ_i β_ji h(x_i)),  y = γ o + x.

    Source: Zhang et al. (2019), Self-Attention Generative Adversarial Networks.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(1, channels // 8)
        self.f = nn.Conv2d(channels, narrow, 1)
        self.g = nn.Conv2d(channels, narrow, 1)
        self.h = nn.Conv2d(channels, max(1, channels // 2), 1)
        self.v = nn.Conv2d(max(1, channels // 2), channels, 1)
        self.gamma = nn.Parameter(torch.zeros(()))

    def weights(self, x: torch.Tensor) -> torch.Tensor:
        """β, `(batch, pixels, pixels)`: in row j from where pixel j gathers; each row sums to 1."""
        keys, queries = self.f(x).flatten(2), self.g(x).flatten(2)
        told: torch.Tensor = (queries.transpose(1, 2) @ keys).softmax(-1)
        return told

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, channels, rows, columns)` -> the same shape."""
        gathered = self.h(x).flatten(2) @ self.weights(x).transpose(1, 2)
        told: torch.Tensor = self.v(gathered.unflatten(2, x.shape[2:]))
        return self.gamma * told + x
