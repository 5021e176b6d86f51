"""Which dials matter, and where to begin.

Hyperparameters are set before training: the learning rate `η`, the batch size `B`, the number of
epochs, the depth and width of the network. The *range test* finds `η` in one short training: raise
it a little at every step and watch the loss fall, stand still, and explode; take about a tenth of
the rate where the loss is least. Dials hang together: a batch `k` times larger makes `k` times
fewer steps, so each may be `k` times longer (`η → k η`), as long as steps are short.

**Try:** raise the rate of the small batch and see when a four times longer step stops being fair.

Source: Smith (2017), Cyclical learning rates for training neural networks;
Goyal et al. (2017), Accurate, large minibatch SGD: training ImageNet in 1 hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import numpy as np

from demos.kit import Claim, Frames, Question, Slider, above, below, between, lab, ticks
from engine.tuning.trial import HOPELESS, Choices, Trial, split
from engine.views import Array, Bars, Curve, Frame, Matrix, View

RATES = np.geomspace(1e-3, 10, 120)  # the range test's learning rates, one a step
DIALS: dict[str, tuple[Any, ...]] = {  # each is turned alone, the others stay in the middle
    "learning_rate": (0.001, 0.01, 0.1, 0.5, 2.0),
    "batch_size": (4, 16, 32, 128, 512),
    "epochs": (1, 2, 5, 10, 20),
    "depth": (0, 1, 2, 3, 4),
    "width": (2, 8, 32, 64, 128),
}


def range_test(seed: int) -> tuple[Array, Array]:
    """Losses while the rate rises, `(120,)`, raw and smoothed as `s ← 0.8 s + 0.2 loss`."""
    trial, random = Trial(Choices(), seed), np.random.default_rng(seed)
    raw = [trial.step(random.integers(len(split()[0]), size=32), rate) for rate in RATES]
    smooth, s = [], 0.0
    for n, loss in enumerate(raw, start=1):
        s = 0.8 * s + 0.2 * loss
        smooth.append(s / (1 - 0.8**n))  # the sum began at zero: correct for it
    return np.minimum(raw, HOPELESS), np.minimum(smooth, HOPELESS)


def losses(choices: Choices, epochs: int, seed: int) -> Array:
    """Training loss before and after each epoch, `(epochs + 1,)`."""
    trial = Trial(choices, seed)
    found = [trial.loss()]
    for _ in range(epochs):
        trial.epoch()
        found.append(trial.loss())
    return np.array(found)


def scaling(rate: float, batch: int, seed: int, epochs: int = 5) -> dict[str, Array]:
    """The same epochs with a small batch, a four times larger one, and a longer step as well."""
    small = Choices(rate, batch)
    ways = {
        "B, η": small,
        "4 B, η": replace(small, batch_size=4 * batch),
        "4 B, 4 η": replace(small, batch_size=4 * batch, learning_rate=4 * rate),
    }
    return {name: losses(choices, epochs, seed) for name, choices in ways.items()}


def score(dial: str, value: Any, seed: int) -> float:
    """Test accuracy with one dial turned and all others in the middle [%]."""
    epochs = value if dial == "epochs" else 5
    trial = Trial(Choices() if dial == "epochs" else replace(Choices(), **{dial: value}), seed)
    for _ in range(epochs):
        trial.epoch()
    return 100 * trial.accuracy()


@lab(
    covers=["key-hyperparameters"],
    seconds=1,
    quick={"seed": 1},
    tries={
        "Short steps: the rule holds": {"rate": 0.01, "batch": 8},
        "Long steps: it breaks": {"rate": 0.1, "batch": 8},
        "Another network": {"seed": 7},
    },
    question=Question(
        "Which of the five dials spoils the result most when it is set badly?",
        ("The learning rate", "The batch size", "The width", "The depth"),
        0,
        "Too small and nothing is learned in time, too large and the weights explode. It is the "
        "first dial to tune.",
    ),
    needs=["gd-variants"],
)
def run(
    rate: Annotated[float, Slider(0.005, 0.2, log=True, help="Longer steps in the rule's test")] = (
        0.01
    ),
    batch: Annotated[int, Slider(4, 32, log=True, help="Larger batches there")] = 8,
    seed: Annotated[int, Slider(0, 99, help="Other first weights, other batches")] = 0,
) -> Frames:
    """One range test, the scaling rule put to the test, then every dial turned alone."""
    raw, smooth = range_test(seed)
    best = RATES[smooth.argmin()]
    test = Curve(
        RATES, {"loss of the batch": raw, "smoothed": smooth}, "learning rate η of this step",
        "loss [nat]", log=True, logx=True, marks={"least": best, "take a tenth": best / 10},
        title="range test: one training, every rate once",
    )  # fmt: skip
    rule = scaling(rate, batch, seed)
    fall = Curve(
        np.arange(6), rule, "epochs", "training loss [nat]", log=True, dots=True,
        title=f"a batch of {batch}, and one of {4 * batch}",
    )  # fmt: skip
    table, cells = np.full((len(DIALS), 5), np.nan), [(r, c) for r in range(5) for c in range(5)]
    names = list(DIALS)
    for step, show in ticks(len(cells)):
        row, column = cells[step - 1]
        table[row, column] = score(names[row], DIALS[names[row]][column], seed)
        if show:
            swing = np.array([
                np.ptp(r[~np.isnan(r)]) if not np.isnan(r[0]) else 0.0 for r in table
            ])  # fmt: skip
            views: dict[str, View] = {
                "test": test,
                "dials": Matrix(
                    table.copy(), tuple(f"{n}: {', '.join(map(str, DIALS[n]))}" for n in names),
                    ("lowest", "low", "middle", "high", "highest"), numbers=True,
                    highlight=((row, column),), title="test accuracy [%], one dial turned",
                ),
                "rule": fall,
                "swing": Bars(
                    tuple(names), {"best − worst": swing}, ylabel="test accuracy [points]",
                    title="how much each dial can spoil",
                ),
            }  # fmt: skip
            facts = {"rate with the least loss": float(best), "a tenth of it": float(best) / 10}
            facts |= {f"loss, {name} [nat]": float(line[-1]) for name, line in rule.items()}
            yield Frame(step, len(cells), views, facts)


def check() -> Iterator[Claim]:
    """The range test has a valley between 0.3 and 2; a longer step makes up for a larger batch."""
    for seed in range(5):
        _, smooth = range_test(seed)
        best = int(smooth.argmin())
        yield between(f"Range test, seed {seed}: rate with the least loss", RATES[best], 0.3, 2)
        yield above("its loss at the end, over the least", smooth[-1] / smooth[best], 1.5)
    ways = [{n: line[-1] for n, line in scaling(0.01, 8, seed).items()} for seed in range(3)]
    small, large, longer = (float(np.mean([way[name] for way in ways])) for name in ways[0])
    gap = 100 * abs(longer / small - 1)
    yield below(f"B = 32, 4 η: loss {longer:.3f} against {small:.3f} of B = 8, η [%]", gap, 2.0)
    yield above("B = 32 alone: its loss over that of B = 8", large / small, 2.0)
    turned = {dial: [score(dial, v, 0) for v in values] for dial, values in DIALS.items()}
    spoils = {dial: max(values) - min(values) for dial, values in turned.items()}
    others = max(swing for dial, swing in spoils.items() if dial != "learning_rate")
    yield above("What the learning rate can spoil − the next dial [points]",
                spoils["learning_rate"] - others, 0)  # fmt: skip
