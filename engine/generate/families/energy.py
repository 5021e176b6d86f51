"""Energy-based models: a network gives every place a height, and samples roll down shaken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import torch
from torch import nn
from torch.nn import functional

from engine.forms import Slider
from engine.generate.families import Networks, families
from engine.generate.model import Generative, Labels, Outline
from engine.generate.parts.mlp import mlp
from engine.generate.parts.own import part
from engine.generate.samplers.langevin import Step, langevin

AGAIN = 0.05  # share of chains that begin anew from noise
LONGEST = 0.1  # way of a chain along the slope in one step
BOWL = 2.0  # standard deviation of e^(-E) where the network says nothing
EDGE = 3.0  # deviations of the data from their mean: the box in which points are, and chains begin


class Energy(Generative):
    """p(x) = e^(-E(x)) / Z: E is pulled down at data and pushed up at the model's own samples.

    The slope of -log p is ∇E(data) - E_model[∇E]; the model's samples come from Langevin chains
    that go on from step to step, a pool of them, and now and then begin anew (persistent
    contrastive divergence with a replay buffer). The squares of the energies are kept small so that
    only differences grow. The data are smeared with a little noise, without which the steps would
    have to be as small as the data are thin.

    Source: Du and Mordatch (2019), Implicit Generation and Modeling with Energy-Based Models;
    Tieleman (2008), Training Restricted Boltzmann Machines using Approximations to the Likelihood
    Gradient.

    Attributes:
        network: Samples `(n, *shape)` -> energies `(n, 1)` [nat].
        walk: How a chain steps.
        pool: Where the chains are, in the model's units.
    """

    centre: torch.Tensor
    scale: torch.Tensor
    pool: torch.Tensor

    def __init__(
        self,
        outline: Outline,
        network: nn.Module,
        *,
        walk: Step,
        turns: int,
        pool: int,
        calm: float,
    ) -> None:
        super().__init__(outline)
        self.network, self.walk, self.turns, self.calm = network, walk, turns, calm
        self.register_buffer("centre", torch.zeros(outline.shape))
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("pool", torch.rand(pool, *outline.shape) * 2 * self.far - self.far)

    @property
    def far(self) -> float:
        """Chains begin evenly spread in [-far, far]."""
        return EDGE if self.outline.plane else 1.0

    def spare(self) -> tuple[str, ...]:
        """Chains can begin anew."""
        return ("pool",)

    def meet(self, x: torch.Tensor, labels: Labels) -> None:
        """Measure points for their scale."""
        del labels
        if self.outline.plane:
            self.centre.copy_(x.mean(0))
            self.scale.copy_(x.std(0).square().mean().sqrt())

    def energy(self, x: torch.Tensor) -> torch.Tensor:
        """E of samples in the model's units, `(n,)` [nat]."""
        told: torch.Tensor = self.network(x).flatten()
        return told

    def learn(self, x: torch.Tensor, labels: Labels, draw: torch.Generator) -> dict[str, float]:
        """Down at the data, up at where the chains are."""
        del labels
        data = (x - self.centre) / self.scale
        data = data + self.walk.noise * torch.randn(data.shape, generator=draw)
        which = torch.randint(len(self.pool), (len(x),), generator=draw)
        start = self.pool[which]
        fresh = torch.rand(len(x), generator=draw) < AGAIN
        start = torch.where(self._wide(fresh), self._begin(len(x), draw), start)
        made = self._walked(start, self.turns, draw)
        self.pool[which] = made
        low, high = self.energy(data), self.energy(made)
        apart = low.mean() - high.mean()
        loss = apart + self.calm * (low.square() + high.square()).mean()
        self.descend("model", loss)
        return {"loss: energy of data - of samples": float(apart.detach())}

    @torch.no_grad()
    def sample(self, count: int, draw: torch.Generator, labels: Labels = None) -> torch.Tensor:
        """Where chains are that began in noise."""
        *_, (_, made) = self.film(count, draw, labels)
        return made

    def film(
        self, count: int, draw: torch.Generator, labels: Labels = None
    ) -> Iterator[tuple[str, torch.Tensor]]:
        """Chains from noise, ten times as many steps as in training."""
        del labels
        x = self._begin(count, draw)
        yield "noise", self.outside(x)
        for turn in range(10):
            x = self._walked(x, self.turns, draw)
            yield f"after {(turn + 1) * self.turns} steps", self.outside(x)

    def outside(self, x: torch.Tensor) -> torch.Tensor:
        """Samples in the units of the data."""
        return x * self.scale + self.centre

    def inside(self, x: torch.Tensor) -> torch.Tensor:
        """And back."""
        return (x - self.centre) / self.scale

    def score(self, x: torch.Tensor, level: float = 0.0, labels: Labels = None) -> torch.Tensor:
        """∇ log p = -∇E per unit of the data; there are no noise levels."""
        del level, labels
        with torch.enable_grad():
            at = self.inside(x).detach().requires_grad_()
            (slope,) = torch.autograd.grad(self.energy(at).sum(), at)
        return -slope / self.scale

    @torch.no_grad()
    def log_density(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor | None:
        """-E - log Z, with Z summed up over a fine grid of the box, as only the plane allows."""
        del labels
        if not self.outline.plane:
            return None
        edge = torch.linspace(-EDGE, EDGE, 200)
        cells = torch.cartesian_prod(edge, edge)
        area = (edge[1] - edge[0]).square().log() + 2 * self.scale.log()
        whole = (-self.energy(cells)).logsumexp(0) + area
        place = self.inside(x)
        outside = (place.abs() > EDGE).any(1)
        return (-self.energy(place) - whole).masked_fill(outside, -torch.inf)

    def networks_out(self) -> dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]]:
        """The energy."""
        return {"energy": (self.network, (torch.zeros(2, *self.outline.shape),))}

    def start(self, count: int, draw: torch.Generator) -> torch.Tensor:
        """Where chains begin, in the model's units."""
        return self._begin(count, draw)

    def _begin(self, count: int, draw: torch.Generator) -> torch.Tensor:
        return (2 * torch.rand(count, *self.outline.shape, generator=draw) - 1) * self.far

    def _walked(self, x: torch.Tensor, turns: int, draw: torch.Generator) -> torch.Tensor:
        self.network.requires_grad_(requires_grad=False)  # only x is asked for a slope
        for moment in langevin(self.energy, x, turns, self.walk, draw):
            x = moment.x
        self.network.requires_grad_(requires_grad=True)
        return x

    def _wide(self, one: torch.Tensor) -> torch.Tensor:
        return one.reshape(-1, *[1] * len(self.outline.shape))


class _Bowl(nn.Module):
    """Smooth layers over a wide bowl, which keeps chains from running away."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.body = mlp(size, 1, width=width, depth=3, activation=nn.SiLU)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(n, size)` -> `(n, 1)`."""
        told: torch.Tensor = self.body(x)
        return told + x.square().sum(1, keepdim=True) / (2 * BOWL**2)


class _Seen(nn.Module):
    """Convolutions that look at an image and say one number; smooth, so that slopes are."""

    def __init__(self, channels: int, rows: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.SiLU()]
        while rows > 4:
            rows = (rows + 1) // 2
            layers += [nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), nn.SiLU()]
            width *= 2
        self.body = nn.Sequential(*layers)
        self.end = nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(n, channels, rows, columns)` -> `(n, 1)`."""
        told: torch.Tensor = self.end(functional.silu(self.body(x).sum((2, 3)) / 4))
        return told


@families.add(
    "energy",
    title="Energy-based",
    kind="energy",
    plane=True,
    images=True,
    labelled=False,
    parts=["energy"],
    suits={"learning_rate": 0.001, "batch_size": 128, "steps": 3000},
)
def energy(
    outline: Outline,
    networks: Networks,
    *,
    turns: Annotated[int, Slider(5, 100, log=True, help="Chains go further in each step")] = 20,
    step_size: Annotated[
        float, Slider(0.0005, 0.2, log=True, help="Longer steps of the chains")
    ] = 0.003,
    temperature: Annotated[
        float, Slider(0.0, 1.0, help="More noise in the chains; 1 samples the model exactly")
    ] = 1.0,
    noise: Annotated[float, Slider(0.0, 0.2, help="The data are smeared more")] = 0.05,
    calm: Annotated[float, Slider(0.0, 0.1, help="Energies stay closer to zero")] = 0.001,
    pool: Annotated[int, Slider(64, 4096, log=True, help="More chains are kept")] = 1024,
    width: Annotated[int, Slider(8, 256, log=True, help="Wider networks")] = 64,
) -> Generative:
    """A network gives every place an energy; samples roll down it while noise shakes them.

    Source: Du and Mordatch (2019), Implicit Generation and Modeling with Energy-Based Models.
    """

    def usual() -> nn.Module:
        if outline.plane:
            return _Bowl(outline.size, width)
        return _Seen(outline.shape[0], min(outline.shape[1:]), max(8, width // 4))

    network = part(networks, "energy", outline.shape, (1,), usual)
    bound = EDGE if outline.plane else 1.0
    walk = Step(step_size, temperature, noise, bound, LONGEST)
    return Energy(outline, network, walk=walk, turns=turns, pool=pool, calm=calm)
