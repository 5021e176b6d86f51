"""Transfer: attack a copy of one's own, and hope that it fools the other one too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import torch
from torch import nn
from torch.nn import functional

from engine.attack.balls import across, anywhere
from engine.attack.table import Epsilon, Seed, attack, attacks, loss
from engine.attack.watch import seen, unseen
from engine.explain.table import calm
from engine.forms import Choice, Slider

CARRIERS = ("mifgsm", "nifgsm", "pgd", "fgsm", "apgd_ce")


@attack("transfer", norm="Linf", gradients=False, minimal=False)
def transfer(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    carrier: Annotated[str, Choice(CARRIERS, help="How the copy is attacked")] = "mifgsm",
    queries: Annotated[int, Slider(20, 5000, log=True, help="Learns the copy from more")] = 500,
    targeted: bool = False,
    surrogate: nn.Module | None = None,
    seed: Seed = 0,
) -> torch.Tensor:
    """A gradient attack on a surrogate; the attacked network is only asked for answers.

    Without a surrogate (in notebooks: `surrogate=other_model`) a small substitute learns from the
    network's answers to noisy copies of the samples. A change that the network's own scores call
    worse than none is not used.

    Source: Papernot et al. (2017), Practical black-box attacks against machine learning.
    """
    if surrogate is None:
        surrogate = substitute(module, x, epsilon=epsilon, queries=queries, seed=seed)
    settings = {"targeted": True} if targeted else {}
    with unseen():
        found: torch.Tensor = attacks.find(carrier)(surrogate, x, y, epsilon=epsilon, **settings)
    seen(found)
    with torch.no_grad():
        gain = loss(module, found, y, targeted=targeted) > loss(module, x, y, targeted=targeted)
    return torch.where(across(gain, x), found, x)


def substitute(
    module: nn.Module, x: torch.Tensor, *, epsilon: float, queries: int, seed: int
) -> nn.Module:
    """A network with one hidden layer that imitates another one around some samples.

    It learns the chances that the network gives to random places of twice the ball.
    """
    generator = torch.Generator().manual_seed(seed)
    copies = max(1, queries // len(x))
    places = [x] + [anywhere(x, 2 * epsilon, "Linf", generator) for _ in range(copies - 1)]
    with torch.no_grad():
        known = torch.cat([module(place).softmax(1) for place in places])
    asked_at = torch.cat(places)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        size = x[0].numel()
        copy = nn.Sequential(
            nn.Flatten(), nn.Linear(size, 64), nn.Softplus(), nn.Linear(64, known.shape[1])
        ).to(x.dtype)
    adam = torch.optim.Adam(copy.parameters(), lr=0.01)
    for _ in range(150):
        with torch.enable_grad():
            miss = functional.cross_entropy(copy(asked_at), known)
        adam.zero_grad()
        miss.backward()
        adam.step()
    return copy


def transfers(
    models: list[nn.Module],
    name: str,
    x: torch.Tensor,
    y: torch.Tensor,
    made: Callable[[int, torch.Tensor], None] | None = None,
    **settings: object,
) -> torch.Tensor:
    """Which part of the samples an attack on one model (row) also fools another (column) with.

    Counted are samples that the attacked model is right about without an attack. `made` is told
    each model's number and the samples made against it.

    Returns:
        `(models, models)`, in [0, 1]; NaN where a model is right about none.
    """
    rows: list[torch.Tensor] = []
    for own in models:
        found = attacks.find(name)(own, x, y, **settings)
        if made is not None:
            made(len(rows), found)
        row = []
        for other in models:
            with torch.no_grad(), calm(other):
                right, after = other(x).argmax(1) == y, other(found).argmax(1) != y
            row.append((after & right).sum() / right.sum())
        rows.append(torch.stack(row))
    return torch.stack(rows)
