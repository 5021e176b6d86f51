"""From one kind of picture to another: with pairs to learn from, and without."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import torch
from torch import nn
from torch.nn import functional

from engine.forms import Slider
from engine.generate.families import Networks, families
from engine.generate.families.dcgan import Channels
from engine.generate.games import GAMES, zero_centred_penalty
from engine.generate.model import Generative, Labels, Outline
from engine.generate.parts.convolutional import leaky
from engine.generate.parts.mlp import mlp
from engine.generate.parts.own import part
from engine.generate.parts.translators import (
    Moved,
    Unet,
    patch_discriminator,
    residual_translator,
)

TRANSLATION: dict[str, Any] = {"kind": "translation", "images": True, "labelled": False}


class Translator(Generative):
    """A model whose samples are made from given ones, which come to it in place of labels."""

    def there(self, given: torch.Tensor) -> torch.Tensor:
        """What is given -> what is wanted."""
        raise NotImplementedError

    def back(self, made: torch.Tensor) -> torch.Tensor | None:
        """What is wanted -> what was given; None for a model that goes one way."""
        del made
        return None

    @torch.no_grad()
    def sample(self, count: int, draw: torch.Generator, labels: Labels = None) -> torch.Tensor:
        """What is made of the given samples; of nothing at all where none are given."""
        del draw
        given = torch.zeros(count, *self.outline.given) if labels is None else labels
        return self.there(given)


class PixToPix(Translator):
    """A generator from picture to picture, and a discriminator of pairs, patch by patch.

    G: E log(1 + e^{-d(x, G(x))}) + λ E |y - G(x)|; the distance gets the large things right, the
    discriminator the sharp ones. Noise is left out: the paper found that G learns to ignore it.
    """

    betas = (0.5, 0.999)

    def __init__(
        self, outline: Outline, generator: nn.Module, discriminator: nn.Module, near: float
    ) -> None:
        super().__init__(outline)
        self.generator, self.discriminator, self.near = generator, discriminator, near

    def players(self) -> dict[str, Iterable[nn.Parameter]]:
        """The two that play."""
        return {
            "generator": self.generator.parameters(),
            "discriminator": self.discriminator.parameters(),
        }

    def there(self, given: torch.Tensor) -> torch.Tensor:
        """What the generator makes of it."""
        made: torch.Tensor = self.generator(given)
        return made

    def patches(self, given: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        """The discriminator's logit of each patch of a pair, `(n, rows, columns)`."""
        told: torch.Tensor = self.discriminator(torch.cat([given, wanted], dim=1))
        return told[:, 0]

    def learn(self, x: torch.Tensor, labels: Labels, draw: torch.Generator) -> dict[str, float]:
        """One step of the discriminator, then one of the generator; `labels` are what is given."""
        del draw
        given = x if labels is None else labels
        game, made = GAMES["non-saturating"], self.there(given)
        true, false = self.patches(given, x), self.patches(given, made.detach())
        lost = self.descend("discriminator", game.against(true, false) / 2)
        apart = functional.l1_loss(made, x)
        fooled = game.fooled(self.patches(given, made))
        self.descend("generator", fooled + self.near * apart)
        return {
            "loss discriminator": lost,
            "loss generator": float(fooled.detach()),
            "loss |y - G(x)|": float(apart.detach()),
        }

    def networks_out(self) -> dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]]:
        """The two networks."""
        given = torch.zeros(1, *self.outline.given)
        both = torch.cat([given, torch.zeros(1, *self.outline.shape)], dim=1)
        return {
            "generator": (self.generator, (given,)),
            "discriminator": (self.discriminator, (both,)),
        }


class Cycle(Translator):
    """A translator each way and a discriminator on each side; there and back must lead home.

    Σ over both ways of ½ E (d(G(x)) - 1)² + λ E |F(G(x)) - x|; the game may be another.
    """

    betas = (0.5, 0.999)

    def __init__(
        self,
        outline: Outline,
        forth: nn.Module,
        home: nn.Module,
        judge: nn.Module,
        judge_home: nn.Module,
        cycle: float,
        *,
        game: str = "least squares",
        calm: float = 0.0,
    ) -> None:
        super().__init__(outline)
        self.game, self.calm = game, calm
        self.forth, self.home, self.cycle = forth, home, cycle
        self.judge, self.judge_home = judge, judge_home

    def players(self) -> dict[str, Iterable[nn.Parameter]]:
        """Both translators move together, and both discriminators."""
        return {
            "generators": [*self.forth.parameters(), *self.home.parameters()],
            "discriminators": [*self.judge.parameters(), *self.judge_home.parameters()],
        }

    def there(self, given: torch.Tensor) -> torch.Tensor:
        """What is given -> what is wanted."""
        made: torch.Tensor = self.forth(given)
        return made

    def back(self, made: torch.Tensor) -> torch.Tensor:
        """What is wanted -> what was given."""
        given: torch.Tensor = self.home(made)
        return given

    def learn(self, x: torch.Tensor, labels: Labels, draw: torch.Generator) -> dict[str, float]:
        """One step of both discriminators, then one of both translators."""
        del draw
        given = x if labels is None else labels
        game = GAMES[self.game]
        made, home = self.there(given), self.back(x)
        against = game.against(self.judge(x), self.judge(made.detach()))
        against = against + game.against(self.judge_home(given), self.judge_home(home.detach()))
        paid = torch.zeros(())
        if self.calm:
            paid = zero_centred_penalty(self.judge, x) + zero_centred_penalty(
                self.judge_home, given
            )
        self.descend("discriminators", against + self.calm * paid)
        lost = float(against.detach())
        fooled = game.fooled(self.judge(made)) + game.fooled(self.judge_home(home))
        trip = functional.l1_loss(self.back(made), given) + functional.l1_loss(self.there(home), x)
        self.descend("generators", fooled + self.cycle * trip)
        return {
            "loss discriminators": lost,
            "loss generators": float(fooled.detach()),
            "loss there and back": float(trip.detach()),
        }

    def networks_out(self) -> dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]]:
        """Both translators."""
        return {
            "there": (self.forth, (torch.zeros(1, *self.outline.given),)),
            "back": (self.home, (torch.zeros(1, *self.outline.shape),)),
        }


@families.add(
    "pix2pix",
    title="pix2pix",
    plane=False,
    matched=True,
    parts=["generator", "discriminator"],
    suits={"learning_rate": 2e-3, "batch_size": 32, "steps": 400},
    **TRANSLATION,
)
def pix2pix(
    outline: Outline,
    networks: Networks,
    *,
    width: Channels = 16,
    near: Annotated[
        float, Slider(0.0, 100.0, help="It counts more that each pixel is near the true one")
    ] = 50.0,
) -> Generative:
    """Learns from pairs: a U-Net draws, a discriminator judges patches of drawing and pair.

    Source: Isola et al. (2017), Image-to-Image Translation with Conditional Adversarial Networks.
    """
    _divisible(outline, 8, "pix2pix")
    takes, gives = outline.given[0], outline.shape[0]
    both = (takes + gives, *outline.shape[1:])
    tells = patch_discriminator(takes + gives, width=width, halvings=2)
    with torch.no_grad():
        told = tuple(tells(torch.zeros(2, *both)).shape[1:])
    return PixToPix(
        outline,
        part(
            networks,
            "generator",
            outline.given,
            outline.shape,
            lambda: Unet(takes, gives, width=width),
        ),
        part(networks, "discriminator", both, told, lambda: tells),
        near,
    )


@families.add(
    "cyclegan",
    title="CycleGAN",
    plane=True,
    matched=False,
    parts=[],
    suits={"learning_rate": 1e-3, "batch_size": 64, "steps": 1500},
    **TRANSLATION,
)
def cyclegan(
    outline: Outline,
    networks: Networks,
    *,
    width: Channels = 16,
    cycle: Annotated[
        float, Slider(0.0, 50.0, help="It counts more that there and back leads home")
    ] = 2.0,
) -> Generative:
    """Learns without pairs: two ways, and whoever goes there and back must come home.

    The paper takes λ = 10 for photographs; on the plane that leaves the ways stiff.

    Source: Zhu et al. (2017), Unpaired Image-to-Image Translation using Cycle-Consistent
    Adversarial Networks.
    """
    del networks
    if outline.plane:
        wide = 4 * width
        return Cycle(
            outline,
            Moved(mlp(2, 2, width=wide)),
            Moved(mlp(2, 2, width=wide)),
            mlp(2, 1, width=wide, activation=leaky),
            mlp(2, 1, width=wide, activation=leaky),
            cycle,
            # Clouds far apart: where points are made, a discriminator that learns squares is flat.
            game="non-saturating",
            calm=0.5,
        )
    _divisible(outline, 4, "cyclegan")
    takes, gives = outline.given[0], outline.shape[0]
    return Cycle(
        outline,
        residual_translator(takes, gives, width=width, blocks=3),
        residual_translator(gives, takes, width=width, blocks=3),
        patch_discriminator(gives, width=width, halvings=2),
        patch_discriminator(takes, width=width, halvings=2),
        cycle,
    )


def _divisible(outline: Outline, by: int, who: str) -> None:
    if any(side % by for side in outline.shape[1:]):
        rows, columns = outline.shape[1:]
        raise ValueError(
            f"{who}: rows and columns must be multiples of {by}; these images have "
            f"{rows} x {columns}"
        )
