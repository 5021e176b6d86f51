"""Ways from noise to samples for diffusion models; a table.

`sampler(denoise, x, levels, draw, **settings)` walks down the levels (`engine.generate.diffusion.
path`) and yields a `Moment` at each. `denoise(x, level)` gives x̂₀, the expected data; with it
ε̂ = (x - α x̂₀) / σ. Primes mark the next level. An entry's facts: `title`; `asks`, how often a step
asks the network; `random`, whether it adds noise; `formula`, one step in symbols, and `filled`, the
same with places for the numbers of `Moment.numbers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from engine.generate.diffusion.path import Level
from engine.tables import Table

samplers = Table("sampler", "engine.generate.samplers")

Denoise = Callable[[torch.Tensor, Level], torch.Tensor]


@dataclass(frozen=True)
class Moment:
    """A sample on its way.

    Attributes:
        number: Steps taken.
        level: Where on the path it is.
        x: x_t, `(n, *shape)`.
        clean: x̂₀, what the network expects to come out, like x.
        numbers: The step's coefficients by symbol, for the formula; empty at the end.
    """

    number: int
    level: Level
    x: torch.Tensor
    clean: torch.Tensor
    numbers: Mapping[str, float] = field(default_factory=dict)


Walk = Iterator[Moment]


def noise_of(x: torch.Tensor, clean: torch.Tensor, level: Level) -> torch.Tensor:
    """ε̂ = (x - α x̂₀) / σ."""
    return (x - level.alpha * clean) / level.sigma


def steps_of(levels: Sequence[Level]) -> Iterator[tuple[int, Level, Level]]:
    """Number, level and next level of every step."""
    for number, level in enumerate(levels[:-1]):
        yield number, level, levels[number + 1]


def arrived(x: torch.Tensor, levels: Sequence[Level], clean: torch.Tensor) -> Moment:
    """The last moment; without noise left the sample is what is expected."""
    last = levels[-1]
    return Moment(len(levels) - 1, last, x, x if last.sigma == 0 else clean)
