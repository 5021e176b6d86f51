"""A generator that is told which class to make, and a discriminator that knows it too."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from engine.generate.families import Networks, families
from engine.generate.families.adversarial import FACTS
from engine.generate.model import Generative, Labels, Outline, take
from engine.generate.parts import convolutional
from engine.generate.parts.adversary import Adversarial
from engine.generate.parts.convolutional import leaky
from engine.generate.parts.mlp import mlp
from engine.generate.parts.own import part
from engine.generate.parts.players import Codes, Width


class Conditional(Adversarial):
    """Both networks are given the class beside their input, one number a class.

    The generator has it after the code; the discriminator has it after the point, or as planes
    of one value beside the picture.
    """

    conditional = True

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(self.outline.classes)

    def sample_with_slope(
        self, count: int, draw: torch.Generator, labels: Labels = None
    ) -> torch.Tensor:
        """Samples of the classes asked for, of drawn ones otherwise."""
        return self.decode(self.codes(count, draw), take(labels, count, self.classes, draw))

    def decode(self, z: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """What the generator makes of codes and classes; of class 0 where none is asked for."""
        if labels is None:
            labels = torch.zeros(len(z), dtype=torch.int64)
        told = functional.one_hot(labels, self.classes).float()
        made: torch.Tensor = self.generator(torch.cat([z, told], dim=1))
        return made.reshape(len(z), *self.outline.shape)

    def critic(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """The logit of samples with their classes; without, the mean over all classes."""
        if labels is None:
            every = [torch.full((len(x),), number) for number in range(self.classes)]
            return torch.stack([self.critic(x, one) for one in every]).mean(0)
        told = functional.one_hot(labels, self.classes).float()
        if not self.outline.plane:
            told = told[:, :, None, None].expand(-1, -1, *x.shape[2:])
        logits: torch.Tensor = self.discriminator(torch.cat([x, told], dim=1))
        return logits.squeeze(1)

    def networks_out(self) -> dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]]:
        """The two networks, with room for the class."""
        beside = self.outline.shape[0] + self.classes
        return {
            "generator": (self.generator, (torch.zeros(1, self.latent + self.classes),)),
            "discriminator": (
                self.discriminator,
                (torch.zeros(1, beside, *self.outline.shape[1:]),),
            ),
        }


TOLD = {
    **FACTS,
    "labelled": True,
    "suits": {"learning_rate": 5e-4, "batch_size": 64, "steps": 2000},
}


@families.add("conditional-gan", title="Conditional GAN", **TOLD)
def conditional(
    outline: Outline, networks: Networks, *, latent: Codes = 8, width: Width = 128
) -> Generative:
    """Told a class, it makes that class: choose what is drawn.

    Source: Mirza & Osindero (2014), Conditional Generative Adversarial Nets.
    """
    classes = len(outline.classes)
    takes, beside = latent + classes, outline.shape[0] + classes

    def makes() -> nn.Module:
        if outline.plane:
            return mlp(takes, outline.size, width=width, activation=leaky)
        return convolutional.generator(takes, outline, width=max(4, width // 4))

    def tells() -> nn.Module:
        if outline.plane:
            return mlp(beside, 1, width=width, activation=leaky)
        return convolutional.discriminator(beside, outline, width=max(4, width // 4))

    return Conditional(
        outline,
        part(networks, "generator", (takes,), outline.shape, makes),
        part(networks, "discriminator", (beside, *outline.shape[1:]), (1,), tells),
        latent,
    )
