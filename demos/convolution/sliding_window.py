"""A small window slides over a picture.

A convolution layer multiplies a window of the picture with a small kernel and adds up:
`z[i, j] = Σ_{a,b} k[a, b] · x[i + a, j + b]`. The same nine numbers are used at every place, so
it finds the same thing everywhere: an edge, a spot, a blur. Written as one matrix product it
is either *im2col* (every window a row, times the kernel) or a dense layer whose matrix is almost
empty and repeats the same nine numbers (a Toeplitz matrix).

**Try:** pick Sobel, click on a petal's edge and follow the nine products; then paint a kernel.

Source: Dumoulin & Visin (2016), A guide to convolution arithmetic for deep learning.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np

from demos.kit import (
    Choice,
    Claim,
    Frames,
    Numbers,
    Place,
    Question,
    below,
    interactive,
    lab,
    same,
)
from engine.views import Array, Field, Frame, Matrix, Note, View

KERNELS = {
    "sobel, left to right": (-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0),
    "sobel, up to down": (-1.0, -2.0, -1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 1.0),
    "blur": (1 / 9,) * 9,
    "sharpen": (0.0, -1.0, 0.0, -1.0, 5.0, -1.0, 0.0, -1.0, 0.0),
    "spot": (-1.0, -1.0, -1.0, -1.0, 8.0, -1.0, -1.0, -1.0, -1.0),
}
ROWS, COLUMNS = 60, 80
EXTENT, INNER = (0.0, 80.0, 0.0, 60.0), (1.0, 79.0, 1.0, 59.0)  # left, right, bottom, top
START = [36.0, 34.0]
PAINTED = [0.0, -1.0, 0.0, -1.0, 4.0, -1.0, 0.0, -1.0, 0.0]


def slide(x: Array, kernel: Array) -> Array:
    """Every window times the kernel: `(h, w)` and `(a, b)` to `(h − a + 1, w − b + 1)`."""
    rows, columns = x.shape[0] - kernel.shape[0] + 1, x.shape[1] - kernel.shape[1] + 1
    z = np.zeros((rows, columns))
    for (a, b), weight in np.ndenumerate(kernel):  # the window's place a, b for all i, j at once
        z += weight * x[a : a + rows, b : b + columns]
    return z


def im2col(x: Array, size: int = 3) -> Array:
    """Each window as a row: `(h, w)` to `(windows, size²)`."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size))
    return windows.reshape(-1, size * size)


def toeplitz(shape: tuple[int, int], kernel: Array) -> Array:
    """The dense layer that does the same: `(windows, h · w)`."""
    h, w = shape
    rows, columns = h - kernel.shape[0] + 1, w - kernel.shape[1] + 1
    matrix = np.zeros((rows, columns, h, w))
    for i, j in np.ndindex(rows, columns):
        matrix[i, j, i : i + kernel.shape[0], j : j + kernel.shape[1]] = kernel
    return matrix.reshape(rows * columns, h * w)


def wrapped(x: Array, kernel: Array) -> Array:
    """The same on a picture whose edges meet, `(h, w)` to `(h, w)`: circular convolution."""
    return np.array(sum(w * np.roll(x, (-a, -b), (0, 1)) for (a, b), w in np.ndenumerate(kernel)))


def photograph() -> Array:
    """The middle of a photograph of a flower, grey, `(60, 80)`, in [0, 1]."""
    from sklearn.datasets import load_sample_image

    grey = load_sample_image("flower.jpg").mean(axis=2) / 255  # (427, 640)
    blocks = grey[: 7 * ROWS, 40 : 40 + 7 * COLUMNS]
    return np.asarray(blocks.reshape(ROWS, 7, COLUMNS, 7).mean(axis=(1, 3)))


def outline(row: int, column: int) -> Array:
    """The window whose upper left pixel is at row, column, as a closed line, `(5, 2)`."""
    left, top, right, low = column, ROWS - row, column + 3, ROWS - row - 3
    return np.array([(left, top), (right, top), (right, low), (left, low), (left, top)])


@lab(
    covers=["convolution-2d"],
    seconds=1,
    quick={},
    tries={
        "Edges from left to right": {"kernel": "sobel, left to right"},
        "A blur": {"kernel": "blur"},
        "As a dense layer": {"kernel": "sharpen", "matrix": "Toeplitz"},
    },
    question=Question(
        "Sobel's kernel adds up to 0. What does it give on an evenly grey wall?",
        ("Grey", "Nothing: 0", "White"),
        1,
        "Equal pixels times weights that add up to 0 cancel: only differences are left.",
    ),
    needs=["mlp-vs-cnn"],
)
def run(
    kernel: Annotated[str, Choice((*KERNELS, "painted"), live=True)] = "sobel, left to right",
    painted: Annotated[
        list[float],
        Numbers(9, -9, 9, across=3, live=True, help="Your kernel, for the choice `painted`"),
    ] = PAINTED,
    where: Annotated[list[float], Place(EXTENT, "photo", help="Where the window stands")] = START,
    matrix: Annotated[str, Choice(("im2col", "Toeplitz"), live=True)] = "im2col",
) -> Frames:
    """Slide once over the photograph, then stand where the learner clicks."""
    photo = photograph()

    def picture(
        kernel: str, painted: list[float], where: list[float], matrix: str, done: int = ROWS
    ) -> Frame:
        k = np.array(KERNELS.get(kernel, tuple(painted))).reshape(3, 3)
        row = min(max(int(ROWS - where[1]) - 1, 0), ROWS - 6)
        column = min(max(int(where[0]) - 1, 0), COLUMNS - 6)
        window = photo[row : row + 3, column : column + 3]
        z = slide(photo, k)
        so_far = np.where(np.arange(len(z))[:, None] < done, z, np.nan)
        total = float((k * window).sum())
        small = photo[
            row // 10 * 10 : row // 10 * 10 + 6, column // 10 * 10 : column // 10 * 10 + 6
        ]
        as_matrix = im2col(small) if matrix == "im2col" else toeplitz(small.shape, k)
        pairs = zip(k.ravel(), window.ravel(), strict=True)
        said = " + ".join(f"{weight:.2g}·{pixel:.2f}" for weight, pixel in pairs)
        path = {"window": outline(row, column)}
        plane = partial(Field, xlabel="column [pixel]", ylabel="row [pixel]")
        across = "place in the window" if matrix == "im2col" else "pixel"
        nine, whole = f"kernel × window, sum {total:.3f}", f"{matrix} of a 6 × 6 piece"
        views: dict[str, View] = {
            "photo": plane(photo[::-1], EXTENT, path, "click: the window goes there", scale="grey"),
            "result": plane(so_far[::-1], INNER, title="what the kernel finds", scale="signed"),
            "products": Matrix(k * window, (), (), "column", "row", "signed", True, title=nine),
            "matrix": Matrix(as_matrix, (), (), across, "window", "signed", title=whole),
            "sum": Note(f"`{said} = {total:.3f}`", "the same, written out"),
        }
        return Frame(done, ROWS, views, {"answer at the window": total})

    shown: dict[str, Any] = {"kernel": kernel, "painted": painted, "matrix": matrix}
    for row in range(0, ROWS - 3, 2):
        walk: dict[str, Any] = {"where": [row * 7.0 % 76 + 2, ROWS - 2.0 - row], "done": row}
        shown.update((yield partial(picture, **walk | shown)) or {})
    yield from interactive(picture, **{"where": where} | shown)


def check() -> Iterator[Claim]:
    """Window, matrix and library agree; the matrix is sparse and repeats nine numbers."""
    from scipy.ndimage import correlate

    x, k = photograph(), np.array(KERNELS["sobel, left to right"]).reshape(3, 3)
    kernel = np.random.default_rng(0).normal(size=(3, 3))
    z = slide(x, kernel)
    largest = "largest difference"
    library = correlate(x, kernel)[1:-1, 1:-1]
    yield below(f"Sliding window − scipy, {largest}", abs(z - library).max(), 1e-10)
    columns = im2col(x) @ kernel.ravel()
    yield below(f"Sliding window − im2col, {largest}", abs(z.ravel() - columns).max(), 1e-10)
    piece = x[:12, :15]
    matrix = toeplitz((12, 15), kernel)
    gap = abs(slide(piece, kernel).ravel() - matrix @ piece.ravel()).max()
    yield below(f"Sliding window − Toeplitz matrix, {largest}", gap, 1e-10)
    yield same("Most non-zeros in a row of the matrix", int((matrix != 0).sum(1).max()), 9)
    yield same("Different non-zeros in all of it", len(np.unique(matrix[matrix != 0])), 9)
    column, row = np.array([[1.0], [2.0], [1.0]]), np.array([[-1.0, 0.0, 1.0]])
    twice = slide(slide(x, column), row)
    yield below("Sobel − its column after its row", abs(slide(x, k) - twice).max(), 1e-12)
    moved = wrapped(np.roll(x, (5, 3), (0, 1)), kernel)
    equal = bool((moved == np.roll(wrapped(x, kernel), (5, 3), (0, 1))).all())
    yield same("Moving, then convolving = convolving, then moving: exactly", equal, True)
