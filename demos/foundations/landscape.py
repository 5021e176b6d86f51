"""Which way is down, and how is the ground curved?

At a point of a landscape `f(x, y)` the gradient `∇f` points uphill, as steep as it is long. The
Hessian `H` (all second derivatives) says how the slope itself changes: its eigenvectors are the
directions of most and least curvature, its eigenvalues the curvatures. Near the point
`f(w + d) ≈ f(w) + ∇fᵀd + ½ dᵀH d`. The condition number `|λ|_max/|λ|_min` tells how narrow a
valley is: large means that a walk straight downhill zigzags.

**Try:** click on the valley floor of the banana, at (1, 1), then on the middle of the saddle.

Source: Rosenbrock (1960), An automatic method for finding the greatest or least value of a
function; Nocedal & Wright (2006), Numerical Optimization, chapter 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated

import numpy as np
import torch

from demos.kit import (
    Choice,
    Claim,
    Frames,
    Place,
    Question,
    Slider,
    below,
    interactive,
    lab,
    near,
)
from engine.views import Array, Curve, Field, Frame, Matrix, View

EXTENT = (-2.0, 2.0, -1.0, 3.0)
HERE = [-1.2, 1.0]
REACH = np.linspace(-1.0, 1.0, 81)

SURFACES: Mapping[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "banana": lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
    "bowl": lambda x, y: x**2 + 4 * (y - 1) ** 2 + x * (y - 1),
    "saddle": lambda x, y: x**2 - (y - 1) ** 2,
    "egg box": lambda x, y: torch.sin(3 * x) * torch.cos(3 * y) + 0.2 * (x**2 + (y - 1) ** 2),
}


def gradient(surface: str, w: Array) -> Array:
    """The first derivatives at the point `w`, `(2,)`, in float64."""
    point = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(SURFACES[surface](point[0], point[1]), point)
    return np.asarray(slope.numpy())


def hessian(surface: str, w: Array) -> Array:
    """The second derivatives at `w`, `(2, 2)`: the gradient of each part of the gradient."""
    point = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    height = SURFACES[surface](point[0], point[1])
    (slope,) = torch.autograd.grad(height, point, create_graph=True)
    rows = [torch.autograd.grad(part, point, retain_graph=True)[0] for part in slope]
    return torch.stack(rows).numpy()


def condition(H: Array) -> float:
    """The largest size of an eigenvalue over the smallest, at most 1e6."""
    sizes = np.abs(np.linalg.eigvalsh(H))
    return float(min(sizes.max() / max(sizes.min(), 1e-300), 1e6))


@lab(
    covers=["gradients-hessian"],
    seconds=1,
    tries={
        "The floor of the valley": {"surface": "banana", "here": [1.0, 1.0]},
        "The middle of the saddle": {"surface": "saddle", "here": [0.0, 1.0]},
        "Straight downhill": {"surface": "bowl", "here": [1.5, 2.5], "along": "downhill"},
    },
    question=Question(
        "At the minimum of a landscape, what are the gradient and the Hessian's eigenvalues?",
        ("0, and all positive", "0, and all negative", "Both are 0"),
        0,
        "No way leads down, and every way curves up. One negative eigenvalue makes a saddle.",
    ),
    needs=["derivatives-chain-rule", "linalg-transform"],
)
def run(
    surface: Annotated[str, Choice(tuple(SURFACES), live=True)] = "banana",
    here: Annotated[list[float], Place(EXTENT, "map", help="Click on the map")] = HERE,
    along: Annotated[
        str, Choice(("downhill", "steepest curve", "flattest curve"), live=True)
    ] = "downhill",
    distance: Annotated[float, Slider(-1, 1, help="How far along that line", live=True)] = 0.3,
) -> Frames:
    """Draw gradient, curvature ellipse and a straight walk at the clicked point."""
    yield from interactive(picture, surface=surface, here=here, along=along, distance=distance)


def picture(surface: str, here: list[float], along: str, distance: float) -> Frame:
    """The map with what the derivatives say at one point, and the walk's profile."""
    f, w = SURFACES[surface], np.array(here)
    g, H = gradient(surface, w), hessian(surface, w)
    λ, axes = np.linalg.eigh(H)
    λ, axes = λ[np.argsort(-np.abs(λ))], axes[:, np.argsort(-np.abs(λ))]
    steep = float(np.linalg.norm(g))
    downhill = -g / steep if steep > 1e-12 else np.array([1.0, 0.0])
    way = {"downhill": downhill, "steepest curve": axes[:, 0], "flattest curve": axes[:, 1]}[along]

    x, y = torch.linspace(-2, 2, 120), torch.linspace(-1, 3, 120)
    height = f(*torch.meshgrid(x, y, indexing="xy")).numpy()
    low = height.min()
    shown = np.log10(height - low + 0.1)  # valleys stay visible beside cliffs
    paths = {
        "−gradient (direction)": np.array([w, w + 0.5 * downhill]),
        "curvature ellipse": w + _ellipse(λ, axes),
        "walk": w + REACH[:, None] * way,
        "you": w + np.array([[0.0, 0.0], [1.0, 1.0]]) * (distance * way)[None],
    }
    title = f"{surface}: log10 of the height"
    views: dict[str, View] = {
        "map": Field(shown, EXTENT, paths, title, contours=True, xlabel="x", ylabel="y"),
        "profile": _profile(f, w, way, g, H, distance),
        "hessian": Matrix(H, ("x", "y"), ("x", "y"), scale="signed", numbers=True, title="Hessian"),
    }
    facts = {
        "height": f(*torch.tensor(w)).item(),
        "steepness |∇f|": steep,
        "largest curvature λ₁": float(λ[0]),
        "smallest curvature λ₂": float(λ[1]),
        "condition number (at most 1e6)": condition(H),
    }
    return Frame(1, 1, views, facts)


def _ellipse(λ: Array, axes: Array) -> Array:
    """A loop, long where the ground is flat: half axes `1/√|λ|`, the longer drawn as 0.4."""
    half = 1 / np.sqrt(np.maximum(np.abs(λ), 1e-6))
    turn = np.linspace(0, 2 * np.pi, 61)
    loop = np.stack([np.cos(turn), np.sin(turn)], 1) * 0.4 * half / half.max()
    return np.asarray(loop @ axes.T)


def _profile(
    f: Callable[..., torch.Tensor], w: Array, way: Array, g: Array, H: Array, distance: float
) -> Curve:
    line = torch.tensor(w + REACH[:, None] * way)  # (81, 2)
    height = f(line[:, 0], line[:, 1]).numpy()
    flat = f(*torch.tensor(w)).item() + REACH * (g @ way)
    lines = {
        "f": height,
        "tangent": flat,
        "with curvature": flat + 0.5 * REACH**2 * (way @ H @ way),
    }
    return Curve(
        REACH,
        lines,
        "distance along the walk",
        "height",
        marks={"you": distance},
        title="the ground along the walk",
    )


def check() -> Iterator[Claim]:
    """Rosenbrock's published figures, and both derivatives against differences."""
    λ = np.linalg.eigvalsh(hessian("banana", np.array([1.0, 1.0])))
    yield near("Rosenbrock at (1, 1): smaller Hessian eigenvalue", λ[0], 0.3994, 5e-5)
    yield near("larger Hessian eigenvalue", λ[1], 1001.60, 0.01)
    yield near("condition number", condition(hessian("banana", np.array([1.0, 1.0]))), 2508.0, 0.1)
    g = gradient("banana", np.array(HERE))
    yield near("Gradient at (−1.2, 1), along x", g[0], -215.6, 1e-9)
    yield near("along y", g[1], -88.0, 1e-9)
    worst, h = 0.0, 1e-5
    for surface in SURFACES:
        for w in np.random.default_rng(0).uniform(-1, 1, (10, 2)):
            turned = [
                (gradient(surface, w + e) - gradient(surface, w - e)) / (2 * h)
                for e in h * np.eye(2)
            ]
            worst = max(worst, float(np.abs(np.array(turned) - hessian(surface, w)).max()))
    yield below("Hessian against differences of the gradient, 40 points", worst, 1e-5)
