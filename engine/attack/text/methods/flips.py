"""Exchange of single tokens: where the gradient promises most, by trial, or by chance."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from engine.attack.balls import across
from engine.attack.text.table import (
    Flips,
    Tokens,
    answers,
    caught,
    reader,
    text_attack,
    text_fooled,
    text_loss,
)
from engine.attack.watch import seen
from engine.forms import Slider

BATCH = 2048  # texts asked at once

Candidates = Annotated[int, Slider(1, 100, log=True, help="Tries more of the most promising")]
Seed = Annotated[int, Slider(0, 999, help="Other random draws")]


@text_attack("hotflip", gradients=True)
def hotflip(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    flips: Flips = 2,
    candidates: Candidates = 10,
    targeted: bool = False,
    allowed: Tokens | None = None,
    protected: Tokens | None = None,
) -> torch.Tensor:
    """One token after the other exchanged where the gradient says that it costs the most.

    Exchanging token a at a place for b promises `(e_b − e_a) · ∇_e loss`, with e the vectors;
    the most promising candidates are tried, and the best is kept if it raises the loss.

    Source: Ebrahimi et al. (2018), HotFlip: white-box adversarial examples for text
    classification.
    """
    table = reader(module, x)
    found = x.clone()
    for _ in range(flips):
        promise = promises(module, table, found, y, targeted=targeted)
        promise[~_open(found, x, promise.shape[2], allowed, protected)] = -torch.inf
        tried = promise.flatten(1).topk(min(candidates, promise[0].numel()), dim=1).indices
        if not _exchange(module, found, y, tried, promise, targeted=targeted):
            break
        seen(found)
    return found


@text_attack("greedy", gradients=False)
def greedy(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    flips: Flips = 2,
    targeted: bool = False,
    allowed: Tokens | None = None,
    protected: Tokens | None = None,
) -> torch.Tensor:
    """Every exchange of one token is tried and the worst one made: needs answers only.

    Source: Gao et al. (2018), Black-box generation of adversarial text sequences to evade deep
    learning classifiers.
    """
    found, size = x.clone(), vocabulary(module, x)
    for _ in range(flips):
        open_ = _open(found, x, size, allowed, protected)
        promise = torch.zeros(open_.shape).masked_fill(~open_, -torch.inf)
        tried = torch.arange(promise[0].numel()).expand(len(x), -1)
        if not _exchange(module, found, y, tried, promise, targeted=targeted):
            break
        seen(found)
    return found


@text_attack("chance", gradients=False)
def chance(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    flips: Flips = 2,
    seed: Seed = 0,
    allowed: Tokens | None = None,
    protected: Tokens | None = None,
) -> torch.Tensor:
    """Random exchanges: what an attack must beat to deserve its name."""
    del y
    generator = torch.Generator().manual_seed(seed)
    found, size = x.clone(), vocabulary(module, x)
    for _ in range(flips):
        open_ = _open(found, x, size, allowed, protected).flatten(1)
        some = open_.any(1)
        drawn = torch.multinomial(open_[some].float(), 1, generator=generator)[:, 0]
        found[some.nonzero()[:, 0], drawn // size] = (drawn % size).to(found.dtype)
        seen(found)
    return found


def promises(
    module: nn.Module, table: nn.Embedding, x: torch.Tensor, y: torch.Tensor, *, targeted: bool
) -> torch.Tensor:
    """How much each exchange should raise the loss, `(batch, length, vocabulary)`."""
    with caught(table) as kept, torch.enable_grad():
        value = nn.functional.cross_entropy(answers(module, x), y, reduction="sum")
        (slope,) = torch.autograd.grad(-value if targeted else value, kept[0])
    now = (slope * kept[0].detach()).sum(2, keepdim=True)
    return slope @ table.weight.detach().T - now


def vocabulary(module: nn.Module, x: torch.Tensor) -> int:
    """How many tokens the network knows."""
    return reader(module, x).num_embeddings


def _open(
    found: torch.Tensor,
    x: torch.Tensor,
    size: int,
    allowed: Tokens | None,
    protected: Tokens | None,
) -> torch.Tensor:
    """Which exchanges may be made, `(batch, length, vocabulary)`: each place once."""
    may = torch.zeros(size, dtype=torch.bool)
    may[torch.tensor(list(range(size) if allowed is None else allowed))] = True
    open_ = may.expand(*x.shape, size).clone()
    open_ &= (found == x)[..., None]
    if protected is not None and len(protected):
        kept = torch.tensor(list(protected))
        may_not = torch.isin(x, kept)
        open_[may_not] = False
        open_[..., kept] = False
    open_.scatter_(2, x.long()[..., None], False)
    return open_


def _exchange(
    module: nn.Module,
    found: torch.Tensor,
    y: torch.Tensor,
    tried: torch.Tensor,
    promise: torch.Tensor,
    *,
    targeted: bool,
) -> bool:
    """Make the best of the tried exchanges in each text that still holds; False if none helped."""
    size = promise.shape[2]
    with torch.no_grad():
        most = text_loss(module, found, y, targeted=targeted)
    most[text_fooled(module, found, y, targeted=targeted)] = torch.inf  # done already
    count = tried.shape[1]
    texts = found.repeat_interleave(count, 0)
    places, tokens = tried.flatten() // size, tried.flatten() % size
    texts[torch.arange(len(texts)), places] = tokens.to(texts.dtype)
    owners = y.repeat_interleave(count)
    with torch.no_grad():
        parts = zip(texts.split(BATCH), owners.split(BATCH), strict=True)
        value = torch.cat([text_loss(module, part, own, targeted=targeted) for part, own in parts])
    value = value.reshape(len(found), count)
    value[promise.flatten(1).gather(1, tried) == -torch.inf] = -torch.inf
    best, which = value.max(1)
    gain = best > most
    chosen = texts.reshape(len(found), count, -1)[torch.arange(len(found)), which]
    found[:] = torch.where(across(gain, found), chosen, found)
    return bool(gain.any())
