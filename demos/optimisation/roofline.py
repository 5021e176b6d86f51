"""Why chips love matrix products.

A processor can compute no faster than its arithmetic units, nor than memory brings numbers:
`FLOP/s ≤ min(peak, intensity · bandwidth)`, where intensity is the work per byte moved. That is
the roofline. Adding two matrices does one operation for twelve bytes and waits for memory; a
product of two `n × n` matrices does `n/6` and can run at the peak. A TPU's systolic array goes
further: weights stay in an `N × N` grid, inputs march through it, and each number fetched once is
used `N` times: `M` rows take `M + 2N − 2` cycles.

**Try:** step through the cycles and follow the wave of inputs through the grid.

Source: Williams, Waterman & Patterson (2009), Roofline;
Jouppi et al. (2017), In-datacenter performance analysis of a tensor processing unit.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from typing import Annotated

import numpy as np
import torch

from demos.kit import Claim, Frames, Question, Slider, above, interactive, lab, near, same
from engine.views import Array, Bars, Curve, Frame, Matrix, View

FLOAT = 4  # bytes of an FP32 number


def systolic(A: Array, W: Array) -> tuple[Array, list[tuple[Array, Array]]]:
    """`A @ W` by a weight-stationary grid, as a chip would do it, one cycle after the other.

    Cell (i, j) keeps `W[i, j]`. In every cycle it takes an input from its left and a partial sum
    from above, adds their product with its weight, and hands the input right, the sum down.

    Args:
        A: Rows that march in from the left, `(M, N)`; column i enters i cycles late.
        W: The weights at rest, `(N, N)`.

    Returns:
        The product, `(M, N)`; inputs and sums in the grid after each cycle.
    """
    M, N = A.shape
    inputs, sums = np.zeros((N, N)), np.zeros((N, N))
    product, cycles = np.zeros((M, N)), []
    for cycle in range(M + 2 * N - 2):
        entering = [A[cycle - i, i] if 0 <= cycle - i < M else 0.0 for i in range(N)]
        inputs = np.column_stack([entering, inputs[:, :-1]])
        sums = np.vstack([np.zeros(N), sums[:-1]]) + inputs * W
        cycles.append((inputs, sums))
        for j in range(N):  # what leaves at the bottom of column j
            row = cycle - (N - 1) - j
            if 0 <= row < M:
                product[row, j] = sums[-1, j]
    return product, cycles


def work() -> dict[str, tuple[Callable[[], object], float, float]]:
    """Operation -> how to run it, its floating-point operations and the bytes it must move."""
    n, generator = 1024, torch.Generator().manual_seed(0)
    a, b = (torch.randn(n, n, generator=generator) for _ in range(2))
    image = torch.randn(8, 16, 64, 64, generator=generator)
    kernel = torch.randn(16, 16, 3, 3, generator=generator)
    q, k, v = (torch.randn(1, 4, 512, 32, generator=generator) for _ in range(3))
    out, attend = torch.empty(n, n), torch.nn.functional.scaled_dot_product_attention
    wide = torch.ones(3, 2 * n, 2 * n)  # 48 MB: more than most caches hold
    return {
        "add": (lambda: torch.add(wide[0], wide[1], out=wide[2]), 4 * n**2, 12 * n**2 * FLOAT),
        "matmul": (lambda: torch.mm(a, b, out=out), 2 * n**3, 3 * n**2 * FLOAT),
        "conv 3×3": (
            lambda: torch.nn.functional.conv2d(image, kernel, padding=1),
            2 * 16 * 9 * image.numel(),
            (2 * image.numel() + kernel.numel()) * FLOAT,
        ),
        "attention": (lambda: attend(q, k, v), 4 * 4 * 512**2 * 32, 4 * q.numel() * FLOAT),
    }


def seconds(run: Callable[[], object], repeats: int) -> float:
    """The shortest of a few runs [s of one core]: the one that others disturbed least."""
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        run()
        times.append(time.process_time() - begun)
    return min(times)


@functools.cache
def measured() -> dict[str, tuple[float, float]]:
    """Operation -> intensity [FLOP/byte] and speed [FLOP/s] on one core of this machine."""
    return {
        name: (flops / size, flops / seconds(run, repeats=5 if name == "matmul" else 10))
        for name, (run, flops, size) in work().items()
    }


def roof(points: dict[str, tuple[float, float]]) -> Curve:
    """The roofline through the fastest sum and the fastest product, and every point under it."""
    peak = max(speed for _, speed in points.values())
    bandwidth = points["add"][1] / points["add"][0]  # bytes/s
    at = np.array(sorted({0.02, 0.05, peak / bandwidth, 500.0, *(i for i, _ in points.values())}))
    dots = {
        name: np.where(at == intensity, speed / 1e9, np.nan)
        for name, (intensity, speed) in points.items()
    }
    return Curve(
        at, {"roof": np.minimum(peak, at * bandwidth) / 1e9, **dots}, "intensity [FLOP/byte]",
        "speed [GFLOP/s]", log=True, logx=True, dots=True, title="the roofline of this machine",
    )  # fmt: skip


def picture(cycle: int, rows: int, size: int) -> Frame:
    """The grid in one cycle, and the roofline measured here."""
    generator = np.random.default_rng(0)
    A = generator.integers(1, 4, (rows, size)).astype(float)
    W = generator.integers(-2, 3, (size, size)).astype(float)
    product, cycles = systolic(A, W)
    cycle = min(cycle, len(cycles))
    inputs, sums = cycles[cycle - 1]
    done = sum(1 for r in range(rows) for j in range(size) if r + size - 1 + j < cycle)
    points = measured()
    views: dict[str, View] = {
        "grid": Matrix(
            inputs, xlabel="columns of W", ylabel="rows of W", numbers=True,
            title=f"inputs marching right, cycle {cycle} of {len(cycles)}",
        ),
        "sums": Matrix(
            sums, xlabel="columns of W", ylabel="rows of W", numbers=True, scale="signed",
            title="partial sums marching down",
        ),
        "roofline": roof(points),
        "speed": Bars(
            tuple(points), {"GFLOP/s": np.array([speed / 1e9 for _, speed in points.values()])},
            xlabel="operation", ylabel="speed [GFLOP/s]", log=True, title="one core, measured",
        ),
    }  # fmt: skip
    facts = {
        "cycles M + 2N − 2": len(cycles),
        "cells at work [%]": 100 * float((inputs != 0).mean()),
        "results finished": done,
        "largest error of the product": float(np.abs(product - A @ W).max()),
    }
    return Frame(cycle, len(cycles), views, facts)


@lab(
    covers=["hardware-roofline"],
    seconds=1,
    quick={"cycle": 2},
    tries={
        "A short batch: mostly waiting": {"rows": 1, "size": 8},
        "A long batch: always busy": {"rows": 64, "size": 8, "cycle": 40},
        "The first inputs": {"cycle": 3},
    },
    question=Question(
        "A sum of matrices has 1/2048 of a product's operations (n = 1024). How much of its time?",
        ("About 1/2048", "Far more than that"),
        1,
        "The sum moves as many bytes as the product and waits for them: 0.083 FLOP for each "
        "byte, against 171.",
    ),
    needs=["tensor-shapes"],
)
def run(
    cycle: Annotated[int, Slider(1, 78, help="Later in the product", live=True)] = 9,
    rows: Annotated[int, Slider(1, 64, help="More rows M of inputs", live=True)] = 8,
    size: Annotated[int, Slider(2, 8, help="A larger grid N", live=True)] = 4,
) -> Frames:
    """Play the cycles up to `cycle`, then answer to every change."""
    for now in range(1, min(cycle, rows + 2 * size - 2)):
        yield picture(now, rows, size)
    yield from interactive(picture, cycle=cycle, rows=rows, size=size)


def check() -> Iterator[Claim]:
    """The systolic array's cycles, the intensities, and who is faster here."""
    generator = np.random.default_rng(1)
    for rows, cycles in ((4, 10), (16, 22), (64, 70)):
        A, W = generator.integers(-9, 10, (rows, 4)), generator.integers(-9, 10, (4, 4))
        product, steps = systolic(A.astype(float), W.astype(float))
        yield same(f"N = 4, M = {rows}: cycles", len(steps), cycles)
        yield same("equal to A @ W", bool((product == A @ W).all()), True)
    points = measured()
    yield near("Intensity of a product, n = 1024 [FLOP/byte]", points["matmul"][0], 170.67, 0.05)
    yield near("Intensity of a sum", points["add"][0], 0.0833, 0.0005)
    ratio = points["matmul"][1] / points["add"][1]
    yield above("Product against sum on this machine, FLOP/s, times", ratio, 5)
