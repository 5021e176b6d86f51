"""A photograph from a few layers.

Every matrix is a sum of layers of rank one, `A = Σ σᵢ uᵢ vᵢᵀ`, each a column of heights times
a row of heights, sorted by weight `σᵢ`. Keeping the first `k` layers gives the best
approximation of rank `k` there is, and what is lost is known beforehand:
`‖A − A_k‖² = Σ σᵢ²` over the layers left out.

**Try:** find the smallest rank at which you recognise the scene. How much is stored?

Source: Eckart & Young (1936), The approximation of one matrix by another of lower rank.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np

from demos.kit import Claim, Frames, Question, Slider, below, interactive, lab, near
from engine.views import Array, Curve, Frame, Tiles, View

LONGEST = 300  # largest rank on the slider


def photograph(name: str) -> Array:
    """A grey photograph, `(427, 640)`, in [0, 1]: the mean of red, green and blue."""
    from sklearn.datasets import load_sample_image

    return np.asarray(load_sample_image(f"{name}.jpg").mean(axis=2) / 255)


def layers(A: Array) -> tuple[Array, Array, Array]:
    """`U (rows, r)`, `σ (r,)` falling and `Vᵀ (r, columns)`, with `A = U diag(σ) Vᵀ`."""
    U, σ, Vt = np.linalg.svd(A, full_matrices=False)
    return U, σ, Vt


def rebuild(U: Array, σ: Array, Vt: Array, rank: int) -> Array:
    """The sum of the first `rank` layers, `(rows, columns)`."""
    return (U[:, :rank] * σ[:rank]) @ Vt[:rank]


def share(rows: int, columns: int, rank: int) -> float:
    """Numbers stored for `rank` layers, over those of the whole matrix."""
    return rank * (rows + columns + 1) / (rows * columns)


@lab(
    covers=["svd-low-rank"],
    seconds=5,
    quick={"rank": 5},
    tries={
        "One layer": {"rank": 1},
        "98 % of the energy": {"rank": 20, "photo": "china"},
        "Stored in full": {"rank": 256},
    },
    question=Question(
        "Rank 20 stores 8 % of the numbers. How much of the photograph's energy is kept?",
        ("About 8 %", "About 50 %", "About 98 %"),
        2,
        "The weights σ fall so fast that twenty of 427 layers hold nearly all of it: "
        "neighbouring rows of a photograph are almost alike.",
    ),
    needs=["linalg-transform"],
)
def run(
    photo: Literal["china", "flower"] = "china",
    rank: Annotated[
        int, Slider(1, LONGEST, log=True, help="More layers, more detail", live=True)
    ] = 20,
) -> Frames:
    """Rebuild the photograph from its first layers; show weights and what is lost."""
    A = photograph(photo)
    U, σ, Vt = layers(A)
    kept = np.cumsum(σ**2) / np.sum(σ**2)

    def picture(rank: int) -> Frame:
        # shown at half size, so that a frame is small; the mathematics runs on all pixels
        whole, near_it = _half(A), np.clip(_half(rebuild(U, σ, Vt, rank)), 0, 1)
        layer = _half(np.outer(U[:, rank - 1] * σ[rank - 1], Vt[rank - 1]))
        strong = np.quantile(np.abs(layer), 0.98)  # a few bright spots would leave the rest pale
        layer = np.clip(layer, -strong, strong)
        ranks = np.arange(1, len(σ) + 1)
        lost = np.maximum(1 - kept, 1e-12)
        weights = Curve(
            ranks,
            {"weight σ": σ, "energy lost [1]": lost},
            "layer",
            "",
            log=True,
            logx=True,
            marks={"rank": float(rank)},
            title="how fast the layers fade",
        )
        views: dict[str, View] = {
            "rebuilt": Tiles(near_it[None], (f"the first {rank} layers",), title="rebuilt"),
            "original": Tiles(whole[None], (f"{A.shape[0]} x {A.shape[1]}",), title="original"),
            "layer": Tiles(
                layer[None], (f"layer {rank} alone",), "signed", title="newest layer, σ u vᵀ"
            ),
            "weights": weights,
        }
        facts = {
            "energy kept [%]": 100 * float(kept[rank - 1]),
            "numbers stored [%]": 100 * share(len(A), len(A.T), rank),
            "mean error [grey levels]": 255 * float(np.sqrt(σ[rank:] @ σ[rank:] / A.size)),
        }
        return Frame(1, 1, views, facts)

    yield from interactive(picture, rank=rank)


def _half(image: Array) -> Array:
    rows, columns = image.shape[0] // 2, image.shape[1] // 2
    blocks = image[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2)
    return np.asarray(blocks.mean(axis=(1, 3)))


def check() -> Iterator[Claim]:
    """Eckart and Young's equation, and the figures of the photograph at rank 20."""
    A = photograph("china")
    U, σ, Vt = layers(A)
    gaps = []
    for rank in (1, 5, 20, 100, 300):
        left_out = np.sum(σ[rank:] ** 2)
        gaps.append(abs(np.sum((A - rebuild(U, σ, Vt, rank)) ** 2) / left_out - 1))
    yield below("‖A − A_k‖² against the sum of the σ² left out, 5 ranks", max(gaps), 1e-10)
    kept = 100 * np.sum(σ[:20] ** 2) / np.sum(σ**2)
    yield near("Energy kept at rank 20 [%]", kept, 98.1, 0.1)
    yield near("Numbers stored at rank 20 [%]", 100 * share(len(A), len(A.T), 20), 7.8, 0.05)
