"""Clouds of points `(batch, points, coordinates)`."""

from __future__ import annotations

import torch
from torch import nn


class PointTransform(nn.Module):
    """Points turned by a matrix that another branch found; zeros there change nothing."""

    def forward(self, points: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
        """`(batch, points, k)` and `(batch, k * k)` to `(batch, points, k)`: `X (I + M)`."""
        size = points.shape[-1]
        if matrix.ndim != 2 or matrix.shape[-1] != size**2:
            raise ValueError(
                f"points of {size} coordinates need a matrix of {size} · {size} = {size**2} "
                f"numbers; {'×'.join(map(str, matrix.shape[1:]))} come in"
            )
        turned = matrix.unflatten(-1, (size, size)) + torch.eye(
            size, device=points.device, dtype=points.dtype
        )
        result: torch.Tensor = points @ turned
        return result
