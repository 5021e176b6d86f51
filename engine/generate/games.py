"""Games that a generator and a discriminator can play: how each of the two is paid.

Both payments are means over a batch of what the discriminator says of samples, its *logits*: of
true ones, d(x), and of made ones, d(G(z)); where a probability is meant it is D = σ(d).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True)
class Game:
    """What each player makes small.

    Attributes:
        against: Logits of true and of made samples, each `(n,)` -> the discriminator's loss.
        fooled: Logits of made samples, `(n,)` -> the generator's loss.
        judge: The discriminator's loss as one reads it.
        maker: The generator's.
        source: Where it comes from.
    """

    against: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    fooled: Callable[[torch.Tensor], torch.Tensor]
    judge: str
    maker: str
    source: str


def _told_apart(true: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """-E log σ(d(x)) - E log(1 - σ(d(G(z)))): at best log 4 less twice the JS divergence."""
    return functional.softplus(-true).mean() + functional.softplus(made).mean()


def _squares(true: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    return ((true - 1).square().mean() + made.square().mean()) / 2


def _margin(true: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    return functional.relu(1 - true).mean() + functional.relu(1 + made).mean()


GAMES = {
    "non-saturating": Game(
        _told_apart,
        lambda made: functional.softplus(-made).mean(),
        "-E log D(x) - E log(1 - D(G(z)))",
        "-E log D(G(z))",
        "Goodfellow et al. (2014), Generative Adversarial Nets.",
    ),
    "saturating": Game(
        _told_apart,
        lambda made: -functional.softplus(made).mean(),
        "-E log D(x) - E log(1 - D(G(z)))",
        "E log(1 - D(G(z)))",
        "Goodfellow et al. (2014), Generative Adversarial Nets.",
    ),
    "least squares": Game(
        _squares,
        lambda made: (made - 1).square().mean() / 2,
        "½ E (d(x) - 1)² + ½ E d(G(z))²",
        "½ E (d(G(z)) - 1)²",
        "Mao et al. (2017), Least Squares Generative Adversarial Networks.",
    ),
    "hinge": Game(
        _margin,
        lambda made: -made.mean(),
        "E max(0, 1 - d(x)) + E max(0, 1 + d(G(z)))",
        "-E d(G(z))",
        "Lim & Ye (2017), Geometric GAN.",
    ),
    "Wasserstein": Game(
        lambda true, made: made.mean() - true.mean(),
        lambda made: -made.mean(),
        "E d(G(z)) - E d(x)",
        "-E d(G(z))",
        "Arjovsky, Chintala & Bottou (2017), Wasserstein GAN.",
    ),
}


def slopes(
    critic: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, *, keep: bool = False
) -> torch.Tensor:
    """How steep a critic is at each sample: ‖∇ₓ d(x)‖, `(n,)`.

    Args:
        critic: Samples `(n, *shape)` -> `(n,)`; it must judge each sample on its own.
        x: Where.
        keep: Whether the result can itself be differentiated.
    """
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=keep)
    steep: torch.Tensor = slope.flatten(1).norm(dim=1)
    return steep


def between(true: torch.Tensor, made: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """Samples at random places of the lines from true ones to made ones."""
    share = torch.rand(len(true), *[1] * (true.ndim - 1), generator=draw)
    return share * true + (1 - share) * made.detach()


def gradient_penalty(
    critic: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor
) -> torch.Tensor:
    """E (‖∇ₓ d(x)‖ - 1)²: what a critic pays for not being of slope 1.

    Source: Gulrajani et al. (2017), Improved Training of Wasserstein GANs.
    """
    return (slopes(critic, x, keep=True) - 1).square().mean()


def zero_centred_penalty(
    critic: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor
) -> torch.Tensor:
    """½ E ‖∇ₓ d(x)‖² at true samples (R1): calms the discriminator where the game should end.

    Source: Mescheder, Geiger & Nowozin (2018), Which Training Methods for GANs do actually
    Converge?
    """
    return slopes(critic, x, keep=True).square().mean() / 2
