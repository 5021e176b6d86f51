"""The smallest change that makes a network change its mind.

Source: Wachter, Mittelstadt & Russell (2018), Counterfactual explanations without opening the
black box; steps to the nearest border: Moosavi-Dezfooli, Fawzi & Frossard (2016), DeepFool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from engine.explain.table import calm

HALVINGS = 20
OVER = 1.02  # how far past the border a step goes


@dataclass(frozen=True)
class Bounds:
    """What a sample may plausibly be, each like a sample without its batch.

    Attributes:
        low: The least of each number.
        high: The most.
        scale: What counts as one unit of change of it: its standard deviation over the data.
    """

    low: torch.Tensor
    high: torch.Tensor
    scale: torch.Tensor


@dataclass(frozen=True)
class Flip:
    """A changed sample to which the network says something else.

    Attributes:
        x: `(1, ...)`.
        before: What it said to the sample.
        after: What it says to this one.
        distance: Length of the change, in the bounds' units.
        changed: How many numbers differ.
    """

    x: torch.Tensor
    before: int
    after: int
    distance: float
    changed: int


def bounds_of(data: torch.Tensor) -> Bounds:
    """What samples `(n, ...)` are as a rule: from the 1st to the 99th of a hundred."""
    flat = data[:5000].flatten(1).double()
    ends = torch.quantile(flat, torch.tensor([0.01, 0.99], dtype=torch.float64), dim=0)
    low, high = (end.reshape(data.shape[1:]).to(data.dtype) for end in ends)
    spread = flat.std(0).reshape(data.shape[1:]).to(data.dtype)
    return Bounds(low, high, torch.where(spread > 0, spread, torch.ones_like(spread)))


def nearest(
    module: nn.Module,
    x: torch.Tensor,
    bounds: Bounds,
    *,
    wanted: int | None = None,
    fixed: torch.Tensor | None = None,
    sparse: bool = True,
    steps: int = 60,
    fallback: torch.Tensor | None = None,
) -> Flip | None:
    """The nearest sample found to which the network says something else, or None.

    Args:
        module: The network, `(n, ...)` to `(n, classes)`.
        x: The sample, `(1, ...)`.
        bounds: What a plausible sample is.
        wanted: What it shall say; None for anything else.
        fixed: Which numbers must stay, like a sample; none if None.
        sparse: Whether changes that are not needed are taken back one by one, which changes fewer
            numbers, by a longer way in all.
        steps: How many steps to the border are tried.
        fallback: Samples `(n, ...)` whose nearest with another answer is begun from where the
            steps find none.
    """
    with calm(module):
        with torch.no_grad():
            before = int(module(x).argmax())
        if before == wanted:
            return Flip(x, before, before, 0.0, 0)
        free = torch.ones_like(x[0]) if fixed is None else (~fixed).to(x.dtype)
        found = _to_the_border(module, x, bounds, before, wanted, free, steps)
        if found is None:
            found = _unlike(module, x, bounds, before, wanted, free, fallback)
        if found is None:
            return None
        found = _bisected(module, x, found, before, wanted)
        if sparse:
            found = _thinned(module, x, found, bounds, before, wanted)
            found = _bisected(module, x, found, before, wanted)
        with torch.no_grad():
            after = int(module(found).argmax())
    change = (found - x)[0]
    distance = float((change / bounds.scale).norm())
    return Flip(found, before, after, distance, int((change != 0).sum()))


def _flipped(module: nn.Module, x: torch.Tensor, before: int, wanted: int | None) -> torch.Tensor:
    with torch.no_grad():
        said: torch.Tensor = module(x).argmax(1)
    return said != before if wanted is None else said == wanted


def _to_the_border(
    module: nn.Module,
    x: torch.Tensor,
    bounds: Bounds,
    before: int,
    wanted: int | None,
    free: torch.Tensor,
    steps: int,
) -> torch.Tensor | None:
    """Step to the nearest border of a linear picture of the network, until it is crossed."""
    here = x.clone()
    for _ in range(steps):
        if bool(_flipped(module, here, before, wanted)):
            return here
        leading = here.detach().requires_grad_()
        with torch.enable_grad():
            scores = module(leading)[0]
            others = [wanted] if wanted is not None else _rivals(scores, before)
            best: tuple[float, torch.Tensor] | None = None
            for other in others:
                lead = scores[before] - scores[other]
                if not lead.requires_grad:  # the network ignores its input
                    continue
                (slope,) = torch.autograd.grad(lead, leading, retain_graph=True)
                steep = slope[0] * bounds.scale * free
                # where a bound is reached already, that number cannot help
                stuck = ((here[0] <= bounds.low) & (steep > 0)) | (
                    (here[0] >= bounds.high) & (steep < 0)
                )
                steep = torch.where(stuck, torch.zeros_like(steep), steep)
                length, ahead = float(steep.norm()), float(lead.detach())
                if length > 0 and (best is None or ahead / length < best[0]):
                    step = -OVER * ahead / length**2 * steep * bounds.scale
                    best = (ahead / length, step)
        if best is None:
            return None
        here = _inside((here + best[1]).detach(), x, bounds)
    return here if bool(_flipped(module, here, before, wanted)) else None


def _rivals(scores: torch.Tensor, before: int) -> list[int]:
    """The classes a step may go to: the likeliest ten others."""
    order: list[int] = scores.detach().argsort(descending=True).tolist()
    return [other for other in order if other != before][:10]


def _inside(here: torch.Tensor, x: torch.Tensor, bounds: Bounds) -> torch.Tensor:
    """Moved into the bounds; a number that was outside from the first may stay where it was."""
    low, high = torch.minimum(bounds.low, x[0]), torch.maximum(bounds.high, x[0])
    return torch.maximum(torch.minimum(here, high), low)


def _unlike(
    module: nn.Module,
    x: torch.Tensor,
    bounds: Bounds,
    before: int,
    wanted: int | None,
    free: torch.Tensor,
    others: torch.Tensor | None,
) -> torch.Tensor | None:
    """The nearest real sample with another answer: a change in its direction must flip."""
    if others is None or not len(others):
        return None
    mixed = torch.where(free > 0, others, x)
    fits = _flipped(module, mixed, before, wanted)
    if not bool(fits.any()):
        return None
    mixed = mixed[fits]
    away = ((mixed - x) / bounds.scale).flatten(1).norm(dim=1)
    return mixed[int(away.argmin())][None]


def _bisected(
    module: nn.Module, x: torch.Tensor, found: torch.Tensor, before: int, wanted: int | None
) -> torch.Tensor:
    """The nearest place on the straight way back that is still across the border."""
    near, far = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        if bool(_flipped(module, x + middle * (found - x), before, wanted)):
            far = middle
        else:
            near = middle
    return x + far * (found - x)


def _thinned(
    module: nn.Module,
    x: torch.Tensor,
    found: torch.Tensor,
    bounds: Bounds,
    before: int,
    wanted: int | None,
) -> torch.Tensor:
    """Take back changes, the smallest first, for which others can make up within the bounds."""
    change = ((found - x)[0] / bounds.scale).flatten()
    kept = found.clone()
    fixed = torch.zeros(change.shape, dtype=torch.bool)
    fixed[change == 0] = True
    for place in change.abs().argsort().tolist()[: 128 if len(change) > 128 else None]:
        if fixed[place]:
            continue
        trial = fixed.clone()
        trial[place] = True
        free = (~trial).to(x.dtype).reshape(x.shape[1:])
        start = torch.where(free > 0, kept, x)
        if bool(_flipped(module, start, before, wanted)):
            kept, fixed = start, trial
            continue
        again = _to_the_border(module, x, bounds, before, wanted, free, 10)
        if again is not None and int((~trial).sum()) > 0:
            kept, fixed = again, trial
    return kept


def replaced_words(
    module: nn.Module,
    tokens: torch.Tensor,
    vocabulary: int,
    *,
    wanted: int | None = None,
    keep: Sequence[int] = (),
    most: int = 3,
    batch: int = 256,
) -> Flip | None:
    """The fewest words to replace so that a network of tokens says something else, or None.

    Every word is tried at every place; where one is not enough, the most helpful stays and the
    search goes on from there.

    Args:
        module: The network of tokens, `(n, length)` to `(n, classes)`.
        tokens: The text, `(1, length)`.
        vocabulary: How many tokens there are.
        wanted: What it shall say; None for anything else.
        keep: Tokens that are not replaced, and not put in (those that only fill up).
        most: How many words may be replaced.
        batch: How many texts are asked at a time.
    """
    with calm(module), torch.no_grad():
        before = int(module(tokens)[0].argmax())
        here, changed = tokens.clone(), set[int]()
        for count in range(1, most + 1):
            trials, places = _one_more(here, vocabulary, keep, changed)
            if not len(trials):
                return None
            scores = torch.cat([module(some) for some in trials.split(batch)])
            lead = _lead(scores, before, wanted)
            best = int(lead.argmin())
            here, changed = trials[best][None], {*changed, places[best]}
            after = int(scores[best].argmax())
            if after != before and wanted in (None, after):
                return Flip(here, before, after, float(count), count)
    return None


def _one_more(
    here: torch.Tensor, vocabulary: int, keep: Sequence[int], changed: set[int]
) -> tuple[torch.Tensor, list[int]]:
    """Every text with one word more replaced, `(n, length)`, and where."""
    trials, places = [], []
    for place, token in enumerate(here[0].tolist()):
        if token in keep or place in changed:
            continue
        for other in range(vocabulary):
            if other != token and other not in keep:
                trial = here[0].clone()
                trial[place] = other
                trials.append(trial)
                places.append(place)
    return (torch.stack(trials) if trials else here[:0]), places


def _lead(scores: torch.Tensor, before: int, wanted: int | None) -> torch.Tensor:
    """How far the first answer is ahead of what is wanted, `(n,)`."""
    if wanted is not None:
        return scores[:, before] - scores[:, wanted]
    others = scores.clone()
    others[:, before] = -torch.inf
    return scores[:, before] - others.amax(1)
