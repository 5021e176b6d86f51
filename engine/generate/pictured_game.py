"""Pictures of a game of two networks on the plane: what the one says, where the other goes."""

from __future__ import annotations

import numpy as np
import torch

from engine.generate.games import GAMES
from engine.generate.model import Labels
from engine.generate.panels.samples import plane
from engine.generate.parts.adversary import Adversarial
from engine.views import Array, Arrows, Field, Points

FINE = 60  # cells along an axis of a surface
MESH = 17  # lines each way of a grid of codes
SMOOTH = 40  # points of one such line
REACH = 2.2  # standard deviations to which the grid of codes goes


def surface(
    model: Adversarial, made: torch.Tensor, true: torch.Tensor, labels: Labels = None
) -> Field:
    """What the discriminator says of each place: a probability, or a critic's number."""
    extent = model.outline.extent
    places = plane(extent, FINE)
    told_of = None if labels is None else labels[:1].expand(len(places))
    with torch.no_grad():
        told = model.critic(places, told_of)
    if chance := model.game.endswith("saturating"):
        told = told.sigmoid()
    which = np.repeat(np.arange(2, dtype=np.int32), [len(true), len(made)])
    return Field(
        told.reshape(FINE, FINE).numpy(),
        extent,
        title="the discriminator's D(x): the chance that x is true"
        if chance
        else "what the discriminator says of each place",
        contours=True,
        points=Points(torch.cat([true, made]).numpy(), which, ("true", "made")),
    )


def pushes(
    model: Adversarial, made: torch.Tensor, labels: Labels = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the generator's loss would have each sample go, `(n, 2)`, and that loss.

    The slope of the loss of a sample of its own: -∇ₓ of the generator's payment at x.
    """
    with torch.enable_grad():
        at = made.detach().requires_grad_()
        lost = GAMES[model.game].fooled(model.critic(at, labels))
        (slope,) = torch.autograd.grad(lost, at)
    return -slope * len(made), lost.detach()


def arrows(model: Adversarial, made: torch.Tensor, labels: Labels = None) -> Arrows:
    """Made samples and the way in which the discriminator's slope pushes each.

    The longest arrow is a tenth of the picture; lengths tell only how they compare.
    """
    along, _ = pushes(model, made, labels)
    left, right, bottom, top = model.outline.extent
    longest = float(along.norm(dim=1).max())
    scale = 0.1 * (right - left) / longest if longest > 0 else 0.0
    return Arrows(
        made.numpy(),
        (along * scale).numpy(),
        (left, right, bottom, top),
        points=Points(made.numpy()),
        title=f"where made points are pushed; the longest is {longest:.2g} long",
    )


def mesh(model: Adversarial, labels: Labels = None) -> Array | None:
    """What the generator makes of a grid of codes: lines `(n, 2)`, gaps of NaN between them.

    None where a code has more than two numbers.
    """
    along = torch.linspace(-REACH, REACH, SMOOTH if model.latent == 2 else 400)
    if model.latent == 1:
        lines = [along[:, None]]
    elif model.latent == 2:
        across = torch.linspace(-REACH, REACH, MESH)
        lines = [torch.stack([along, at.expand(SMOOTH)], 1) for at in across]
        lines += [torch.stack([at.expand(SMOOTH), along], 1) for at in across]
    else:
        return None
    codes = torch.cat(lines)
    told_of = None if labels is None else labels[:1].expand(len(codes))
    with torch.no_grad():
        made = model.decode(codes, told_of)
    gap = torch.full((1, 2), torch.nan)
    broken = [part for line in made.split(len(along)) for part in (line, gap)]
    array: Array = torch.cat(broken[:-1]).numpy()
    return array


def manifold(model: Adversarial, true: torch.Tensor, labels: Labels = None) -> Points | None:
    """The sheet that the generator makes of the plane of codes, over true points."""
    lines = mesh(model, labels)
    if lines is None:
        return None
    return Points(
        true.numpy(),
        lines={"a square grid of codes": lines},
        extent=model.outline.extent,
        equal=True,
        title="how the generator bends the plane of its codes",
    )
