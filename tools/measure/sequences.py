"""A small GPT: our training loop against a tutorial's, and writing with the cache and without."""

from __future__ import annotations

import statistics
import time

import torch
from torch import nn
from torch.nn import functional

from engine.training.history import EARLY
from tools.measure import Row

ROUNDS = 3
BATCH, PLACES, FEATURES, HEADS, DEPTH, LETTERS = 16, 128, 128, 4, 4, 31
STEPS = 24
TOKENS = 256


def rows() -> list[Row]:
    """Tokens a second of training, and how much faster 256 tokens are written, one thread."""
    torch.set_num_threads(1)
    tutorial, plain = [], []
    for _ in range(ROUNDS):
        tutorial.append(_tutorial())
        plain.append(_ours())
    pairs = [(_writing(cached=False), _writing(cached=True)) for _ in range(ROUNDS)]
    slow, quick = (min(times) for times in zip(*pairs, strict=True))  # whoever else is at work
    gain = slow / quick
    return [
        _against("char-GPT, our loop over the tutorial's", plain, tutorial),
        Row(
            "char-GPT, 256 tokens written with the cache",
            f"{gain:.1f} ×",
            "≥ 5 ×",
            gain >= 5,
            "against reading all anew for each token; 4 layers, d = 128, up to 512 places",
        ),
    ]


def _against(what: str, ours: list[float], theirs: list[float]) -> Row:
    ratio = statistics.median(o / t for o, t in zip(ours, theirs, strict=True))
    figures = f"{statistics.median(ours):,.0f} against {statistics.median(theirs):,.0f} tokens/s"
    note = f"{figures}; 4 layers, d = 128, T = 128, batch 16; theirs: SDPA, AdamW as it comes"
    return Row(what, f"{ratio:.2f} ×", "≥ 1.1 ×", ratio >= 1.1, note)


class _Attention(nn.Module):
    """As nanoGPT has it."""

    def __init__(self) -> None:
        super().__init__()
        self.c_attn, self.c_proj = nn.Linear(FEATURES, 3 * FEATURES), nn.Linear(FEATURES, FEATURES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, length, features)` to the same."""
        batch, length, size = x.shape
        q, k, v = (
            part.view(batch, length, HEADS, size // HEADS).transpose(1, 2)
            for part in self.c_attn(x).split(size, 2)
        )
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        found: torch.Tensor = self.c_proj(y.transpose(1, 2).contiguous().view(batch, length, size))
        return found


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(FEATURES), nn.LayerNorm(FEATURES)
        self.attn = _Attention()
        wide = nn.Linear(FEATURES, 4 * FEATURES)
        self.mlp = nn.Sequential(
            wide, nn.GELU(approximate="tanh"), nn.Linear(4 * FEATURES, FEATURES)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, length, features)` to the same."""
        x = x + self.attn(self.ln_1(x))
        found: torch.Tensor = x + self.mlp(self.ln_2(x))
        return found


class _Tutorial(nn.Module):
    """The GPT of a tutorial: the network of our template gpt-characters."""

    def __init__(self) -> None:
        super().__init__()
        self.wte, self.wpe = nn.Embedding(LETTERS, FEATURES), nn.Embedding(PLACES, FEATURES)
        self.drop = nn.Dropout(0.1)
        self.h = nn.ModuleList([_Block() for _ in range(DEPTH)])
        self.ln_f, self.head = nn.LayerNorm(FEATURES), nn.Linear(FEATURES, LETTERS, bias=False)
        self.head.weight = self.wte.weight

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Tokens and next tokens, `(batch, length)`, to the loss."""
        h = self.drop(self.wte(x) + self.wpe(torch.arange(x.shape[1])))
        for block in self.h:
            h = block(h)
        scores = self.head(self.ln_f(h))
        return functional.cross_entropy(scores.view(-1, LETTERS), y.view(-1))


def _tutorial() -> float:
    """The loop of nanoGPT: random windows stacked, AdamW as it comes."""
    model, text = _Tutorial(), torch.randint(LETTERS, (50_000,))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def step() -> None:
        begins = torch.randint(len(text) - PLACES - 1, (BATCH,))
        x = torch.stack([text[i : i + PLACES] for i in begins])
        y = torch.stack([text[i + 1 : i + 1 + PLACES] for i in begins])
        loss = model(x, y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss.item()  # as every loop that shows its loss

    for _ in range(2):
        step()
    begun = time.process_time()
    for _ in range(STEPS):
        step()
    return STEPS * BATCH * PLACES / (time.process_time() - begun)


def _ours() -> float:
    """As many steps of the loop that the browser starts, once a run is on its way.

    At first a run is judged often; here it stands where that is over, and the steps that are
    measured hold one judgement, as any steps in a row do from then on.
    """
    from engine.data import load
    from engine.network.build import build
    from engine.network.templates import spec_of
    from engine.training.session import Session
    from engine.training.settings import Settings

    settings = Settings(batch_size=BATCH, learning_rate=1e-3, optimizer="AdamW", epochs=900)
    data = load("stories?length=128&characters=60000")
    session = Session(build(spec_of("gpt-characters")), data, settings)
    for _ in range(2):
        session.advance()
    late = EARLY * session.history.every
    session.step, session.history.steps[-1] = late, late
    begun = time.process_time()
    for _ in range(session.history.every):
        session.advance()
    return session.history.every * BATCH * PLACES / (time.process_time() - begun)


def _writing(*, cached: bool) -> float:
    """Seconds for 256 tokens of a GPT that looks back on 512."""
    from engine.generate.filters import Rule
    from engine.generate.write import write
    from engine.generate.writer import Writer
    from engine.network.build import build
    from engine.network.spec import NetworkSpec
    from engine.network.templates import spec_of

    spec = NetworkSpec.parse(spec_of("gpt-characters")).to_json()
    (text,) = (node for node in spec["nodes"] if node["type"] == "Input")
    text["params"]["shape"] = [512]
    someone = Writer(build(spec).eval(), longest=512, cached=cached)
    someone.prepare([1] * 8)
    begun = time.process_time()
    for _ in write(someone, [1] * 8, Rule(), count=TOKENS):
        pass
    return time.process_time() - begun
