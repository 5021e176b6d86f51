"""PGD with forty steps: ours against captum.robust, foolbox and the loop of torchattacks, in turn.

torchattacks itself does not import beside this torch; its loop (version 3.5, `attacks/pgd.py`) is
written here line by line. All four walk the same way: the results are compared too.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from tools.measure import Row

ROUNDS = 7
EPSILON, ALPHA, STEPS = 0.1, 0.01, 40
CALLS = {64: 2, 1: 30}  # batch -> calls a round
GOALS = {64: 1.4, 1: 1.05}

Walk = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def rows() -> list[Row]:
    """Calls a second on a small network of two convolutions, 28 × 28 pictures, one thread."""
    torch.set_num_threads(1)
    found = []
    for batch, goal in GOALS.items():
        x = torch.rand((batch, 1, 28, 28), generator=torch.Generator().manual_seed(batch))
        with torch.no_grad():
            y = _network()(x).argmax(1)
        rates, most = _in_turn(_walks(), x, y, CALLS[batch])
        mine = rates.pop("ours")
        for peer, theirs in rates.items():
            ratio = statistics.median(a / b for a, b in zip(mine, theirs, strict=True))
            speeds = (
                f"{statistics.median(mine):.3g} against {statistics.median(theirs):.3g} calls/s"
            )
            found.append(
                Row(
                    f"PGD-{STEPS}, batch of {batch}, over {peer}",
                    f"{ratio:.2f} ×",
                    f"≥ {goal} ×",
                    ratio >= goal,
                    f"{speeds}; {100 * most[peer]:.2g} % of the pixels differ",
                )
            )
    return found


def _in_turn(
    walks: Mapping[str, Walk], x: torch.Tensor, y: torch.Tensor, calls: int
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Each walk's calls a second, a number a round, and which part of its result is not ours.

    Slopes that rounding turns round (sums are added in another order) let some pixels part ways.
    """
    results = {name: walk(x, y) for name, walk in walks.items()}  # warm, too
    apart = {name: (one - results["ours"]).abs() > 1e-5 for name, one in results.items()}
    most = {name: float(one.float().mean()) for name, one in apart.items()}
    rates: dict[str, list[float]] = {name: [] for name in walks}
    for _ in range(ROUNDS):
        for name, walk in walks.items():
            begun = time.process_time()
            for _ in range(calls):
                walk(x, y)
            rates[name].append(calls / (time.process_time() - begun))
    return rates, most


def _network() -> nn.Module:
    """The same weights every time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(32 * 49, 10),
        ).eval()


def _walks() -> dict[str, Walk]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # captum and foolbox warn while they are imported
        return {
            "ours": _ours(),
            "captum.robust": _captum(),
            "foolbox": _foolbox(),
            "the loop of torchattacks": _torchattacks(),
        }


def _ours() -> Walk:
    """As the product does: the network as `engine.models.kept` opens it."""
    from engine.attack import attacks
    from engine.models.layout import lay_out

    module, pgd = lay_out(_network()), attacks.find("pgd")

    def walk(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = pgd(module, x, y, epsilon=EPSILON, steps=STEPS, step=ALPHA / EPSILON)
        return found

    return walk


def _captum() -> Walk:
    from captum.robust import PGD

    loss = nn.CrossEntropyLoss(reduction="none")
    pgd = PGD(_network(), loss_func=loss, lower_bound=0, upper_bound=1)

    def walk(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = pgd.perturb(
            x, radius=EPSILON, step_size=ALPHA, step_num=STEPS, target=y
        )
        return found

    return walk


def _foolbox() -> Walk:
    import foolbox
    from foolbox.models.pytorch import PyTorchModel

    model: Any = PyTorchModel(_network(), bounds=(0, 1), device="cpu")
    pgd = foolbox.attacks.LinfPGD(abs_stepsize=ALPHA, steps=STEPS, random_start=False)

    def walk(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = pgd(model, x, y, epsilons=EPSILON)[1]
        return found

    return walk


def _torchattacks() -> Walk:
    model, loss = _network(), nn.CrossEntropyLoss()

    def walk(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        images, labels = x.clone().detach(), y.clone().detach()
        adv_images = images.clone().detach()
        for _ in range(STEPS):
            adv_images.requires_grad = True
            cost = loss(model(adv_images), labels)
            (grad,) = torch.autograd.grad(cost, adv_images, retain_graph=False, create_graph=False)
            adv_images = adv_images.detach() + ALPHA * grad.sign()
            delta = torch.clamp(adv_images - images, min=-EPSILON, max=EPSILON)
            adv_images = torch.clamp(images + delta, min=0, max=1).detach()
        return adv_images

    return walk
