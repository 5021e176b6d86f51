"""What does a matrix do to the plane?

A matrix `A` moves every point `x` to `A x`: lines stay lines, the origin stays put, and every
area is multiplied by the determinant `det A = ad − bc` (negative: the plane is turned over).
An eigenvector `v` only grows: `A v = λ v`. Power iteration `x ← A x / ‖A x‖` turns almost any
vector towards the eigenvector with the largest `|λ|`, by a factor `|λ₂/λ₁|` a step.

**Try:** make the second row a multiple of the first: the plane collapses to a line.

Source: Goodfellow, Bengio & Courville (2016), Deep Learning, chapter 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np

from demos.kit import Claim, Frames, Numbers, Question, Slider, below, interactive, lab, near, same
from engine.views import Array, Arrows, Curve, Frame, Matrix, Note, View

STRETCH = [2.0, 1.0, 1.0, 2.0]
EXTENT = (-6.0, 6.0, -4.0, 4.0)
ANGLES = np.linspace(0.0, 2 * np.pi, 2001)
CIRCLE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)  # (2001, 2)


def eigenvalues(A: Array) -> Array:
    """The roots of `λ² − (a + d) λ + (ad − bc)`, largest size first, `(2,)`, perhaps complex."""
    trace, determinant = A[0, 0] + A[1, 1], A[0, 0] * A[1, 1] - A[0, 1] * A[1, 0]
    root = np.sqrt(complex(trace**2 / 4 - determinant))
    both = np.array([trace / 2 + root, trace / 2 - root])
    both = both[np.argsort(-np.abs(both), kind="stable")]
    return np.real(both) if root.imag == 0 else both


def eigenvector(A: Array, value: float) -> Array:
    """The unit vector with `(A − λ) v = 0`: at right angles to a row of `A − λ`, `(2,)`."""
    rows = A - value * np.eye(2)
    row = rows[np.argmax(np.linalg.norm(rows, axis=1))]
    length = np.linalg.norm(row)
    return np.array([-row[1], row[0]]) / length if length > 1e-12 else np.array([1.0, 0.0])


def power_iteration(A: Array, steps: int) -> Array:
    """`x ← A x / ‖A x‖` from (1, 0): all the vectors on the way, `(steps + 1, 2)`."""
    x = np.array([1.0, 0.0])
    walk = [x]
    for _ in range(steps):
        image = A @ x
        length = np.linalg.norm(image)
        x = image / length if length > 1e-12 else x  # a vector sent to 0 has no direction
        walk.append(x)
    return np.array(walk)


def area(outline: Array) -> float:
    """The signed area inside a closed outline, `(n, 2)`: Gauss's shoelace formula."""
    x, y = outline.T
    return float(0.5 * np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))


def grid(reach: int = 3) -> dict[str, Array]:
    """Straight lines through the whole numbers, each set drawn in one go like mowing a lawn."""
    marks = np.arange(-reach, reach + 1.0)
    ends = np.where(np.arange(2 * len(marks)) // 2 % 2, -1, 1) * np.tile(
        [-reach, reach], len(marks)
    )
    lines = np.stack([ends, np.repeat(marks, 2)], axis=1)  # (2 * lines, 2)
    return {"lines along x": lines, "lines along y": lines[:, ::-1]}


@lab(
    covers=["linalg-transform"],
    seconds=1,
    tries={
        "Turn by 30 degrees": {"matrix": [0.866, -0.5, 0.5, 0.866]},
        "Collapse to a line": {"matrix": [1.0, 2.0, 0.5, 1.0]},
        "Turn the plane over": {"matrix": [0.0, 1.0, 1.0, 0.0]},
    },
    question=Question(
        "A matrix has determinant −2. What happens to a circle of area 1?",
        ("It gets area 2 and is mirrored", "It gets area ½", "It disappears"),
        0,
        "The size of the determinant multiplies areas; its sign says whether left and right swap.",
    ),
)
def run(
    matrix: Annotated[
        list[float],
        Numbers(4, -3, 3, ("a", "b", "c", "d"), across=2, help="Rows of A", live=True),
    ] = STRETCH,
    steps: Annotated[int, Slider(0, 20, help="Power iteration turns further", live=True)] = 3,
    part: Annotated[float, Slider(0, 1, help="From no change to all of A", live=True)] = 1.0,
) -> Frames:
    """Draw the grid, the unit circle and the special directions after the map."""
    yield from interactive(picture, matrix=matrix, steps=steps, part=part)


def picture(matrix: list[float], steps: int, part: float) -> Frame:
    """The plane after the map, the matrix, and how fast power iteration turns."""
    A = np.array(matrix).reshape(2, 2)
    shown = (1 - part) * np.eye(2) + part * A
    λ, walk = eigenvalues(A), power_iteration(A, 20)
    real = not np.iscomplexobj(λ)
    arrows = {"A(1, 0)": shown[:, 0], "A(0, 1)": shown[:, 1], "x": 2 * walk[steps]}
    misses = np.full(21, np.nan)
    if real:
        arrows["eigenvector 1"] = λ[0] * eigenvector(A, λ[0])
        arrows["eigenvector 2"] = λ[1] * eigenvector(A, λ[1])
        sine = np.abs(np.linalg.det(np.stack([walk, np.tile(eigenvector(A, λ[0]), (21, 1))], 1)))
        misses = np.maximum(np.degrees(np.arcsin(np.minimum(sine, 1.0))), 1e-9)
    lines = {name: line @ shown.T for name, line in grid().items()}
    lines["image of the unit circle"] = CIRCLE[::20] @ shown.T
    plane = Arrows(
        np.zeros((len(arrows), 2)),
        np.array(list(arrows.values())),
        EXTENT,
        tuple(arrows),
        lines,
        title="the plane after the map",
        xlabel="x",
        ylabel="y",
    )
    turn = Curve(
        np.arange(21),
        {"angle to eigenvector 1": misses},
        "step",
        "angle [degrees]",
        log=True,
        marks={"now": float(steps)},
        dots=True,
        title="power iteration",
    )
    facts = {"determinant (area factor)": area(CIRCLE @ A.T) / area(CIRCLE)}
    facts |= {"λ₁": float(λ[0]), "λ₂": float(λ[1])} if real else {"size of λ": float(abs(λ[0]))}
    cells = Matrix(A, ("row 1", "row 2"), ("x", "y"), scale="signed", numbers=True, title="A")
    views: dict[str, View] = {
        "plane": plane,
        "matrix": cells,
        "turn": turn,
        "words": Note(_words(A, real)),
    }
    return Frame(1, 1, views, facts)


def _words(A: Array, real: bool) -> str:
    if not real:
        return "Every direction turns: no real eigenvector, and `x` never settles."
    if abs(np.linalg.det(A)) < 1e-9:
        return "The determinant is 0: the plane is flattened, and nothing can undo that."
    sense = "keeps" if np.linalg.det(A) > 0 else "swaps"
    return f"Two directions are only stretched, by λ₁ and λ₂. The map {sense} left and right."


def check() -> Iterator[Claim]:
    """The eigenvalues, the area and the power iteration of [[2, 1], [1, 2]]."""
    A = np.array(STRETCH).reshape(2, 2)
    yield same("Larger eigenvalue of [[2, 1], [1, 2]]", float(eigenvalues(A)[0]), 3.0)
    yield same("Smaller eigenvalue", float(eigenvalues(A)[1]), 1.0)
    factor = area(CIRCLE @ A.T) / area(CIRCLE)
    yield near("Area of the image of the unit disc, in discs", factor, 3.0, 0.001)
    cosine = power_iteration(A, 20)[-1] @ np.array([1.0, 1.0]) / np.sqrt(2)
    yield below("1 − cos of the angle to (1, 1) after 20 steps", 1 - cosine, 1e-12)
    random = np.random.default_rng(0).normal(size=(200, 2, 2))
    gaps = [
        np.abs(np.sort_complex(eigenvalues(B)) - np.sort_complex(np.linalg.eigvals(B))).max()
        for B in random
    ]
    yield below("Largest gap to LAPACK's eigenvalues, 200 random matrices", max(gaps), 1e-9)
