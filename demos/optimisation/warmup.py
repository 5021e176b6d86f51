"""Warm-up: small steps before large ones.

Adam divides by the root of a running mean of squared gradients. After one step that mean is one
single square, and the step sizes of equal weights differ wildly; after some hundred steps they
agree. A Transformer with its layer norm after each block (post-LN) also starts with its largest
gradients near the output. Both tell the same: begin with a small rate and raise it in even steps,
`η · min(1, t/T)`. With the norm before each block (pre-LN) training starts calmly by itself.

**Try:** train post-LN without warm-up, then with 100 steps of it; then move the norm.

Source: Xiong et al. (2020), On layer normalization in the Transformer architecture;
Liu et al. (2020), On the variance of the adaptive learning rate and beyond;
Vaswani et al. (2017), Attention is all you need.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Annotated, Literal

import numpy as np
import torch
from torch import Tensor, nn

from demos.kit import Claim, Frames, Question, Slider, above, below, lab, near, ticks
from engine.optimisers import Memory, adam
from engine.views import Array, Curve, Frame, Matrix, View

TOKENS, LENGTH, WIDTH, HEADS, LAYERS, BATCH = 12, 8, 64, 4, 4, 32
CHANCE = math.log(TOKENS)  # loss of a guess, 2.48 nat


class Block(nn.Module):
    """Attention and a two-layer network, each added to its input and normalised before or after."""

    def __init__(self, before: bool) -> None:
        super().__init__()
        self.before = before
        self.queries_keys_values, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.wide = nn.Sequential(
            nn.Linear(WIDTH, 2 * WIDTH), nn.ReLU(), nn.Linear(2 * WIDTH, WIDTH)
        )
        self.norms = nn.ModuleList([nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)])

    def attend(self, x: Tensor) -> Tensor:
        """Self-attention with four heads, `(batch, tokens, width)` to the same."""
        parts = self.queries_keys_values(x).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        heads = nn.functional.scaled_dot_product_attention(*parts)
        return self.out(heads.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """The norms' place is the whole difference."""
        parts: tuple[Callable[[Tensor], Tensor], ...] = (self.attend, self.wide)
        for norm, part in zip(self.norms, parts, strict=True):
            x = x + part(norm(x)) if self.before else norm(x + part(x))
        return x


def network(before: bool, seed: int) -> nn.Sequential:
    """A 4-layer Transformer that says for each place which token belongs there."""
    torch.manual_seed(seed)
    blocks = (Block(before) for _ in range(LAYERS))
    last = nn.LayerNorm(WIDTH) if before else nn.Identity()
    model = nn.Sequential(nn.Embedding(TOKENS, WIDTH), Places(), *blocks, last,
                          nn.Linear(WIDTH, TOKENS))  # fmt: skip
    for weight in model.parameters():
        if weight.dim() > 1:
            nn.init.xavier_uniform_(weight)
    return model


class Places(nn.Module):
    """Adds to each token the sines and cosines of its place."""

    def forward(self, x: Tensor) -> Tensor:
        """`(batch, tokens, width)` to the same."""
        place, wave = torch.arange(LENGTH)[:, None], torch.arange(0, WIDTH, 2)
        angle = place * torch.exp(-wave / WIDTH * math.log(10_000))
        return x + torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


def train(
    before: bool, warm: int, steps: int, rate: float, seed: int
) -> Iterator[tuple[float, float, nn.Sequential]]:
    """Learn to reverse eight random tokens; yields loss, rate and the network after each step."""
    model = network(before, seed)
    weights, memory = list(model.parameters()), Memory()
    flat = nn.utils.parameters_to_vector(weights).detach()  # one vector: Adam is elementwise
    generator = torch.Generator().manual_seed(seed)
    for step in range(1, steps + 1):
        x = torch.randint(TOKENS, (BATCH, LENGTH), generator=generator)
        loss = nn.functional.cross_entropy(model(x).flatten(0, 1), x.flip(1).flatten())
        slopes = torch.autograd.grad(loss, weights)
        now = rate * min(1, step / warm) if warm else rate
        g = torch.cat([slope.ravel() for slope in slopes])
        flat, memory = adam(flat, g, memory, learning_rate=now)
        nn.utils.vector_to_parameters(flat, weights)
        yield loss.item(), now, model


def spread(steps: int, weights: int = 4000, beta2: float = 0.999) -> Array:
    """Standard deviation of `log 1/√v̂` between weights with equally noisy gradients, `(steps,)`."""
    generator = np.random.default_rng(0)
    v, spreads = np.zeros(weights), []
    for step in range(1, steps + 1):
        v = beta2 * v + (1 - beta2) * generator.standard_normal(weights) ** 2
        spreads.append((-0.5 * np.log(v / (1 - beta2**step))).std())
    return np.array(spreads)


@lab(
    covers=["lr-warmup"],
    seconds=14,
    quick={"steps": 3},
    tries={
        "Post-LN, no warm-up": {"warm": 0},
        "Post-LN, 100 steps of it": {"warm": 100},
        "Pre-LN needs none": {"warm": 0, "norm": "pre-LN"},
    },
    question=Question(
        "Equal noise on every weight. After one step, how far do Adam's step sizes spread?",
        ("Not at all", "By a factor of about three"),
        1,
        "Each is 1/|g| of a single random g: the logarithm has a standard deviation of 1.11.",
    ),
    needs=["adam", "lr-schedules", "layer-norm-rmsnorm"],
)
def run(
    warm: Annotated[int, Slider(0, 200, help="A longer warm-up [steps]")] = 100,
    norm: Literal["post-LN", "pre-LN"] = "post-LN",
    rate: Annotated[float, Slider(0.0001, 0.03, log=True, help="A larger rate")] = 0.01,
    steps: Annotated[int, Slider(3, 600, help="A longer training")] = 300,
    seed: Annotated[int, Slider(0, 99, help="Other weights and sequences")] = 0,
) -> Frames:
    """Train a small Transformer to reverse a sequence; show the loss, the rate and the spread."""
    losses, rates, spreads = list[float](), list[float](), spread(steps)
    walk = train(norm == "pre-LN", warm, steps, rate, seed)
    for step, show in ticks(steps, 60):
        loss, now, model = next(walk)
        losses.append(min(loss, 1e3))
        rates.append(now)
        if show:
            x = np.arange(1, step + 1)
            sample = torch.randint(TOKENS, (1, LENGTH), generator=torch.Generator().manual_seed(1))
            with torch.no_grad():
                p = model(sample)[0].softmax(-1)
            words = tuple(map(str, sample[0].flip(0).tolist()))
            views: dict[str, View] = {
                "loss": Curve(
                    x, {"loss": np.array(losses), "a guess, ln 12": np.full(step, CHANCE)},
                    ylabel="loss [nat]", title=f"{norm}, {warm} steps of warm-up",
                ),
                "answer": Matrix(
                    p.numpy(), words, tuple(map(str, range(TOKENS))), "token", "token asked for",
                    title="what it answers: it should light up the one asked for",
                ),
                "rate": Curve(x, {"η": np.array(rates)}, ylabel="learning rate", title="warm-up"),
                "spread": Curve(
                    np.arange(1, steps + 1), {"spread of log 1/√v̂": spreads}, ylabel="spread",
                    log=True, marks={"now": step}, title="how much Adam's step sizes disagree",
                ),
            }  # fmt: skip
            right = float((p.argmax(-1) == sample[0].flip(0)).float().mean())
            facts = {"loss": losses[-1], "tokens right in the sample [%]": 100 * right}
            yield Frame(step, steps, views, facts)


def final(before: bool, warm: int) -> float:
    """Mean loss of the last 20 of 300 steps at a rate of 0.01."""
    return float(np.mean([loss for loss, _, _ in train(before, warm, 300, 0.01, 0)][-20:]))


def check() -> Iterator[Claim]:
    """Post-LN needs the warm-up, pre-LN does not; the spread of step sizes falls."""
    yield above("Post-LN without warm-up: loss [nat]", final(before=False, warm=0), 1.5)
    yield below("Post-LN with 100 steps of warm-up", final(before=False, warm=100), 0.5)
    yield below("Pre-LN without warm-up", final(before=True, warm=0), 0.2)
    spreads = spread(200)
    yield near("Log-spread of Adam's rate at step 1, π/√8", spreads[0], math.pi / 8**0.5, 0.04)
    yield near("and at step 200, 1/√400", spreads[-1], 0.05, 0.01)
