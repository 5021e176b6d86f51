"""Things in space: clouds of points on bodies, and a rolled up sheet."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from engine.data.dataset import DataSet, datasets, split
from engine.forms import Slider, Toggle

VALID = 0.2  # part set aside for validation
BODIES = ("sphere", "cube", "torus", "cylinder")
PARTS = ("inmost", "inner", "outer", "outmost")

Seed = Annotated[int, Slider(0, 999, help="Another draw of the same kind")]
Noise = Annotated[float, Slider(0.0, 0.3, help="Points stray further from the surface")]


@datasets.add("clouds", shape=[64, 3], classes=list(BODIES), kind="points")
def clouds(
    points: Annotated[int, Slider(16, 512, log=True, help="More points on each body")] = 64,
    size: Annotated[int, Slider(100, 10_000, log=True, help="More bodies")] = 1000,
    noise: Noise = 0.02,
    turned: Annotated[bool, Toggle(help="Every body lies some other way")] = True,
    seed: Seed = 0,
) -> DataSet:
    """Points on spheres, cubes, tori and cylinders, in no order: which body is it?"""
    random = np.random.default_rng(seed)
    kinds = np.arange(size) % len(BODIES)
    made = np.stack([body(int(kind), points, random) for kind in kinds])  # (size, points, 3)
    if turned:
        made = made @ turns(size, random)
    made *= random.uniform(0.8, 1.2, (size, 1, 1))
    made += noise * random.normal(size=made.shape)
    note = f"{size:,} bodies of {points} points each, made; off the surface by {noise:g}"
    return split(
        "clouds",
        made,
        kinds,
        BODIES,
        seed=seed,
        valid=round(VALID * size),
        points=True,
        note=note,
    )


@datasets.add("swiss_roll", shape=[3], classes=list(PARTS), kind="table")
def swiss_roll(
    size: Annotated[int, Slider(100, 4000, log=True, help="More points")] = 800,
    noise: Noise = 0.03,
    seed: Seed = 0,
) -> DataSet:
    """A sheet rolled up in space: which quarter of its length is a point on?

    Source: Tenenbaum, de Silva & Langford (2000), A global geometric framework for nonlinear
    dimensionality reduction.
    """
    random = np.random.default_rng(seed)
    along = (np.arange(size) + random.uniform(size=size)) / size  # even along the sheet
    angle = 1.5 * np.pi * (1 + 2 * along)
    height = random.uniform(-1, 1, size)
    xyz = np.stack([angle * np.cos(angle) / 10, height, angle * np.sin(angle) / 10], axis=1)
    xyz += noise * random.normal(size=xyz.shape)
    quarter = np.minimum((4 * along).astype(int), 3)
    note = f"{size} points of a rolled up sheet, made; they stray by {noise:g}"
    return split(
        "swiss_roll",
        xyz,
        quarter,
        PARTS,
        seed=seed,
        valid=round(VALID * size),
        features=("x", "y", "z"),
        note=note,
    )


def body(kind: int, points: int, random: np.random.Generator) -> np.ndarray:
    """Points `(points, 3)` spread evenly over a body of about unit size around the origin."""
    if kind == 0:
        found = random.normal(size=(points, 3))
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        return found
    angle = random.uniform(0, 2 * np.pi, points)
    if kind == 1:
        found = random.uniform(-1, 1, (points, 3))
        face = random.integers(3, size=points)
        found[np.arange(points), face] = np.sign(random.uniform(-1, 1, points))
        return 0.8 * found
    if kind == 2:
        big, small = 0.8, 0.3
        tube = random.uniform(0, 2 * np.pi, 4 * points)  # the outside has more room
        kept = random.uniform(0, big + small, 4 * points) < big + small * np.cos(tube)
        tube = np.resize(tube[kept], points)
        out = big + small * np.cos(tube)
        return np.stack([out * np.cos(angle), out * np.sin(angle), small * np.sin(tube)], axis=1)
    radius, half = 0.6, 0.9
    lid = random.uniform(size=points) < radius / (radius + 2 * half)  # by area
    out = np.where(lid, radius * np.sqrt(random.uniform(size=points)), radius)
    height = np.where(
        lid, half * np.sign(random.uniform(-1, 1, points)), random.uniform(-half, half, points)
    )
    return np.stack([out * np.cos(angle), out * np.sin(angle), height], axis=1)


def turns(size: int, random: np.random.Generator) -> np.ndarray:
    """Rotations `(size, 3, 3)`, all equally likely.

    Source: Mezzadri (2007), How to generate random matrices from the classical compact groups.
    """
    q, r = np.linalg.qr(random.normal(size=(size, 3, 3)))
    found: np.ndarray = q * np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None]
    found[:, :, 0] *= np.linalg.det(found)[:, None]  # turned, not mirrored
    return found
