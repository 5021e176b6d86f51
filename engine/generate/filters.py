"""What may be done to the odds of the next token before it is drawn, one filter after the other.

A filter takes scores, `(tokens,)`, and gives scores; what it cuts becomes -∞. They come in the
order in which libraries apply them: repetition, temperature, top-k, top-p, min-p.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

Tensor = torch.Tensor
NEVER = -math.inf


@dataclass(frozen=True)
class Rule:
    """How the next token is drawn; the defaults change nothing.

    Attributes:
        temperature: Divides the scores; 0 takes the likeliest token always.
        top_k: How many of the likeliest tokens stay; 0 for all.
        top_p: How much of the chance stays, the likeliest first.
        min_p: Which share of the likeliest token's chance a token needs to stay.
        repetition: Divides the scores of tokens that were there already, where positive; multiplies
            them, where negative.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition: float = 1.0


@dataclass(frozen=True)
class Stage:
    """The odds after a filter.

    Attributes:
        name: The filter; `model` for what the network itself says.
        scores: `(tokens,)`, -∞ for what has been cut.
    """

    name: str
    scores: Tensor

    @property
    def chances(self) -> Tensor:
        """What the scores mean: `(tokens,)`, adding up to 1."""
        return self.scores.softmax(0)


def stages(scores: Tensor, seen: Sequence[int], rule: Rule) -> list[Stage]:
    """What the network says, and the odds after each filter that is in use.

    Args:
        scores: Of the next token, `(tokens,)`.
        seen: The tokens that stand there already.
        rule: Which filters, and how strong.
    """
    found = [Stage("model", scores)]
    if rule.repetition != 1:
        found.append(Stage("repetition", repetition(scores, seen, rule.repetition)))
    if rule.temperature != 1:
        found.append(Stage("temperature", temperature(found[-1].scores, rule.temperature)))
    if 0 < rule.top_k < len(scores):
        found.append(Stage("top-k", top_k(found[-1].scores, rule.top_k)))
    if rule.top_p < 1:
        found.append(Stage("top-p", top_p(found[-1].scores, rule.top_p)))
    if rule.min_p > 0:
        found.append(Stage("min-p", min_p(found[-1].scores, rule.min_p)))
    return found


def repetition(scores: Tensor, seen: Sequence[int], penalty: float) -> Tensor:
    """Make what was said already less likely: `s / penalty` where `s > 0`, else `s * penalty`.

    Source: Keskar et al. (2019), CTRL: a conditional transformer language model.
    """
    again = torch.zeros_like(scores, dtype=torch.bool)
    again[torch.tensor(sorted(set(seen)), dtype=torch.int64)] = True
    softened = torch.where(scores > 0, scores / penalty, scores * penalty)
    return torch.where(again, softened, scores)


def temperature(scores: Tensor, heat: float) -> Tensor:
    """Flatten the odds (above 1) or sharpen them (below 1); at 0 only the likeliest is left.

    Source: Ackley, Hinton & Sejnowski (1985), A learning algorithm for Boltzmann machines.
    """
    if heat > 0:
        return scores / heat
    only = torch.full_like(scores, NEVER)
    only[scores.argmax()] = 0.0
    return only


def top_k(scores: Tensor, count: int) -> Tensor:
    """Keep the `count` likeliest tokens, and those as likely as the last of them.

    Source: Fan, Lewis & Dauphin (2018), Hierarchical neural story generation.
    """
    last = scores.topk(min(count, len(scores))).values[-1]
    return scores.masked_fill(scores < last, NEVER)


def top_p(scores: Tensor, share: float) -> Tensor:
    """Keep the fewest tokens, likeliest first, whose chances add up to `share`.

    Source: Holtzman et al. (2020), The curious case of neural text degeneration.
    """
    chances, order = scores.softmax(0).sort(descending=True, stable=True)
    before = chances.cumsum(0) - chances  # what is already there when a token's turn comes
    cut = torch.zeros_like(scores, dtype=torch.bool)
    cut[order] = before >= share
    cut[order[0]] = False
    return scores.masked_fill(cut, NEVER)


def min_p(scores: Tensor, share: float) -> Tensor:
    """Keep tokens with at least `share` of the likeliest token's chance.

    Source: Nguyen et al. (2024), Turning up the heat: min-p sampling.
    """
    chances = scores.softmax(0)
    return scores.masked_fill(chances < share * chances.max(), NEVER)


def draw(scores: Tensor, generator: torch.Generator) -> int:
    """A token by its odds: `(tokens,)` scores to a number."""
    return int(torch.multinomial(scores.softmax(0), 1, generator=generator))
