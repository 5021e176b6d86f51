"""What every generative model is: it learns from samples of a distribution and makes new ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from engine.generate.targets import Target

LARGEST = 128  # rows and columns of an image

Labels = torch.Tensor | None
Spec = Mapping[str, Any]  # a NetworkSpec in JSON


@dataclass(frozen=True)
class Outline:
    """What one sample looks like: all that a model must know of the data to be built.

    Attributes:
        shape: `(2,)` for a point of the plane, `(channels, rows, columns)` for an image.
        classes: What the classes are called, by number; empty without classes.
        extent: For the plane, the part that is shown, as (left, right, bottom, top).
        given: Where a sample is made from another one, the shape of that one: pairs for translation
            come with `labels` that are what is given, `(n, *given)`.
    """

    shape: tuple[int, ...]
    classes: tuple[str, ...] = ()
    extent: tuple[float, float, float, float] = (-3.0, 3.0, -3.0, 3.0)
    given: tuple[int, ...] = ()

    @property
    def plane(self) -> bool:
        """Whether a sample is a point of the plane, else it is an image."""
        return len(self.shape) == 1

    @property
    def size(self) -> int:
        """Numbers in one sample."""
        return int(torch.Size(self.shape).numel())

    def to_json(self) -> dict[str, Any]:
        """The outline as plain data."""
        return asdict(self)

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Outline:
        """The outline that plain data describe.

        Raises:
            ValueError: It is too large, or no shape of a sample.
        """
        shape = tuple(int(one) for one in content["shape"])
        if len(shape) not in (1, 3) or not all(1 <= one <= LARGEST for one in shape):
            raise ValueError(f"shape: must be at most {LARGEST} a side; got {shape}")
        left, right, bottom, top = (float(one) for one in content["extent"])
        return cls(
            shape,
            tuple(str(one) for one in content["classes"]),
            (left, right, bottom, top),
            tuple(int(one) for one in content.get("given", ())),
        )


class Generative(nn.Module):
    """A model of a distribution. Images are in [-1, 1], points in the units of the plane.

    A family's model says how it learns (`learn`) and makes samples (`sample`). What else it can
    tell it says by overriding the other methods; the ones that it leaves alone return None, and
    pictures and measures that need them are then left out.

    Attributes:
        outline: What a sample looks like.
        latent: Numbers in a latent code; 0 where there is none.
        judged: Samples that measures are told at most; 0 for as many as usual.
        conditional: Whether it makes the class that it is asked for.
        betas: Of Adam, which moves all parts.
        fine: Cells along an axis when its density is drawn; fewer where that takes long.
        rates: Part -> factor on the learning rate; 1 where nothing is said.
        optimizers: Part -> what moves it; made by `begin`.
    """

    latent: int = 0
    judged: int = 0
    conditional: bool = False
    fine: int = 100
    betas: tuple[float, float] = (0.9, 0.999)
    rates: Mapping[str, float] = {}

    def __init__(self, outline: Outline) -> None:
        super().__init__()
        self.outline = outline
        self.optimizers: dict[str, torch.optim.Optimizer] = {}

    # --- learning -------------------------------------------------------------------------

    def players(self) -> dict[str, Iterable[nn.Parameter]]:
        """Part -> its parameters: one part, unless several play against each other."""
        return {"model": self.parameters()}

    def meet(self, x: torch.Tensor, labels: Labels) -> None:
        """Look at the training samples once, before the first step: their mean, their spread."""

    def begin(self, learning_rate: float) -> None:
        """Make the optimizers."""
        self.optimizers = {
            name: torch.optim.Adam(
                list(part),
                lr=learning_rate * self.rates.get(name, 1.0),
                betas=self.betas,
                fused=True,
            )
            for name, part in self.players().items()
        }

    def turn(self, learning_rate: float) -> None:
        """Change the learning rate from the next step on."""
        for name, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = learning_rate * self.rates.get(name, 1.0)

    def learn(self, x: torch.Tensor, labels: Labels, draw: torch.Generator) -> dict[str, float]:
        """Take one step on a batch, `(batch, *shape)`; what it measured, by name."""
        raise NotImplementedError

    def descend(self, part: str, loss: torch.Tensor) -> float:
        """One step of a part against the slope of its loss; the loss."""
        optimizer = self.optimizers[part]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    # --- making ---------------------------------------------------------------------------

    def sample(self, count: int, draw: torch.Generator, labels: Labels = None) -> torch.Tensor:
        """New samples, `(count, *shape)`; the same for the same state of `draw`."""
        raise NotImplementedError

    def film(
        self, count: int, draw: torch.Generator, labels: Labels = None
    ) -> Iterator[tuple[str, torch.Tensor]]:
        """How samples come to be, moment by moment: words, and `(count, *shape)`; the last is done.

        A model that makes its samples at one stroke has one moment.
        """
        yield "made at one stroke", self.sample(count, draw, labels)

    def networks_out(self) -> dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]]:
        """Part -> its network and an example of its inputs, for export; empty where none fits."""
        return {}

    def decode(self, z: torch.Tensor, labels: Labels = None) -> torch.Tensor | None:
        """Latent codes `(n, latent)` -> samples; None where there are no codes."""
        del z, labels
        return None

    def encode(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor | None:
        """Samples -> the middle of their latent codes `(n, latent)`; None likewise."""
        del x, labels
        return None

    # --- telling --------------------------------------------------------------------------

    def log_density(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor | None:
        """The exact log p(x) of each sample [nat], `(n,)`; None where it cannot be computed."""
        del x, labels
        return None

    def log_chance(
        self, x: torch.Tensor, draw: torch.Generator, labels: Labels = None
    ) -> torch.Tensor | None:
        """The log-chance of images of whole shades, or a lower bound of it [nat], `(n,)`."""
        del x, draw, labels
        return None

    def bound(
        self, x: torch.Tensor, draw: torch.Generator, labels: Labels = None
    ) -> tuple[torch.Tensor, torch.Tensor] | None:
        """The ELBO's two terms [nat], each `(n,)`: E log p(x|z), and KL(q(z|x) ‖ p(z))."""
        del x, draw, labels
        return None

    def score(self, x: torch.Tensor, level: float = 0.0, labels: Labels = None) -> Labels:
        """∇ log p at a noise level in [0, 1] (0: the data), like x; None where there is none."""
        del x, level, labels
        return None

    def floors(self, x: torch.Tensor, labels: Labels, target: Target | None) -> dict[str, float]:
        """The least that its loss can become, by what one would have to know; empty if unknown."""
        del x, labels, target
        return {}

    def spare(self) -> tuple[str, ...]:
        """How the names of weights begin that only learning needs; a kept model goes without."""
        return ()

    def critic(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor | None:
        """What the discriminator says of samples, before any sigmoid, `(n,)`; None without one."""
        del x, labels
        return None


def take(labels: Labels, count: int, classes: int, draw: torch.Generator) -> torch.Tensor:
    """The labels asked for, `(count,)`, or drawn ones where none are asked for."""
    if labels is not None:
        return labels
    return torch.randint(max(1, classes), (count,), generator=draw)
