"""How do shapes fit together?

Arrays of different shapes can be added when, written right-aligned, every pair of lengths is equal
or one of them is 1 (or missing): that axis is stretched, without copying, by a step in memory
(stride) of 0. `einsum` names the axes instead, `Cᵢₖ = Σⱼ Aᵢⱼ Bⱼₖ` is `ij,jk->ik`: align all
letters, multiply, and sum over those that the result does not have.

**Try:** type `(3,)` and `(4,)`. Then `(3, 1)` and `(4,)`: a table of all sums.

Source: NumPy and PyTorch documentation, Broadcasting semantics; Einstein (1916), section 5.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

import numpy as np
import torch

from demos.kit import Claim, Frames, Question, Text, above, below, interactive, lab, same
from engine.views import Edge, Frame, Graph, Matrix, Node, Note, Table, View, layered

Shape = tuple[int, ...]


def broadcast(left: Shape, right: Shape) -> Shape:
    """The common shape of two arrays.

    Raises:
        ValueError: Two lengths differ and neither is 1.
    """
    size = max(len(left), len(right))
    pairs = list(zip(_padded(left, size), _padded(right, size), strict=True))
    for axis, (a, b) in enumerate(pairs):
        if a != b and 1 not in (a, b):
            raise ValueError(f"axis {axis - size} has {a} on the left and {b} on the right")
    return tuple(b if a == 1 else a for a, b in pairs)


def _padded(shape: Shape, size: int) -> Shape:
    return (1,) * (size - len(shape)) + shape


def einsum(equation: str, *arrays: torch.Tensor) -> torch.Tensor:
    """Align all letters, multiply, sum: what `torch.einsum` does, if not as fast."""
    sources, result = letters(equation)
    order = result + "".join(sorted(set("".join(sources)) - set(result)))
    product = torch.ones(())
    for source, array in zip(sources, arrays, strict=True):
        turned = array.permute([source.index(one) for one in order if one in source])
        lengths = dict(zip(source, array.shape, strict=True))
        product = product * turned.reshape([lengths.get(one, 1) for one in order])
    extra = tuple(range(len(result), len(order)))
    return product.sum(dim=extra) if extra else product


def letters(equation: str) -> tuple[list[str], str]:
    """The axes of each array, and of the result.

    Raises:
        ValueError: It does not read like `ij,jk->ik`.
    """
    left, arrow, result = equation.replace(" ", "").partition("->")
    sources = left.split(",")
    if not arrow or not re.fullmatch(r"[a-z]{0,6}(,[a-z]{0,6}){0,3}", left):
        raise ValueError(f"write letters, commas, an arrow, as in ij,jk->ik; got {equation!r:.40}")
    if any(len(set(one)) < len(one) for one in (*sources, result)):
        raise ValueError("here every letter may stand once in an array and once in the result")
    if extra := set(result) - set(left):
        raise ValueError(f"the result has {', '.join(sorted(extra))}, which no array has")
    return sources, result


def shape_of(text: str) -> Shape:
    """A shape typed as `(3, 1)`.

    Raises:
        ValueError: It is no shape of at most five axes with lengths 0 to 12.
    """
    numbers = re.fullmatch(r"\s*\(?\s*((\d{1,4}\s*(,\s*)?)*)\)?\s*", text)
    shape = tuple(int(n) for n in re.findall(r"\d+", numbers[1])) if numbers else (99,)
    if len(shape) > 5 or max(shape, default=0) > 12:
        raise ValueError(f"write up to five lengths of at most 12, as in (3, 1); got {text!r:.30}")
    return shape


@lab(
    covers=["tensor-shapes"],
    seconds=1,
    tries={
        "A table of all sums": {"left": "(3, 1)", "right": "(4,)"},
        "Two that do not fit": {"left": "(2, 3)", "right": "(4,)"},
        "Batched matrix product": {"equation": "bij,bjk->bik"},
    },
    question=Question(
        "What is the shape of a (3, 1) array plus a (4,) array?",
        ("An error", "(3, 4)", "(3, 1, 4)"),
        1,
        "Right-aligned: 1 against 4 stretches to 4, and 3 against a missing axis stays 3.",
    ),
)
def run(
    left: Annotated[str, Text(30, help="A shape, as in (3, 1)", live=True)] = "(3, 1)",
    right: Annotated[str, Text(30, help="Another shape", live=True)] = "(4,)",
    equation: Annotated[str, Text(40, help="As in ij,jk->ik", live=True)] = "ij,jk->ik",
) -> Frames:
    """Align the shapes, add two arrays of them, and draw the letters of the equation."""
    yield from interactive(picture, left=left, right=right, equation=equation)


def picture(left: str, right: str, equation: str) -> Frame:
    """What fits, what is stretched, what is summed; or, in words, why not."""
    alignment, sums, told = Table(("shape",), (), "right-aligned"), torch.zeros(1, 1), ""
    try:
        shapes = shape_of(left), shape_of(right)
        alignment = _aligned(shapes, ())
        common = broadcast(*shapes)
        tens, ones = (torch.arange(math.prod(s)).reshape(s) for s in shapes)
        stretched = [(10 * tens).expand(common), ones.expand(common)]
        alignment = _aligned((*shapes, common), [a.stride() for a in stretched])
        last = common[-1] if common else 1
        sums = (stretched[0] + stretched[1]).reshape(-1, max(1, last))[:12]
        told = f"Together they have shape {common}. Stride 0 reads one number again and again."
    except ValueError as wrong:
        told = f"These do not fit: {wrong}."
    try:
        sources, result = letters(equation)
        network = _network(sources, result)
        summed = ", ".join(sorted(set("".join(sources)) - set(result))) or "nothing"
        told += f"\n\nThe equation sums over {summed} and keeps {result or 'one number'}."
    except ValueError as wrong:
        network = Graph((Node("none", "no equation", 0.5, 0.5),), (), "who has which axis")
        told += f"\n\nThe equation does not read: {wrong}."
    shown = sums.double().numpy() if sums.numel() else np.zeros((1, 1))
    table = Matrix(shown, numbers=True, title="0 10 20 … on the left, plus 0 1 2 … on the right")
    views: dict[str, View] = {"sums": table, "alignment": alignment, "letters": network}
    views["words"] = Note(told)
    return Frame(1, 1, views, {"numbers shown of the sum": float(shown.size)})


def _aligned(shapes: tuple[Shape, ...], strides: Sequence[Shape]) -> Table:
    axes = max(len(shape) for shape in shapes)
    steps = [*map(str, strides), *("" for _ in range(3))]
    rows = tuple(
        (name, *("" for _ in range(axes - len(shape))), *map(str, shape), step)
        for name, shape, step in zip(("left", "right", "sum"), shapes, steps, strict=False)
    )
    heads = ("", *(f"axis {axis - axes}" for axis in range(axes)), "stride")
    return Table(heads, rows, "right-aligned")


def _network(sources: list[str], result: str) -> Graph:
    axes = sorted(set("".join(sources)))
    names = [f"array {i + 1}: {one or 'number'}" for i, one in enumerate(sources)]
    places = layered([names, axes or ["no axis"], [f"result: {result or 'number'}"]])
    nodes = tuple(
        Node(name, f"Σ {name}" if name in axes and name not in result else name, *place)
        for name, place in places.items()
    )
    into = [Edge(n, a, 1.0) for n, one in zip(names, sources, strict=True) for a in one]
    out = [Edge(a, f"result: {result or 'number'}", 1.0) for a in result]
    return Graph(nodes, (*into, *out), "who has which axis (Σ: summed over)")


def check() -> Iterator[Claim]:
    """Our rules against NumPy's and PyTorch's own."""
    random = np.random.default_rng(0)
    agreed = failed = 0
    for _ in range(500):
        a, b = (tuple(random.integers(1, 4, random.integers(0, 5)).tolist()) for _ in "ab")
        ours = _outcome(broadcast, a, b)
        agreed += ours == _outcome(np.broadcast_shapes, a, b)
        failed += ours is None
    yield same("Random pairs of shapes on which we agree with NumPy, of 500", agreed, 500)
    yield above("pairs of them that do not fit", failed, 50)
    generator = torch.Generator().manual_seed(0)
    A, B = torch.randn(3, 4, 5, generator=generator), torch.randn(3, 5, 6, generator=generator)
    gap = (einsum("bij,bjk->bik", A, B) - A @ B).abs().max().item()
    yield below("bij,bjk->bik against the batched product, largest gap", gap, 1e-5)
    yield same("Stride of an expanded axis", torch.ones(3, 1).expand(3, 4).stride()[1], 0)


def _outcome(rule: Callable[..., Shape], a: Shape, b: Shape) -> Shape | None:
    try:
        return rule(a, b)
    except ValueError:
        return None
