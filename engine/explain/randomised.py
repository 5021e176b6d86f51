"""Does a map change when the network forgets what it learned? The model-randomisation check.

The plain rank correlation of sizes is fooled by inputs with many zero pixels: on 8 x 8 digits it
stays at 0.9 for maps that multiply by the input, though every weight is random, because the zeros
rank alike whatever the network. Here only numbers that are not nothing are ranked, with their
signs, and what two networks of random weights have in common anyway counts as zero.

Source: Adebayo et al. (2018), Sanity checks for saliency maps.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import nn

MOST_STAGES = 8
RANDOM = 5  # networks that forget, each in its own way: one alone would say little

Explain = Callable[[nn.Module], torch.Tensor]
"""The map of the sample in question, `(1, ...)`, by another network of the same make."""


@dataclass(frozen=True)
class Stage:
    """How much of the map is left.

    Attributes:
        layer: The layer that was randomised last; all after it were before.
        plain: Rank correlation of the sizes with the first map's, over all numbers, as it is usual.
        score: The same over numbers that are not nothing, less what random networks share: 1 for
            an unchanged map, about 0 for one that has nothing to do with the first.
    """

    layer: str
    plain: float
    score: float


def cascade(
    module: nn.Module, explain: Explain, x: torch.Tensor, *, baseline: float = 0.0, seed: int = 0
) -> Iterator[Stage]:
    """Randomise a network layer by layer from its end; how much of the map is left each time.

    The mean over a few networks that forget each in its own way: the map of one sample has few
    numbers that count, and two of them agree by chance.

    Args:
        module: The network; it is not changed.
        explain: Makes the map by a network.
        x: The sample, `(1, ...)`.
        baseline: What counts as nothing.
        seed: Of the random weights.
    """
    some = (x != baseline).flatten()
    if int(some.sum()) < 3:
        some = torch.ones_like(some)
    first = explain(module)
    copies = [(copy.deepcopy(module), _source(seed, turn)) for turn in range(RANDOM)]
    common = _shared(module, explain, some, seed)
    yield Stage("as trained", 1.0, 1.0)
    for names in stages(module):
        maps = []
        for forgetting, generator in copies:
            for name in names:
                scramble(forgetting.get_submodule(name), generator)
            maps.append(explain(forgetting))
        left = _mean(correlation(first.flatten()[some], now.flatten()[some]) for now in maps)
        plain = _mean(correlation(first.flatten().abs(), now.flatten().abs()) for now in maps)
        yield Stage(names[-1], plain, (left - common) / (1 - common))


def _source(seed: int, turn: int) -> torch.Generator:
    return torch.Generator().manual_seed(1000 * seed + turn)


def _mean(numbers: Iterable[float]) -> float:
    found = list(numbers)
    return sum(found) / len(found)


def stages(module: nn.Module) -> list[list[str]]:
    """The names of the layers with weights of their own, the last first, in a few groups."""
    named = [
        name for name, part in module.named_modules() if name and any(True for _ in _own(part))
    ]
    named.reverse()
    size = -(-len(named) // MOST_STAGES) if named else 1
    return [named[i : i + size] for i in range(0, len(named), size)]


def scramble(part: nn.Module, generator: torch.Generator) -> None:
    """Put the numbers of each of a layer's own weights into a random order with random signs.

    Their sizes stay, so that no signal fades or explodes; what they had learned is gone.
    """
    with torch.no_grad():
        for weight in _own(part):
            flat = weight.flatten()
            order = torch.randperm(len(flat), generator=generator)
            sign = torch.randint(0, 2, (len(flat),), generator=generator) * 2 - 1
            turned = flat[order] * (sign if weight.ndim > 1 else 1)
            weight.copy_(turned.reshape(weight.shape))


def correlation(one: torch.Tensor, other: torch.Tensor) -> float:
    """Spearman's rank correlation of two maps, `(n,)` each; 0 where one of them is level."""
    ranks = torch.stack([_ranks(one), _ranks(other)])
    ranks = ranks - ranks.mean(1, keepdim=True)
    scale = ranks.norm(dim=1).prod()
    return float((ranks[0] * ranks[1]).sum() / scale) if scale > 0 else 0.0


def _ranks(numbers: torch.Tensor) -> torch.Tensor:
    """The place of each number in order, `(n,)`; equal ones share the mean of theirs."""
    _, which, count = numbers.unique(return_inverse=True, return_counts=True)
    last = count.cumsum(0).double()
    places: torch.Tensor = last - (count - 1) / 2
    ranks: torch.Tensor = places[which]
    return ranks


def _own(part: nn.Module) -> Iterator[nn.Parameter]:
    yield from part.parameters(recurse=False)


def _shared(module: nn.Module, explain: Explain, some: torch.Tensor, seed: int) -> float:
    """How alike the maps of networks of random weights are anyway, over all pairs of a few."""
    maps = [
        explain(_forgotten(module, _source(seed, 500 + turn))).flatten()[some]
        for turn in range(RANDOM)
    ]
    alike = _mean(correlation(one, other) for one, other in itertools.combinations(maps, 2))
    return min(0.9, max(0.0, alike))


def _forgotten(module: nn.Module, generator: torch.Generator) -> nn.Module:
    other = copy.deepcopy(module)
    for part in other.modules():
        scramble(part, generator)
    return other
