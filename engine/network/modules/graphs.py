"""Layers on graphs: node features `(batch, nodes, features)`, adjacency `(batch, nodes, nodes)`."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class GraphConvolution(nn.Module):
    """Each node's features averaged with its neighbours' and mapped."""

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_features, out_features))
        nn.init.xavier_uniform_(self.weight)
        self.bias = nn.Parameter(torch.zeros(out_features)) if bias else None

    def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        """Features and adjacency to `(batch, nodes, out)`: `D^(-1/2) (A + I) D^(-1/2) X W + b`."""
        own = torch.eye(x.shape[1], device=x.device, dtype=x.dtype)
        linked = adjacency + own
        scale = linked.sum(-1).clamp(min=1e-12).rsqrt()  # (batch, nodes)
        mixed = scale[..., None] * (linked @ (scale[..., None] * (x @ self.weight)))
        return mixed if self.bias is None else mixed + self.bias


class GraphAttention(nn.Module):
    """Each node's neighbours weighted by how much they matter to it."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        heads: int = 1,
        concat: bool = True,
        slope: float = 0.2,
        dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.heads, self.concat, self.slope, self.dropout = heads, concat, slope, dropout
        self.weight = nn.Parameter(torch.empty(in_features, heads * out_features))
        self.source = nn.Parameter(torch.empty(heads, out_features))
        self.target = nn.Parameter(torch.empty(heads, out_features))
        for part in (self.weight, self.source, self.target):
            nn.init.xavier_uniform_(part)
        width = heads * out_features if concat else out_features
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None

    def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        """Features and adjacency to `(batch, nodes, heads * out)`."""
        mapped = torch.unflatten(x @ self.weight, -1, (self.heads, -1)).transpose(1, 2)
        sent = (mapped * self.source[:, None]).sum(-1)  # (batch, heads, nodes)
        received = (mapped * self.target[:, None]).sum(-1)
        scores = functional.leaky_relu(received[..., None] + sent[..., None, :], self.slope)
        own = torch.eye(x.shape[1], device=x.device, dtype=x.dtype)
        apart = (adjacency + own)[:, None] == 0
        weights = scores.masked_fill(apart, float("-inf")).softmax(-1)
        weights = functional.dropout(weights, self.dropout, self.training)
        mixed = weights @ mapped  # (batch, heads, nodes, out)
        joined = mixed.transpose(1, 2).flatten(2) if self.concat else mixed.mean(1)
        return joined if self.bias is None else joined + self.bias
