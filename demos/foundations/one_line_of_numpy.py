"""Say it in one line of NumPy or pandas.

Arrays let you speak of all numbers at once: `x - x.mean(axis=0)` centres every column, and the
loop over the numbers runs in compiled code. A table does the same with names:
`table.groupby("species")`. A convolution `yᵢⱼ = Σ xᵢ₊ₐ,ⱼ₊ᵦ kₐᵦ` takes four loops in Python, or one
line over a sliding view of the image, hundreds of times faster.

**Try:** solve the five exercises; the answer is drawn, and judged against the right one.

Source: Harris et al. (2020), Array programming with NumPy; McKinney (2010), Data structures for
statistical computing in Python; data: Fisher (1936), iris.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import numpy as np

from demos.kit import Choice, Claim, Frames, Question, Text, above, below, interactive, lab, near
from engine.data.shipped import iris
from engine.maths.cell import work_out
from engine.views import Array, Bars, Frame, Matrix, Note, View

EXERCISES = {  # what to find -> a line that does it
    "mean of every column": "x.mean(axis=0)",
    "every column centred": "x - x.mean(axis=0)",
    "how many petals are longer than 5 cm": "(x[:, 2] > 5).sum()",
    "mean petal length of each species": 'table.groupby("species").petal_length.mean()',
    "distance between every two of the first 30": (
        "np.sqrt(((x[:30, None] - x[None, :30]) ** 2).sum(axis=2))"
    ),
}
FIRST = next(iter(EXERCISES))
SIZES = (12, 20, 32)  # images for the race, in pixels across


def convolve_in_loops(image: Array, kernel: Array) -> Array:
    """`(rows, columns)` and `(k, k)` to `(rows − k + 1, columns − k + 1)`, number by number."""
    k = len(kernel)
    out = np.zeros((image.shape[0] - k + 1, image.shape[1] - k + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for a in range(k):
                for b in range(k):
                    out[i, j] += image[i + a, j + b] * kernel[a, b]
    return out


def convolve(image: Array, kernel: Array) -> Array:
    """The same in one line: every window as a view (no copies), times the kernel, summed."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)  # (rows, columns, k, k)
    return np.asarray(np.einsum("ijab,ab->ij", windows, kernel))


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Processor time of the fastest of some runs [s]."""
    times = []
    for _ in range(repeats):
        begun = time.process_time_ns()
        work()
        times.append(time.process_time_ns() - begun)
    return max(min(times), 1000) / 1e9


@lab(
    covers=["python-numpy-pandas"],
    seconds=1,
    tries={
        "Show me a group-by": {
            "exercise": "mean petal length of each species",
            "line": 'table.groupby("species").petal_length.mean()',
        },
        "Broadcasting: all distances": {
            "exercise": "distance between every two of the first 30",
            "line": EXERCISES["distance between every two of the first 30"],
        },
        "The mean of everything": {"exercise": FIRST, "line": "x.mean()"},
    },
    question=Question(
        "x has 150 rows (flowers) and 4 columns. What is the shape of x.mean(axis=0)?",
        ("(150,)", "(4,)", "A single number"),
        1,
        "axis=0 is the axis that disappears: the rows are averaged away, the columns stay.",
    ),
    needs=["tensor-shapes"],
)
def run(
    exercise: Annotated[str, Choice(tuple(EXERCISES), help="What to find", live=True)] = FIRST,
    line: Annotated[
        str,
        Text(160, help="x: 150 flowers by 4 lengths [cm]; table: the same, with names", live=True),
    ] = "x.mean(axis=1)",
) -> Frames:
    """Work out the line, draw what comes out, judge it; beside it, race loops against arrays."""
    table = iris()
    x = table.iloc[:, :4].to_numpy()
    random = np.random.default_rng(0)
    kernel, times = random.normal(size=(5, 5)), np.zeros((2, len(SIZES)))
    for i, size in enumerate(SIZES):
        image = random.normal(size=(size, size))
        times[0, i] = seconds(lambda image=image: convolve_in_loops(image, kernel), 1)  # type: ignore[misc]
        times[1, i] = seconds(lambda image=image: convolve(image, kernel), 5)  # type: ignore[misc]
    race = Bars(
        tuple(f"{size} x {size}" for size in SIZES),
        {"four loops": 1000 * times[0], "one line": 1000 * times[1]},
        "image",
        "time [ms]",
        log=True,
        title="5 x 5 convolution, just measured",
    )

    def picture(exercise: str, line: str) -> Frame:
        right, told = _drawn(work_out(EXERCISES[exercise], x=x.copy(), table=table.copy())), ""
        try:
            result: Array | None = _drawn(work_out(line, x=x.copy(), table=table.copy()))
        except ValueError as wrong:
            result, told = None, str(wrong)
        solved = result is not None and result.shape == right.shape and np.allclose(result, right)
        verdict = "Right." if solved else told or f"Not yet: wanted is the {exercise}."
        views: dict[str, View] = {
            "result": _shown(result, "what your line gives"),
            "wanted": _shown(right if solved else None, "what is wanted (shown once you have it)"),
            "verdict": Note(
                f"**Find the {exercise}.** `{line}`\n\n{verdict}",
                "exercise",
                "good" if solved else "plain",
            ),
            "race": race,
        }
        slow, fast = times[:, -1].tolist()
        facts = {"loops, 32 x 32 [s]": slow, "one line, 32 x 32 [s]": fast}
        return Frame(1, 1, views, facts)

    yield from interactive(picture, exercise=exercise, line=line)


def _drawn(value: Any) -> Array:
    """A result as an array of at most two axes, for judging and drawing.

    Raises:
        ValueError: It is none.
    """
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError("line: must give numbers, not words or an unfinished group") from None
    if array.ndim > 2 or array.size == 0:
        raise ValueError(f"line: must give one or two axes to be drawn; got shape {array.shape}")
    return array


def _shown(array: Array | None, title: str) -> Matrix:
    if array is None:
        return Matrix(np.zeros((1, 1)), title=title)
    shape = " x ".join(map(str, array.shape)) or "one number"
    table = np.atleast_2d(np.nan_to_num(array))[:150, :150]
    return Matrix(table, numbers=table.size <= 80, title=f"{title}: {shape}")


def check() -> Iterator[Claim]:
    """Loops and one line agree, the line is much faster, and a group-by gives Fisher's means."""
    random = np.random.default_rng(1)
    image, kernel = random.normal(size=(48, 48)), random.normal(size=(5, 5))
    gap = np.abs(convolve_in_loops(image, kernel) - convolve(image, kernel)).max()
    yield below("Four loops against one line, 5 x 5 convolution, largest gap", gap, 1e-12)
    slow = seconds(lambda: convolve_in_loops(image, kernel), 2)
    fast = seconds(lambda: convolve(image, kernel), 20)
    yield above("Times as fast in one line, 48 x 48 image", slow / fast, 20)
    means = work_out(EXERCISES["mean petal length of each species"], table=iris())
    for name, value in {"setosa": 1.462, "versicolor": 4.260, "virginica": 5.552}.items():
        yield near(f"Mean petal length of {name} [cm]", means[name], value, 1e-9)
