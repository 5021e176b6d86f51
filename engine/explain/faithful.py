"""Whether a map points at what the network really uses: take that away and look at the score."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from engine.explain.table import calm, score
from engine.views import Array

STEPS = 20
BATCH = 128  # samples through the network at a time

Likely = Callable[[torch.Tensor], torch.Tensor]
"""A network's scores `(n, outputs)` as what is watched, `(n, outputs)`: chances, as a rule."""


def chances(scores: torch.Tensor) -> torch.Tensor:
    """Scores `(n, classes)` as chances."""
    return scores.softmax(1)


def deletion(
    module: nn.Module,
    x: torch.Tensor,
    target: int,
    order: torch.Tensor,
    *,
    steps: int = STEPS,
    baseline: float | torch.Tensor = 0.0,
    insert: bool = False,
    likely: Likely = chances,
) -> Array:
    """The chance of the target while places are taken away in an order, `(steps + 1,)`.

    Args:
        module: The network.
        x: One sample, `(1, ...)`.
        target: The output watched.
        order: The numbers of the places, the most important first, `(places,)`; for pictures a
            place is a pixel in all its channels.
        steps: How many portions the places are taken in.
        baseline: What stands for a missing number, or a whole sample of such, like `x`.
        insert: Whether places are put into an empty sample instead.
        likely: Makes what is watched of the scores.

    Source: Petsiuk, Das & Saenko (2018), RISE, section 4.1.
    """
    gone = missing(x, order, steps)
    hidden = ~gone if insert else gone
    empty = torch.as_tensor(baseline, dtype=x.dtype).expand_as(x)
    return _watched(module, torch.where(hidden, empty, x), target, likely)


def missing(x: torch.Tensor, order: torch.Tensor, steps: int) -> torch.Tensor:
    """Which numbers of a sample are gone after each portion, `(steps + 1, ...)` like `x`."""
    places = len(order)
    rank = torch.empty(places, dtype=torch.long)
    rank[order] = torch.arange(places)
    gone = rank[None] < torch.linspace(0, places, steps + 1).round()[:, None]  # (steps + 1, places)
    shape = (len(gone), 1, *x.shape[2:]) if x.ndim > 2 else (len(gone), *x.shape[1:])
    return gone.reshape(shape).expand(len(gone), *x.shape[1:])


def _watched(module: nn.Module, samples: torch.Tensor, target: int, likely: Likely) -> Array:
    with calm(module), torch.no_grad():
        scores = torch.cat([module(some) for some in samples.split(BATCH)])
    found: Array = likely(scores)[:, target].numpy()
    return found


def ranking(explanation: torch.Tensor) -> torch.Tensor:
    """The places of a map `(1, ...)`, what speaks most for the target first, `(places,)`."""
    one = explanation[0].sum(0) if explanation.ndim > 2 else explanation[0]
    return one.flatten().argsort(descending=True, stable=True)


def area(chances: Array) -> float:
    """Mean height of a curve over equal steps: small for a good deletion, large for insertion."""
    return float((chances[1:] + chances[:-1]).mean() / 2)


def road(
    module: nn.Module,
    x: torch.Tensor,
    target: int,
    order: torch.Tensor,
    *,
    steps: int = 10,
    noise: float = 0.01,
    seed: int = 0,
    likely: Likely = chances,
) -> Array:
    """The chance of the target while places are filled in from their neighbours, `(steps + 1,)`.

    A missing pixel becomes the weighted mean of its neighbours, straight ones twice as heavy as
    diagonal ones, with a little noise: what is gone leaves no black hole whose shape gives the
    class away. The columns of a table have no neighbours; there it is `deletion`.

    Source: Rong et al. (2022), A consistent and efficient evaluation strategy for attribution
    methods (ROAD), section 4.
    """
    if x.ndim < 3:
        return deletion(module, x, target, order, steps=steps, likely=likely)
    generator = torch.Generator().manual_seed(seed)
    gone = missing(x, order, steps)
    filled = torch.stack([impute(x[0], one[0]) for one in gone])
    filled += torch.where(gone, noise * torch.randn(gone.shape, generator=generator), 0.0)
    return _watched(module, filled, target, likely)


def impute(one: torch.Tensor, gone: torch.Tensor) -> torch.Tensor:
    """A sample `(channels, *places)` whose missing places are the weighted mean of neighbours.

    All missing places are solved for at once, so a hole is filled smoothly from its rim.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import spsolve

    picture = one if one.ndim == 3 else one[:, None]  # a series is a picture of one row
    absent = gone.reshape(picture.shape[1:])
    count = int(absent.sum())
    if count in (0, absent.numel()):
        return one.clone() if count == 0 else one.mean((-1,), keepdim=True).expand_as(one).clone()
    number = torch.full(absent.shape, -1, dtype=torch.long)
    number[absent] = torch.arange(count)
    weights = torch.zeros(count, dtype=torch.float64)
    right = torch.zeros(count, len(picture), dtype=torch.float64)
    rows, columns, values = [], [], []
    height, width = absent.shape
    places = absent.nonzero()
    for down, across, weight in NEIGHBOURS:
        r, c = places[:, 0] + down, places[:, 1] + across
        there = (r >= 0) & (r < height) & (c >= 0) & (c < width)
        own, r, c = there.nonzero()[:, 0], r[there], c[there]
        weights[own] += weight
        unknown = number[r, c] >= 0
        rows.append(own[unknown])
        columns.append(number[r, c][unknown])
        values.append(torch.full((int(unknown.sum()),), -weight, dtype=torch.float64))
        known = ~unknown
        right[own[known]] += weight * picture[:, r[known], c[known]].T.double()
    rows.append(torch.arange(count))
    columns.append(torch.arange(count))
    values.append(weights)
    at = (torch.cat(rows).numpy(), torch.cat(columns).numpy())
    system = coo_matrix((torch.cat(values).numpy(), at), shape=(count, count)).tocsc()
    solved = torch.from_numpy(spsolve(system, right.numpy())).reshape(count, len(picture))
    out = picture.clone()
    out[:, absent] = solved.T.to(out.dtype)
    return out.reshape(one.shape)


NEIGHBOURS = [
    (down, across, 1 / 6 if 0 in (down, across) else 1 / 12)
    for down in (-1, 0, 1)
    for across in (-1, 0, 1)
    if (down, across) != (0, 0)
]


def infidelity(
    module: nn.Module,
    x: torch.Tensor,
    target: int,
    explanation: torch.Tensor,
    *,
    samples: int = 200,
    noise: float = 0.1,
    seed: int = 0,
) -> tuple[float, float]:
    """How badly a map foretells the change of the score under small noise.

    `E (Iᵀφ − (F(x) − F(x − I)))²` with normal noise `I`: in squared units of the score, and after
    the map was scaled as well as can be as a part of what there was to foretell. The second is 0
    for a map that foretells every change and 1 for one that foretells nothing, whatever its unit.

    Args:
        module: The network.
        x: One sample, `(1, ...)`.
        target: The output.
        explanation: The map, like `x`.
        samples: Draws of the noise.
        noise: Its standard deviation, as a part of the sample's range.
        seed: Of the draws.

    Source: Yeh et al. (2019), On the (in)fidelity and sensitivity of explanations, definition 2.1.
    """
    generator = torch.Generator().manual_seed(seed)
    spread = noise * float(x.max() - x.min())
    shift = spread * torch.randn((samples, *x.shape[1:]), generator=generator)
    foretold = (shift * explanation).flatten(1).sum(1)
    wanted = torch.full((samples,), target)
    with calm(module), torch.no_grad():
        left = torch.cat(
            [
                score(module, x - some, some_target)
                for some, some_target in zip(shift.split(BATCH), wanted.split(BATCH), strict=True)
            ]
        )
        fall = score(module, x, wanted[:1]) - left
    plain = float((foretold - fall).square().mean())
    power = foretold.square().mean()
    scale = (foretold * fall).mean() / power if power > 0 else power
    rest = (scale * foretold - fall).square().mean()
    total = fall.square().mean()
    return plain, float(rest / total) if total > 0 else 0.0


def sensitivity(
    explain: Callable[[torch.Tensor], torch.Tensor],
    x: torch.Tensor,
    *,
    radius: float = 0.02,
    samples: int = 10,
    seed: int = 0,
) -> float:
    """The most a map changes when the input hardly does, as a part of the map's own length.

    Args:
        explain: Makes the map of samples `(1, ...)`.
        x: One sample, `(1, ...)`.
        radius: How far each number of the input moves at most.
        samples: Draws of the move, even in the cube.
        seed: Of the draws.

    Source: Yeh et al. (2019), On the (in)fidelity and sensitivity of explanations, definition 3.1.
    """
    generator = torch.Generator().manual_seed(seed)
    here = explain(x)
    own = float(here.norm())
    if own == 0:
        return 0.0
    most = 0.0
    for _ in range(samples):
        move = radius * (2 * torch.rand(x.shape, generator=generator) - 1)
        most = max(most, float((explain(x + move) - here).norm()) / own)
    return most
