"""Many workers, one gradient.

In data parallelism every worker has the whole network and a share of the batch; before each step
the gradients are averaged, and all make the same step: the result is that of one machine. A *ring*
averages without a centre: cut the gradient into `N` chunks; in `N − 1` turns every chunk travels
round and collects a summand at each worker, in `N − 1` more the sums travel round. Each worker
sends `2 (N − 1)/N` of the gradient, less than two of it; a parameter server must send all `N`.

**Try:** go through the ring turn by turn; then let workers use stale gradients instead of waiting.

Source: Patarasuk & Yuan (2009), Bandwidth optimal all-reduce algorithms for clusters of
workstations; Li et al. (2020), PyTorch Distributed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch

from demos.kit import Claim, Frames, Question, Slider, above, below, interactive, lab, near, same
from engine.parallel.team import team, wait
from engine.parallel.worker import RATE, batches, data, gradient, train
from engine.views import Array, Bars, Curve, Edge, Frame, Graph, Matrix, Node, View


@dataclass(frozen=True)
class Turn:
    """The ring after a turn.

    Attributes:
        chunks: What each worker (row) holds of each chunk (column): a list of arrays a worker.
        summands: How many workers' numbers are in it, `(workers, workers)`.
        moved: Which chunk each worker has just sent to the next; empty at the start.
        sent: Numbers that each worker has sent so far, `(workers,)`.
    """

    chunks: list[list[Array]]
    summands: Array
    moved: tuple[int, ...]
    sent: Array


def ring(vectors: Array) -> Iterator[Turn]:
    """All-reduce of one vector a worker, `(workers, n)`: at the end every worker has the sum."""
    N = len(vectors)
    chunks, count = [np.array_split(v, N) for v in vectors], np.ones((N, N))
    sent = np.zeros(N)
    yield Turn(chunks, count, (), sent)
    for turn in range(2 * (N - 1)):
        adding, back = turn < N - 1, turn % (N - 1)
        moved = tuple((i - back + (0 if adding else 1)) % N for i in range(N))
        outgoing = [(chunks[i][c].copy(), count[i, c]) for i, c in enumerate(moved)]
        chunks, count, sent = [list(row) for row in chunks], count.copy(), sent.copy()
        for i, (numbers, summands) in enumerate(outgoing):
            to, c = (i + 1) % N, moved[i]
            chunks[to][c] = chunks[to][c] + numbers if adding else numbers
            count[to, c] = count[to, c] + summands if adding else summands
            sent[i] += len(numbers)
        yield Turn(chunks, count, moved, sent)


def stale_losses(steps: int, seed: int, delay: int) -> list[float]:
    """Losses if each gradient was taken at the weights of `delay` steps ago [nat]."""
    x, y = data()
    past, losses = [torch.zeros(64, 10, dtype=torch.float64)], []
    for rows in batches(steps, seed):
        losses.append(gradient(past[-1], x[rows], y[rows])[1])
        slope, _ = gradient(past[max(0, len(past) - 1 - delay)], x[rows], y[rows])
        past.append(past[-1] - RATE * slope)
    return losses


@lab(
    covers=["data-parallelism"],
    seconds=12,
    quick={"processes": "none, only the ring", "steps": 5},
    tries={
        "Two processes, five in the ring": {"workers": 5},
        "Gradients ten steps old": {"stale": 10, "steps": 100},
        "Eight in the ring": {"workers": 8, "processes": "none, only the ring"},
    },
    question=Question(
        "5 workers average 500 numbers in a ring. How many numbers does each worker send?",
        ("500", "800", "2,000", "2,500"),
        1,
        "2 · 4 turns of a chunk of 100 numbers; with 100 workers it would be 990.",
    ),
    needs=["gd-variants"],
)
def run(
    workers: Annotated[int, Slider(2, 8, help="A larger ring in the picture")] = 5,
    processes: Literal["two real ones", "none, only the ring"] = "two real ones",
    stale: Annotated[int, Slider(0, 20, unit="steps", help="Older gradients, no waiting")] = 0,
    steps: Annotated[int, Slider(1, 200, help="A longer training")] = 40,
    turn: Annotated[int, Slider(0, 14, live=True, help="Forward in the ring")] = 14,
    seed: Annotated[int, Slider(0, 99, help="Other batches")] = 0,
) -> Frames:
    """Train in processes of their own; meanwhile, and afterwards, the ring turn by turn."""
    turns = list(ring(np.random.default_rng(seed).standard_normal((workers, 500))))
    alone, losses = train(steps, seed, 0, 1, lambda mine: mine)
    lines = {"one process": np.array(losses)}
    if stale:
        lines[f"gradients {stale} steps old"] = np.array(stale_losses(steps, seed, stale))
    gap = float("nan")
    if processes == "two real ones":
        with team(2, steps, seed) as started:
            until, now = time.monotonic() + 60, 0
            while any(one.poll() is None for one in started) and time.monotonic() < until:
                yield _frame(turns, now % len(turns), lines, gap, steps)
                now += 1
                time.sleep(0.4)  # the processes compute meanwhile, and a reader can follow
            told = wait(started)
        lines["two processes"] = np.array(told["losses"])
        gap = float((torch.tensor(told["weights"], dtype=torch.float64) - alone).abs().max())

    def picture(turn: int) -> Frame:
        return _frame(turns, min(turn, len(turns) - 1), lines, gap, steps)

    yield from interactive(picture, turn=turn)


def _frame(turns: list[Turn], at: int, lines: dict[str, Array], gap: float, steps: int) -> Frame:
    now, N = turns[at], len(turns[0].summands)
    names, angles = [f"worker {i + 1}" for i in range(N)], 2 * np.pi * np.arange(N) / N
    nodes = tuple(
        Node(name, name, 0.5 + 0.5 * np.sin(a), 0.5 + 0.5 * np.cos(a), float(done))
        for name, a, done in zip(names, angles, (now.summands == N).sum(1), strict=True)
    )
    edges = tuple(
        Edge(names[i], names[(i + 1) % N], label=f"chunk {now.moved[i] + 1}" if now.moved else "")
        for i in range(N)
    )
    phase = "before the first turn" if at == 0 else f"turn {at} of {2 * (N - 1)}"
    views: dict[str, View] = {
        "ring": Graph(nodes, edges, f"{phase}: who sends what; how many chunks are complete"),
        "chunks": Matrix(
            now.summands, tuple(names), tuple(f"chunk {i + 1}" for i in range(N)), numbers=True,
            highlight=tuple(((i + 1) % N, c) for i, c in enumerate(now.moved)),
            title="summands in each chunk (framed: just arrived)",
        ),
        "loss": Curve(
            np.arange(1, steps + 1), dict(lines), "step", "loss of the batch [nat]",
            title="one training, told by everybody",
        ),
        "traffic": Bars(
            ("ring, each worker", "server, each worker", "the server itself"),
            {"numbers sent": np.array([now.sent.max(), 500.0, 500.0 * N])},
            ylabel="numbers sent", level={"ring at the end": 1000 * (N - 1) / N},
            title="sent for 500 numbers, so far and by a server",
        ),
    }  # fmt: skip
    facts = {
        "numbers sent by a worker": float(now.sent.max()),
        "complete chunks": float((now.summands == N).sum()),
    }
    if np.isfinite(gap):
        facts["two processes − one, weights"] = gap
    return Frame(at, len(turns) - 1, views, facts)


def check() -> Iterator[Claim]:
    """Two real processes find the weights of one; the ring's sum is exact and its traffic known."""
    with team(2, steps=10, seed=0) as started:
        alone, losses = train(10, 0, 0, 1, lambda mine: mine)
        told = wait(started)
    gap = float((torch.tensor(told["weights"], dtype=torch.float64) - alone).abs().max())
    yield below("Two processes − one, weights after 10 steps", gap, 1e-12)
    apart = float(np.abs(np.array(told["losses"]) - losses).max())
    yield below("the same, losses of the 10 steps [nat]", apart, 1e-12)
    yield above("Loss of the first step − last [nat]", losses[0] - losses[-1], 0.5)
    whole = np.random.default_rng(0).integers(-1000, 1000, (5, 500)).astype(float)
    *_, last = ring(whole)
    exact = all(np.array_equal(np.concatenate(row), whole.sum(0)) for row in last.chunks)
    yield same("Ring of 5: every worker has the exact sum", exact, True)
    yield near("numbers sent by each, of 500", last.sent.max(), 800, 0)
    for N in (2, 3, 8):
        *_, last = ring(np.ones((N, 24 * N)))
        yield near(f"Ring of {N}: share sent", last.sent.max() / (24 * N), 2 * (N - 1) / N, 1e-12)
    fresh, old = (np.mean(stale_losses(100, 0, delay)[-10:]) for delay in (0, 10))
    yield above("Loss with gradients 10 steps old − fresh [nat]", float(old - fresh), 0.0)
