"""Layers on clouds of points."""

from __future__ import annotations

from engine.network.registry import Layer


class PointTransform(Layer):
    """Turns points by a matrix that its second input holds, row after row, less the identity.

    Source: Qi et al. (2016), PointNet: deep learning on point sets.
    """

    category = "Graphs"
    home = "points"
    inputs = (2, 2)
    axes = ("points", "coordinates")
    example = ((6, 3), (9,))
