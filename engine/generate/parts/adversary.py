"""Two networks that play against each other: one makes samples, one tells them from true ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import nn

from engine.generate.games import GAMES, between, gradient_penalty, zero_centred_penalty
from engine.generate.model import Generative, Labels, Outline

CALM_EVERY = 4  # steps between two payments of the penalty at true samples, then so many times it


class Adversarial(Generative):
    """A generator G and a discriminator D, which is called a critic where it gives no probability.

    Each call of `learn` is one step of the discriminator; the generator steps after every
    `rounds` of them.

    Attributes:
        generator: Codes `(n, latent)` -> samples.
        discriminator: Samples -> logits, `(n, 1)`.
        game: Name in `GAMES`: how the two are paid.
        clip: Largest weight that a critic may have; 0 for any.
        penalty: λ of the gradient penalty between true and made samples.
        calm: γ of the zero-centred penalty at true samples.
        held: Players that are held still.
    """

    betas = (0.5, 0.999)
    turns: torch.Tensor

    def __init__(
        self,
        outline: Outline,
        generator: nn.Module,
        discriminator: nn.Module,
        latent: int,
        *,
        game: str = "non-saturating",
        rounds: int = 1,
        clip: float = 0.0,
        penalty: float = 0.0,
        calm: float = 0.0,
        rates: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(outline)
        self.generator, self.discriminator, self.latent = generator, discriminator, latent
        self.game, self.rounds, self.clip = game, rounds, clip
        self.penalty, self.calm, self.rates = penalty, calm, rates or {}
        self.held: frozenset[str] = frozenset()
        self.register_buffer("turns", torch.zeros((), dtype=torch.int64))

    def players(self) -> dict[str, Iterable[nn.Parameter]]:
        """The two that play."""
        return {
            "generator": self.generator.parameters(),
            "discriminator": self.discriminator.parameters(),
        }

    def learn(self, x: torch.Tensor, labels: Labels, draw: torch.Generator) -> dict[str, float]:
        """One step of the discriminator and, when it is its turn, one of the generator."""
        game = GAMES[self.game]
        made = self.sample_with_slope(len(x), draw, labels)
        against = game.against(self.critic(x, labels), self.critic(made.detach(), labels))
        measured = {"loss discriminator": float(against.detach())}
        lost = against + self._kept_calm(x, made, labels, draw)
        if "discriminator" not in self.held:
            self.descend("discriminator", lost)
        if self.clip:
            with torch.no_grad():
                for weights in self.discriminator.parameters():
                    weights.clamp_(-self.clip, self.clip)
        self.turns += 1
        fooled = game.fooled(self.critic(made, labels))
        measured["loss generator"] = float(fooled.detach())
        if int(self.turns) % self.rounds == 0 and "generator" not in self.held:
            self.descend("generator", fooled)
        return measured

    def _kept_calm(
        self, x: torch.Tensor, made: torch.Tensor, labels: Labels, draw: torch.Generator
    ) -> torch.Tensor:
        """What the discriminator pays for being steep."""

        def critic(at: torch.Tensor) -> torch.Tensor:
            return self.critic(at, labels)

        paid = torch.zeros(())
        if self.penalty:
            paid = paid + self.penalty * gradient_penalty(critic, between(x, made, draw))
        if self.calm and int(self.turns) % CALM_EVERY == 0:
            paid = paid + CALM_EVERY * self.calm * zero_centred_penalty(critic, x)
        return paid

    def codes(self, count: int, draw: torch.Generator) -> torch.Tensor:
        """Codes drawn from N(0, I), `(count, latent)`."""
        return torch.randn(count, self.latent, generator=draw)

    def sample_with_slope(
        self, count: int, draw: torch.Generator, labels: Labels = None
    ) -> torch.Tensor:
        """Samples through which gradients flow into the generator."""
        return self.decode(self.codes(count, draw), labels)

    @torch.no_grad()
    def sample(self, count: int, draw: torch.Generator, labels: Labels = None) -> torch.Tensor:
        """What the generator makes of Gaussian noise."""
        return self.sample_with_slope(count, draw, labels)

    def decode(self, z: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """What the generator makes of given codes."""
        del labels
        made: torch.Tensor = self.generator(z)
        return made.reshape(len(z), *self.outline.shape)

    def critic(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """The discriminator's logit: above 0 it takes the sample for a true one."""
        del labels
        told: torch.Tensor = self.discriminator(x)
        return told.squeeze(1)

    def networks_out(self) -> dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]]:
        """The two networks."""
        return {
            "generator": (self.generator, (torch.zeros(1, self.latent),)),
            "discriminator": (self.discriminator, (torch.zeros(1, *self.outline.shape),)),
        }
