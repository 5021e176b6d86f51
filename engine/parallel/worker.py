"""One of several processes that train together: `python -m engine.parallel.worker RANK SIZE ...`.

Every process makes the same softmax classifier, draws the same batches of the digits, takes the
gradient on its own share of each, and averages gradients with the others (all-reduce over gloo on
the loopback device) before it steps. The first process prints losses and final weights as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from engine.data.shipped import digits

BATCH, RATE = 64, 0.5


def data() -> tuple[Tensor, Tensor]:
    """All digits: `(1797, 64)` in double precision, and their classes, `(1797,)`."""
    images, labels = digits()
    return torch.from_numpy(images).double().flatten(1), torch.from_numpy(labels)


def batches(steps: int, seed: int) -> Iterator[Tensor]:
    """Which digits each step sees, `(64,)`; the same in every process."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        yield torch.randint(1797, (BATCH,), generator=generator)


def gradient(w: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, float]:
    """Of the mean cross-entropy by the weights `(64, 10)`, and the loss itself [nat]."""
    w = w.detach().requires_grad_()
    loss = cross_entropy(x @ w, y)
    (slope,) = torch.autograd.grad(loss, w)
    return slope, loss.item()


def train(
    steps: int, seed: int, rank: int, size: int, average: Callable[[Tensor], Tensor]
) -> tuple[Tensor, list[float]]:
    """Train on the share of `rank` among `size` processes; weights, and the mean losses.

    Args:
        steps: How many batches.
        seed: Which batches.
        rank: Which share is ours, from 0.
        size: How many shares there are; must divide 64.
        average: Gives the mean of a tensor over all processes.
    """
    x, y = data()
    w, losses = torch.zeros(64, 10, dtype=torch.float64), []
    for rows in batches(steps, seed):
        share = rows.chunk(size)[rank]
        slope, loss = gradient(w, x[share], y[share])
        w = w - RATE * average(slope)
        losses.append(average(torch.tensor(loss, dtype=torch.float64)).item())
    return w, losses


def main(rank: int, size: int, store: str, steps: int, seed: int) -> None:
    """Meet the others at the file `store`, train, and tell."""
    import torch.distributed as dist

    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=size,
        timeout=timedelta(seconds=30),
    )  # fmt: skip

    def average(mine: Tensor) -> Tensor:
        dist.all_reduce(mine)  # the sum, in place
        return mine / size

    w, losses = train(steps, seed, rank, size, average)
    if rank == 0:
        json.dump({"weights": w.tolist(), "losses": losses}, sys.stdout)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
