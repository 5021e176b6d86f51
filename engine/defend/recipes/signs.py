"""Learning from inputs moved by the sign of the gradient: one or many small attacks a step."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn
from torch.nn import functional

from engine.attack.table import attacks, inside, uphill
from engine.defend.table import Lesson, Objective, Radius, Rounds, recipes
from engine.explain.table import calm
from engine.forms import Slider
from engine.models.unit import box_of, boxed


@recipes.add("pgd", attacks=True)
def pgd(
    lesson: Lesson,
    *,
    epsilon: Radius = 0.1,
    rounds: Rounds = 7,
    step: Annotated[float, Slider(0.05, 1.0, help="Longer steps, as part of ε")] = 0.25,
) -> Objective:
    """Adversarial training: learn from the worst input that PGD finds in the ball.

    It solves `min_w max_‖δ‖≤ε L(w, x + δ)`, the inner maximum from a random start.

    Source: Madry et al. (2018), Towards deep learning models resistant to adversarial attacks.
    """
    box = box_of(lesson.data)

    def learn(
        module: nn.Module, x: torch.Tensor, y: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        inner, clean = boxed(module, box), box.inward(x)
        found = (clean + epsilon * (2 * torch.rand_like(clean) - 1)).clamp(0, 1)
        with calm(inner):
            for _ in range(rounds):
                found = found + step * epsilon * uphill(inner, found, y).sign()
                found = inside(found, clean, epsilon, "Linf")
        scores: torch.Tensor = inner(found.detach())
        return scores, functional.cross_entropy(scores, y)

    return Objective(learn)


@recipes.add("fgsm", attacks=True)
def fgsm(
    lesson: Lesson,
    *,
    epsilon: Radius = 0.1,
    share: Annotated[float, Slider(0.0, 1.0, help="More weight on the attacked half")] = 0.5,
) -> Objective:
    """Learn from clean inputs and their one-step attacks, half and half.

    Known to fail at a large ε: the network learns to hide its gradient (label leaking).

    Source: Goodfellow, Shlens & Szegedy (2015), Explaining and harnessing adversarial examples.
    """
    box = box_of(lesson.data)

    def learn(
        module: nn.Module, x: torch.Tensor, y: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        inner, clean = boxed(module, box), box.inward(x)
        scores: torch.Tensor = inner(clean)
        found = attacks.find("fgsm")(inner, clean, y, epsilon=epsilon)
        own = functional.cross_entropy(scores, y)
        return scores, (1 - share) * own + share * functional.cross_entropy(inner(found), y)

    return Objective(learn)


@recipes.add("fast", attacks=True)
def fast(
    lesson: Lesson,
    *,
    epsilon: Radius = 0.1,
    step: Annotated[float, Slider(0.25, 2.0, help="A longer step, as part of ε")] = 1.25,
) -> Objective:
    """One sign step from a random start: nearly as good as PGD at the price of two passes.

    Source: Wong, Rice & Kolter (2020), Fast is better than free: revisiting adversarial training.
    """
    return pgd(lesson, epsilon=epsilon, rounds=1, step=step)


@recipes.add("free", attacks=True)
def free(
    lesson: Lesson,
    *,
    epsilon: Radius = 0.1,
    replays: Annotated[int, Slider(1, 10, help="Each batch more often, fewer batches")] = 4,
) -> Objective:
    """One backward pass moves the weights and the attack: no more work than plain training.

    Each batch is replayed; the change of the inputs lives on from replay to replay.

    Source: Shafahi et al. (2019), Adversarial training for free!
    """
    box = box_of(lesson.data)
    kept: list[torch.Tensor] = []  # the change, with the gradient of the last replay

    def learn(
        module: nn.Module, x: torch.Tensor, y: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        clean = box.inward(x)
        change = kept.pop() if kept else torch.zeros_like(clean)
        if change.grad is not None:
            change = change.detach() + epsilon * change.grad.sign()
        if len(change) != len(clean):  # the last batch of an epoch is shorter
            change = torch.zeros_like(clean)
        change = change.detach().clamp(-epsilon, epsilon)
        change = ((clean + change).clamp(0, 1) - clean).requires_grad_()
        kept.append(change)
        scores: torch.Tensor = boxed(module, box)(clean + change)
        return scores, functional.cross_entropy(scores, y)

    return Objective(learn, replays=replays)
