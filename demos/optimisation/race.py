"""The race: nine optimisers, one landscape.

All begin at one place and take the same number of steps down the same loss; only their update
rules differ. Momentum overshoots and returns, AdaGrad fades, Adam and its kin move at their
learning rate wherever the slope is weak. Beside the landscape the same nine train a linear digit
classifier whose 64 inputs were rescaled by factors from 0.03 to 30: there one learning rate for
all weights is a bad compromise, and the adaptive rules, which give each weight its own, win.

**Try:** click on the map: all nine start again from there. Then give one of them a faster rate.

Source: Schmidt, Schneider & Hennig (2021), Descending through a crowded valley.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import numpy as np
import torch

from demos.kit import Claim, Frames, Numbers, Place, Question, Slider, above, below, lab, ticks
from engine.data import shipped
from engine.landscapes import LANDSCAPES, relief
from engine.optimisers import RULES, Memory
from engine.views import Bars, Curve, Field, Frame, Surface, View

EXTENT = (-2.0, 2.0, -2.0, 2.0)
START = [-1.4, 1.6]
EVEN = [1.0] * len(RULES)
BATCH, EPOCHS = 32, 5
STEPS = EPOCHS * 41  # of batches of 32 digits
ADAPTIVE = dict.fromkeys(("AdaGrad", "RMSProp", "Adam", "AdamW", "Nadam", "AdaMax"), 0.02)
DIGIT_RATES = {"SGD": 0.01, "momentum": 0.003, "Nesterov": 0.003} | ADAPTIVE
SURFACE_RATES = DIGIT_RATES | dict.fromkeys(ADAPTIVE, 0.05) | {"AdaGrad": 0.3}


@functools.cache
def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """Digits with every pixel rescaled by its own factor 10^(−1.5 to 1.5), and their classes."""
    images, labels = shipped.digits()
    generator = np.random.default_rng(0)
    order, factors = generator.permutation(1797)[:1297], 10 ** generator.uniform(-1.5, 1.5, 64)
    x = np.hstack([images.reshape(-1, 64) * factors, np.ones((1797, 1))])[order]
    return torch.tensor(x, dtype=torch.float32), torch.tensor(labels[order])


class Classifiers:
    """One linear digit classifier a rule, all trained on the same batches."""

    def __init__(self, rates: Mapping[str, float], seed: int = 0) -> None:
        self.rates, self.memory = rates, dict.fromkeys(rates, Memory())
        self.w = dict.fromkeys(rates, torch.zeros(65, 10))
        self.generator, self.queue = torch.Generator().manual_seed(seed), list[torch.Tensor]()

    def step(self) -> None:
        """One batch: the gradient of the mean cross-entropy, `xᵀ (p − y) / B`, and one step."""
        x, labels = digits()
        if not self.queue:
            self.queue = list(torch.randperm(len(x), generator=self.generator).split(BATCH))
        batch = self.queue.pop()
        now, y = x[batch], torch.nn.functional.one_hot(labels[batch], 10)
        for name, rate in self.rates.items():
            w = self.w[name]
            g = now.T @ ((now @ w).softmax(1) - y) / len(batch)
            w, self.memory[name] = RULES[name](w, g, self.memory[name], learning_rate=rate)
            self.w[name] = w

    def losses(self) -> dict[str, float]:
        """Mean cross-entropy [nat] over all training digits."""
        x, labels = digits()
        loss = torch.nn.functional.cross_entropy
        return {name: min(loss(x @ w, labels).item(), 1e3) for name, w in self.w.items()}


class Walkers:
    """One point a rule on the landscape; they stop at the fence of the map."""

    def __init__(self, surface: str, start: list[float]) -> None:
        self.surface, self.memory = surface, dict.fromkeys(RULES, Memory())
        self.w = dict.fromkeys(RULES, torch.tensor(start, dtype=torch.float64))
        self.paths = {name: [np.array(start)] for name in RULES}

    def step(self, speeds: list[float]) -> None:
        """One step of every walker along its own gradient."""
        at = torch.stack(list(self.w.values())).requires_grad_()  # (9, 2)
        (slopes,) = torch.autograd.grad(LANDSCAPES[self.surface](at).sum(), at)
        for (name, rule), g, speed in zip(RULES.items(), slopes, speeds, strict=True):
            rate = SURFACE_RATES[name] * speed
            w, self.memory[name] = rule(self.w[name], g, self.memory[name], learning_rate=rate)
            self.w[name] = w.clamp(-2, 2)
            self.paths[name].append(self.w[name].numpy())


@lab(
    covers=["optimizer-race"],
    seconds=1,
    quick={"steps": 5},
    tries={
        "Past a saddle": {"surface": "saddle", "start": [1.6, 0.02]},
        "Across a plateau": {"surface": "plateau"},
        "Three times faster": {"speeds": [3.0] * len(RULES)},
    },
    question=Question(
        "64 inputs of very different size, five epochs. Which rule trains the digits worst?",
        ("SGD", "RMSProp", "Adam"),
        0,
        "SGD's one rate must suit the largest input, so weights of small inputs stand still.",
    ),
    needs=["momentum", "adam", "rmsprop", "adagrad"],
)
def run(
    surface: Literal["valley", "saddle", "plateau"] = "valley",
    speeds: Annotated[
        list[float], Numbers(9, 0, 10, tuple(RULES), 3, "Times each usual rate", live=True)
    ] = EVEN,
    start: Annotated[list[float], Place(EXTENT, "map", help="Where all begin")] = START,
    steps: Annotated[int, Slider(5, 1025, help="A longer race")] = STEPS,
) -> Frames:
    """Race on a landscape and on the digits; a click on the map starts anew from there."""
    walkers, learners = Walkers(surface, start), Classifiers(DIGIT_RATES)
    seen, scores = [0], [learners.losses()]
    for step, show in ticks(steps, 100):
        walkers.step(speeds)
        learners.step()
        if show:
            seen.append(step)
            scores.append(learners.losses())
            changes = dict((yield picture(step, steps, walkers, seen, scores)) or {})
            speeds = changes.get("speeds", speeds)  # type: ignore[assignment]
            if "start" in changes:
                walkers = Walkers(surface, changes["start"])  # type: ignore[arg-type]


def picture(
    step: int, steps: int, walkers: Walkers, seen: list[int], scores: list[dict[str, float]]
) -> Frame:
    """The paths so far, on the landscape and on its map, and both leader boards."""
    paths = {name: np.array(path) for name, path in walkers.paths.items()}
    level = LANDSCAPES[walkers.surface]
    over = {n: level(torch.tensor(p)).clamp(max=12).numpy() for n, p in paths.items()}
    heights = relief(walkers.surface, EXTENT)
    views: dict[str, View] = {
        "landscape": Surface(
            heights, EXTENT,
            {name: np.column_stack([path, over[name]]) for name, path in paths.items()},
            "w₁", "w₂", "loss", title=f"the {walkers.surface}",
        ),
        "map": Field(
            heights, EXTENT, paths, "the same from above; click to start again",
            contours=True, xlabel="w₁", ylabel="w₂",
        ),
        "digits": Curve(
            np.array(seen), {name: np.array([s[name] for s in scores]) for name in RULES},
            "steps of 32 digits", "training loss [nat]", log=True,
            title="meanwhile: badly scaled digits",
        ),
        "board": Bars(
            tuple(RULES),
            {"landscape": np.array([max(over[n][-1], 1e-6) for n in RULES]),
             "digits": np.array([scores[-1][n] for n in RULES])},
            xlabel="rule", ylabel="loss", log=True, title="leader board",
        ),
    }  # fmt: skip
    facts = {f"digits, {name} [nat]": scores[-1][name] for name in ("Adam", "SGD")}
    return Frame(step, steps, views, facts)


def trained(rates: Mapping[str, float], seed: int) -> dict[str, float]:
    """Training losses after five epochs [nat]."""
    learners = Classifiers(rates, seed)
    for _ in range(STEPS):
        learners.step()
    return learners.losses()


def check() -> Iterator[Claim]:
    """On badly scaled digits four adaptive rules are ahead; SGD is not even at its best rate."""
    names = ("Adam", "AdamW", "Nadam", "RMSProp", "AdaGrad")
    race = [trained({name: DIGIT_RATES[name] for name in names}, seed) for seed in range(2)]
    for name in names[:4]:
        worst = max(losses[name] for losses in race)
        yield below(f"{name} at 0.02: training loss after 5 epochs [nat]", worst, 0.45)
    yield above("AdaGrad at 0.02", min(losses["AdaGrad"] for losses in race), 0.55)
    tuned = min(trained({"SGD": rate}, 0)["SGD"] for rate in (0.003, 0.01, 0.03))
    yield above("SGD, the best of three rates", tuned, 0.55)
    faster = trained({"AdaGrad": 1.0}, 0)["AdaGrad"]
    yield below("AdaGrad at fifty times the rate catches up", faster, 0.45)
