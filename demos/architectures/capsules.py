"""Capsules: parts that agree on a whole.

A capsule is a vector: its length says *whether* something is there, its direction *how* it stands.
Each part predicts every whole, `û_{j|i} = W_ij u_i`; routing sends its vote where others agree:
`c_ij = softmax_j(b_ij)`, `v_j = squash(Σ_i c_ij û_{j|i})`, `b_ij ← b_ij + û_{j|i} · v_j`.
With every round the votes settle. `squash(s) = |s|²/(1 + |s|²) · s/|s|` keeps lengths below 1.

**Try:** add routing rounds; then pull one of the pose numbers and watch the digit change.

Source: Sabour et al. (2017), Dynamic Routing Between Capsules.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from demos.kit import Claim, Frames, Numbers, Question, Slider, above, below, interactive, lab, same
from engine.data.shipped import digits
from engine.views import Bars, Curve, Frame, Matrix, Tiles, View

POSE = 8  # numbers of a digit capsule in the small network
STILL = [0.0] * POSE


def squash(s: Tensor) -> Tensor:
    """The same direction, a length below 1: `(..., d)` to `(..., d)`."""
    square = s.square().sum(-1, keepdim=True)
    return square / (1 + square) * s / (square + 1e-12).sqrt()


def route(votes: Tensor, rounds: int) -> tuple[Tensor, list[Tensor]]:
    """Votes `(n, parts, wholes, d)` to wholes `(n, wholes, d)` and couplings of each round."""
    b = torch.zeros(votes.shape[:3], dtype=votes.dtype)
    couplings = []
    for _ in range(rounds):
        c = b.softmax(2)  # a part shares itself out among the wholes
        v = squash((c[..., None] * votes).sum(1))
        b = b + (votes * v[:, None]).sum(-1)
        couplings.append(c)
    return v, couplings


def entropy(c: Tensor) -> float:
    """How undecided the parts are, on average [nat]."""
    return float(-(c * (c + 1e-30).log()).sum(2).mean())


class CapsNet(nn.Module):
    """Convolution, primary capsules, routed digit capsules, decoder."""

    def __init__(self, side: int, kernel: int, channels: int, kinds: int, u: int, v: int) -> None:
        super().__init__()
        self.u = u  # numbers of a part's capsule; v of a whole's
        grid = (side - 2 * kernel + 1) // 2 + 1
        self.conv = nn.Conv2d(1, channels, kernel)
        self.primary = nn.Conv2d(channels, kinds * u, kernel, 2)
        self.predict = nn.Parameter(0.1 * torch.randn(kinds * grid * grid, 10, v, u))
        few, many = (512, 1024) if side == 28 else (64, 128)
        first = (nn.Linear(10 * v, few), nn.ReLU(), nn.Linear(few, many), nn.ReLU())
        self.decoder = nn.Sequential(*first, nn.Linear(many, side * side), nn.Sigmoid())

    def votes(self, x: Tensor) -> Tensor:
        """What each part says of each whole: `(n, parts, 10, d)`."""
        u = self.primary(self.conv(x).relu())
        u = squash(u.unflatten(1, (-1, self.u)).movedim(2, -1).flatten(1, 3))
        return torch.einsum("pjde,npe->npjd", self.predict, u)

    def decode(self, v: Tensor, label: Tensor) -> Tensor:
        """The picture a capsule stands for: all others are put to zero."""
        picture: Tensor = self.decoder((v * F.one_hot(label, 10)[..., None]).flatten(1))
        return picture


def original() -> CapsNet:
    """For MNIST, as published; weights are not allocated."""
    with torch.device("meta"):
        return CapsNet(28, 9, 256, 32, 8, 16)


def loss(net: CapsNet, x: Tensor, y: Tensor, rounds: int) -> Tensor:
    """Margin loss and a little of the reconstruction's error."""
    v, _ = route(net.votes(x), rounds)
    length, target = v.norm(dim=-1), F.one_hot(y, 10)
    present = target * (0.9 - length).relu() ** 2
    absent = 0.5 * (1 - target) * (length - 0.1).relu() ** 2
    drawn = (net.decode(v, y) - x.flatten(1)).square().sum(1)
    total: Tensor = (present + absent).sum(1).mean() + 0.02 * drawn.mean()
    return total


@lab(
    covers=["capsule-network"],
    seconds=1,
    quick={"epochs": 1},
    tries={
        "One round": {"rounds": 1},
        "Five rounds": {"rounds": 5},
        "Pull a pose": {"pose": [0.6, *STILL[1:]]},
    },
    question=Question(
        "What do routing rounds do to the couplings of a part?",
        ("Even them out", "Sharpen them", "Leave them as they are"),
        1,
        "A vote that agrees with the whole raises its own weight: the entropy falls every round.",
    ),
    needs=["lenet-5"],
)
def run(
    rounds: Annotated[int, Slider(1, 5, live=True, help="More rounds of agreement")] = 3,
    digit: Annotated[int, Slider(0, 9, live=True, help="Which digit is looked at")] = 3,
    pose: Annotated[
        list[float], Numbers(POSE, -0.8, 0.8, live=True, help="Added to its capsule")
    ] = STILL,
    epochs: Annotated[int, Slider(1, 12, help="Longer training")] = 6,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train a small capsule network; then pull its pose numbers."""
    torch.manual_seed(seed)
    images, labels = digits()
    order = np.random.default_rng(0).permutation(len(labels))
    x = torch.tensor(images[order, None], dtype=torch.float32)
    y, net = torch.tensor(labels[order]), CapsNet(8, 3, 16, 8, 4, POSE)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)

    def picture(epoch: int, rounds: int, digit: int, pose: list[float]) -> Frame:
        seen, label = x[1397:][y[1397:] == digit][:1], torch.tensor([digit])
        with torch.no_grad():
            v, couplings = route(net.votes(seen), rounds)
            lengths = route(net.votes(x[1397:]), rounds)[0].norm(dim=-1)
            right = float((lengths.argmax(1) == y[1397:]).float().mean())
            pulled = v + torch.tensor(pose) * F.one_hot(label, 10)[..., None]
            swept = [v + 0.25 * k * torch.eye(POSE)[d] for d in range(POSE) for k in (-1, 0, 1)]
            made = [net.decode(some, label) for some in (v, pulled, *swept)]
        tiles = torch.cat([seen.flatten(1), *made]).view(-1, 8, 8).numpy()
        poses = (f"pose {d} {k}" for d in range(POSE) for k in ("−", "0", "+"))
        words, names = ("seen", "decoded", "pulled", *poses), tuple("0123456789")
        entropies = np.array([entropy(c) for c in couplings])
        sizes, shares = {"length": v[0].norm(dim=-1).numpy()}, couplings[-1][0].numpy()
        views: dict[str, View] = {
            "couplings": Matrix(shares, (), names, "digit", "part", title="who votes for whom"),
            "poses": Tiles(tiles, words, across=9, title="pull a pose, see the digit change"),
            "lengths": Bars(names, sizes, "digit capsule", "length: is it there?"),
            "entropy": Curve(
                np.arange(1, rounds + 1),
                {"entropy": entropies},
                "round",
                "entropy [nat]",
                dots=True,
            ),
        }
        facts = {"accuracy on 400 others": right, "entropy [nat]": float(entropies[-1])}
        return Frame(epoch, epochs, views, facts)

    shown: dict[str, Any] = {"rounds": rounds, "digit": digit, "pose": pose}
    for epoch in range(1, epochs + 1):
        for batch in torch.randperm(1397).split(64):
            optimizer.zero_grad()
            loss(net, x[batch], y[batch], shown["rounds"]).backward()
            optimizer.step()
        shown.update((yield partial(picture, epoch, **shown)) or {})
    yield from interactive(partial(picture, epochs), **shown)


def check() -> Iterator[Claim]:
    """Couplings are shares, lengths stay below 1, routing decides; and the published size."""
    random = torch.Generator().manual_seed(0)
    votes = torch.randn(4, 32, 10, 16, generator=random, dtype=torch.float64)
    v, couplings = route(votes, 4)
    gap = max(float((c.sum(2) - 1).abs().max()) for c in couplings)
    yield below("Couplings of a part add up to 1: gap", gap, 1e-12)
    far = squash(100 * torch.randn(1000, 16, generator=random, dtype=torch.float64)).norm(dim=-1)
    yield same(
        "Squashed lengths stay below 1", bool(far.max() < 1 and v.norm(dim=-1).max() < 1), True
    )
    falls = -np.diff([entropy(c) for c in couplings])
    for place, fall in enumerate(falls, 1):
        yield above(f"Entropy lost in routing iteration {place} [nat]", float(fall), 1e-6)
    net = original()
    count = sum(p.numel() for p in net.parameters())
    decoder = sum(p.numel() for p in net.decoder.parameters())
    yield same("The published CapsNet for MNIST: parameters", count, 8_215_568)
    yield same("… without its decoder", count - decoder, 6_804_224)
