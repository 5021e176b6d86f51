"""One step of the game in slow motion, on the plane, with the numbers in the formulas."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from engine.generate import pictured_game
from engine.generate.games import GAMES
from engine.generate.parts.adversary import Adversarial
from engine.views import Arrows, Note, Points, View

MOMENTS = ("draw", "judge", "judge learns", "push", "maker learns")
POINTS = 64


@dataclass(frozen=True)
class Round:
    """What happened in one step: of the discriminator, then of the generator.

    Attributes:
        true: True samples, `(n, 2)`.
        before: Made samples, `(n, 2)`.
        after: What the same codes give after the step.
        labels: Their classes, if the model is told them.
        old: The model as it was.
        judged: The model after the discriminator's step only.
        against: The discriminator's loss before and after its step.
        fooled: The generator's loss before its step and after it, the discriminator still.
    """

    true: torch.Tensor
    before: torch.Tensor
    after: torch.Tensor
    labels: torch.Tensor | None
    old: Adversarial
    judged: Adversarial
    against: tuple[float, float]
    fooled: tuple[float, float]


def play(
    model: Adversarial, true: torch.Tensor, labels: torch.Tensor | None, seed: int, rate: float
) -> Round:
    """Take one step of both; the model itself stays as it is.

    A step is plain gradient descent, so that points move just along what the slope says.
    """
    new, game = copy.deepcopy(model).train(), GAMES[model.game]
    draw = torch.Generator().manual_seed(seed)
    codes = new.codes(len(true), draw)
    before = new.decode(codes, labels).detach()

    def against() -> torch.Tensor:
        return game.against(new.critic(true, labels), new.critic(before, labels))

    def fooled() -> torch.Tensor:
        return game.fooled(new.critic(new.decode(codes, labels), labels))

    judge = [_descend(new.discriminator, against(), rate), float(against().detach())]
    judged = copy.deepcopy(new)
    maker = [_descend(new.generator, fooled(), rate), float(fooled().detach())]
    after = new.decode(codes, labels).detach()
    old = copy.deepcopy(model)
    return Round(
        true, before, after, labels, old, judged, (judge[0], judge[1]), (maker[0], maker[1])
    )


def _descend(network: torch.nn.Module, loss: torch.Tensor, rate: float) -> float:
    weights = list(network.parameters())
    slopes = torch.autograd.grad(loss, weights, allow_unused=True)
    with torch.no_grad():
        for one, slope in zip(weights, slopes, strict=True):
            if slope is not None:
                one.sub_(rate * slope)
    return float(loss.detach())


def moment(happened: Round, number: int) -> Mapping[str, View]:
    """The pictures of a moment: 0 draw, 1 judge, 2 the judge learns, 3 push, 4 the maker learns."""
    model = happened.judged if number >= 2 else happened.old
    made = happened.after if number == 4 else happened.before
    views: dict[str, View] = {
        "said": _said(happened, number),
        "surface": pictured_game.surface(model, made, happened.true, happened.labels),
    }
    if number == 3:
        views["moves"] = pictured_game.arrows(model, happened.before, happened.labels)
    elif number == 4:
        views["moves"] = _moves(happened)
    return views


def _moves(happened: Round) -> Arrows:
    """Where each made point went, to scale."""
    left, right, bottom, top = happened.old.outline.extent
    moved = happened.after - happened.before
    far = float(moved.norm(dim=1).max())
    return Arrows(
        happened.before.numpy(),
        moved.numpy(),
        (left, right, bottom, top),
        points=Points(happened.after.numpy()),
        title=f"how far the step moved each made point: at most {far:.2g}",
    )


def _said(happened: Round, number: int) -> Note:
    """What happens now, in words and with numbers."""
    game, count = GAMES[happened.old.game], len(happened.true)
    against, fooled = happened.against, happened.fooled
    texts = (
        f"{count} codes z are drawn from N(0, I) and become made points G(z); beside them "
        f"{count} true points x are drawn.",
        f"The discriminator says of each point how true it looks. Its loss:\n\n"
        f"**{game.judge} = {against[0]:.4f}**",
        f"It takes a step against the slope of that loss, the made points held still:\n\n"
        f"{game.judge}: {against[0]:.4f} → **{against[1]:.4f}**",
        f"Now it is held still. The generator's loss is\n\n**{game.maker} = {fooled[0]:.4f}**\n\n"
        "Its slope at each made point says where that point would have to go.",
        f"The generator's weights take a step; all points move together, because they share the "
        f"weights:\n\n{game.maker}: {fooled[0]:.4f} → **{fooled[1]:.4f}**",
    )
    return Note(texts[number], title=f"{number + 1} of {len(texts)}: {MOMENTS[number]}")
