"""Two layers find what one cannot: induction heads.

A word of random letters is said again and again; its length, 6 to 15, differs from text to text.
Who finds the same letter earlier and takes what came *after* it knows the rest. That takes two
steps: a head of the first layer tells every place which letter stood **before** it (a
previous-token head), a head of the second finds the place whose "before" is the letter at hand (an
induction head). One layer learns which letters are about, and guesses among ten: `ln 10 = 2.3`
nats. A *fixed* period proves nothing: one layer solves it by counting places.

**Try:** one layer, then two; then fix the period and see one layer solve it by position alone.

Source: Olsson et al. (2022), In-context learning and induction heads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from demos.kit import (
    Choice,
    Claim,
    Frames,
    Pick,
    Question,
    Slider,
    above,
    below,
    between,
    lab,
)
from engine.attention import pictures
from engine.attention.edits import ablate, fix
from engine.attention.flow import rollout
from engine.attention.heads import scores
from engine.attention.subject import Stream, Subject
from engine.attention.watch import Edit, Sight, look
from engine.network.build import build
from engine.network.templates.attention_only import attention_only
from engine.views import Array, Curve, Frame, Matrix, View

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LENGTH, HEADS, BATCH, RATE = 32, 4, 48, 4e-3
PERIODS = (6, 16)  # from, and up to but not with
FIXED = 10
LAYERS, DETECTORS = ("layer 0", "layer 1"), ("previous token", "induction")


def network(layers: int, positions: str, seed: int = 0) -> nn.Module:
    """Embedding, attentions with shortcuts, scores: nothing but attention moves anything."""
    torch.manual_seed(seed)
    net = build(attention_only(layers, heads=HEADS, length=LENGTH, positions=positions))
    if positions == "learned":  # as GPT-2 begins; else places are lost among large vectors
        nn.init.normal_(net.get_parameter("vectors.weight"), std=0.02)
    return net


def texts(count: int, period: str, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """`(count, LENGTH + 1)` letters, and where the next one can be known, `(count, LENGTH)`."""
    word = torch.rand(count, len(LETTERS), generator=generator).argsort(1)
    lengths = torch.randint(*PERIODS, (count, 1), generator=generator)
    if period == "fixed":
        lengths = torch.full_like(lengths, FIXED)
    places = torch.arange(LENGTH + 1)
    return word.gather(1, places % lengths), places[:-1] >= lengths


def learn(net: nn.Module, period: str, steps: int, seed: int) -> Iterator[int]:
    """Train; yields after every step how many there were."""
    generator = torch.Generator().manual_seed(seed)
    adam = torch.optim.AdamW(net.parameters(), lr=RATE, betas=(0.9, 0.98), fused=True)
    for step in range(steps):
        for group in adam.param_groups:  # a warm-up, and a slow end
            group["lr"] = RATE * min(1, (step + 1) / 20) * min(1, 1.9 - 1.8 * step / steps)
        x, known = texts(BATCH, period, generator)
        loss = functional.cross_entropy(net(x[:, :-1])[known], x[:, 1:][known])
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adam.step()
        yield step + 1


@torch.no_grad()
def judge(net: nn.Module, period: str, edits: Sequence[Edit] = ()) -> tuple[float, float, Sight]:
    """On 128 new texts: loss of the second half [nat], share known of it, and what was seen."""
    x, _ = texts(128, period, torch.Generator().manual_seed(99))
    seen = look(net, [x[:, :-1]], edits=edits)
    answer, truth = seen.answer[:, LENGTH // 2 :].flatten(0, 1), x[:, 1 + LENGTH // 2 :].flatten()
    right = (answer.argmax(1) == truth).double().mean()
    return float(functional.cross_entropy(answer, truth)), float(right), seen


def found(seen: Sight, period: str) -> dict[str, Array]:
    """What two detectors say of every head, `(layers, heads)`, averaged over 16 texts."""
    x = texts(128, period, torch.Generator().manual_seed(99))[0][:16, :-1].numpy()
    weights = [layer.weights[:16].numpy() for layer in seen.layers]
    one = [[scores(layer[i], x[i]) for layer in weights] for i in range(16)]
    return {n: np.mean([[s[n] for s in text] for text in one], axis=0) for n in DETECTORS}


@lab(
    covers=["attention-visualization"],
    seconds=11,
    quick={"steps": 20},
    tries={
        "One layer": {"layers": "1"},
        "Two layers": {"layers": "2"},
        "One layer, fixed period": {"layers": "1", "period": "fixed", "positions": "learned"},
    },
    question=Question(
        "One layer of attention, periods of random length: what is its loss in the second half?",
        ("Near 0 nats", "About 2.3 nats, as if it guessed among 10 letters", "ln 26 = 3.3 nats"),
        1,
        "It knows which letters are about; which is next needs a second look.",
    ),
    network="two-attentions",
)
def run(
    layers: Annotated[str, Choice(("1", "2"), help="How many layers of attention")] = "2",
    period: Literal["random", "fixed"] = "random",
    positions: Literal["rotary", "learned"] = "rotary",
    head: Annotated[int, Pick(2 * HEADS, "heads", help="A head: click its map")] = 0,
    steps: Annotated[int, Slider(10, 1000, log=True, help="Train longer")] = 150,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train from nothing and watch the heads form on one text."""
    net = network(int(layers), positions, seed)
    losses: dict[int, float] = {}

    def picture(step: int) -> Frame:
        losses[step], right, seen = judge(net, period)
        x, y = np.array(list(losses)), np.array(list(losses.values()))
        lines = {"second half": y, "guess among 10": np.full(len(x), np.log(10))}
        views = _heads(net, seen, live["head"], period)
        views["loss"] = Curve(x, lines, ylabel="loss [nat]", log=True)
        for name, table in found(seen, period).items():
            views[name.split()[0]] = Matrix(table, LAYERS[: len(table)], numbers=True, title=name)
        return Frame(step, steps, views, {"loss [nat]": losses[step], "known [%]": 100 * right})

    live: dict[str, Any] = {"head": head}
    for step in learn(net, period, steps, seed):
        if step % 3 == 0 or step == steps:  # a picture costs as much as some steps
            live |= (yield partial(picture, step)) or {}
    while True:
        live |= (yield replace(picture(steps), waits=True)) or {}


def _heads(net: nn.Module, seen: Sight, head: int, period: str) -> dict[str, View]:
    """All heads on the first text, and one of them large."""
    x = texts(128, period, torch.Generator().manual_seed(99))[0][:1, :-1]
    layer, number = min(head // HEADS, len(seen.layers) - 1), head % HEADS
    words = Stream(tuple(LETTERS[i] for i in x[0]), x[0].numpy())
    subject, name = Subject(net, (x,), (words,)), f"{layer}.{number}"
    large = pictures.head(subject, seen.layers[layer], number, LENGTH - 4, "matrix", name)
    return {"heads": pictures.overview(subject, seen.layers, layer * HEADS + number), "head": large}


def check() -> Iterator[Claim]:
    """One layer stalls, two solve it by the two kinds of heads; a fixed period needs neither."""
    nets = network(1, "rotary"), network(2, "rotary"), network(2, "learned")
    for net, period, steps in zip(nets, ("random", "random", "fixed"), (150, 150, 80), strict=True):
        list(learn(net, period, steps, seed=0))
    one, two = (judge(net, "random") for net in nets[:2])
    yield between("one layer, random period: loss of the second half [nat]", one[0], 2.0, 2.5)
    yield below("two layers, random period: loss of the second half [nat]", two[0], 0.05)
    heads = found(two[2], "random")
    yield above("best previous-token score in layer 0", heads["previous token"][0].max(), 0.6)
    yield above("best induction score in layer 1", heads["induction"][1].max(), 0.6)
    yield below("best induction score in layer 0", heads["induction"][0].max(), 0.3)
    _, right, seen = judge(net, "fixed")
    rows = torch.arange(3 * FIXED, LENGTH)  # each has three earlier letters to copy
    to = rows + 1 - FIXED * torch.arange(1, 4)[:, None]
    source = [float(w.weights[:, :, rows, to].sum(2).mean()) for w in seen.layers]
    main = int(np.argmax(source))
    yield above("copying with a fixed period: right [%]", 100 * right, 99)
    yield above("attention of one layer on the letter to copy [%]", 100 * source[main], 60)
    uniform = judge(net, "fixed", [fix(f"attention{main}", None, "uniform")])[1]
    yield below("right when that layer looks everywhere alike [%]", 100 * uniform, 30)
    without = judge(net, "fixed", [ablate(f"attention{1 - main}")])[1]
    yield above("right without the other layer [%]", 100 * without, 99)
    rolled = rollout([layer.weights[0].numpy() for layer in seen.layers])[-1]
    yield below("rows of rollout sum to 1, but for", abs(rolled.sum(1) - 1).max(), 1e-5)
