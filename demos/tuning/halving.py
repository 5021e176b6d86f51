"""Twenty-seven start, one is left.

Most bad networks look bad early. Successive halving starts many random ones, trains each a little,
drops all but the best third, and gives the others three times as long; and again, until one is
left. Every rung costs the same (`27 · 1 = 9 · 3 = 3 · 9 = 1 · 27` epochs), so 27 candidates are
searched for the price of a few full trainings. *Hyperband* runs several such ladders, from bold to
careful, because a slow starter may be the best in the end.

**Try:** draw other candidates, and look for one that was dropped too early.

Source: Li et al. (2018), Hyperband: a novel bandit-based approach to hyperparameter optimization;
Feurer et al. (2015), Efficient and robust automated machine learning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import numpy as np

from demos.kit import Claim, Frames, Question, Slider, above, lab, near, same
from engine.tuning.trial import Choices, Trial
from engine.views import Bars, Frame, Note, Points, Table, View

THIRD = 3
JUDGE, TEST = slice(0, 225), slice(225, 450)  # digits that choose, digits that tell the truth


@dataclass(frozen=True)
class Ladder:
    """Where a search stands.

    Attributes:
        trials: All candidates.
        alive: Numbers of those that are still in.
        rung: Which rung they are on, from 0.
        spent: Epochs trained so far, each rung counted as if begun anew.
        curves: Each candidate's validation accuracy after each epoch [%].
    """

    trials: list[Trial]
    alive: list[int]
    rung: int
    spent: int
    curves: list[list[float]]


def candidate(random: np.random.Generator) -> Choices:
    """One draw from the space: rate and width on a log scale, depth, batch, momentum."""
    return Choices(
        learning_rate=float(np.exp(random.uniform(np.log(0.001), np.log(2)))),
        batch_size=int(random.choice([16, 32, 64, 128])),
        width=int(np.exp(random.uniform(np.log(4), np.log(128)))),
        depth=int(random.integers(0, 4)),
        momentum=float(random.choice([0.0, 0.5, 0.9])),
    )


def climb(start: int, seed: int) -> Iterator[Ladder]:
    """Train and drop, candidate by candidate; the last one yielded holds the winner."""
    random = np.random.default_rng(seed)
    trials = [Trial(candidate(random), seed + n) for n in range(start)]
    curves: list[list[float]] = [[] for _ in trials]
    alive, rung, spent = list(range(start)), 0, 0
    while True:
        epochs = THIRD**rung
        for number in alive:
            while trials[number].epochs < epochs:  # goes on from where it stopped
                trials[number].epoch()
                curves[number].append(100 * trials[number].accuracy(JUDGE))
            spent += epochs
            yield Ladder(trials, alive, rung, spent, curves)
        if len(alive) == 1:
            return
        alive = sorted(alive, key=lambda n: -curves[n][-1])[: max(1, len(alive) // THIRD)]
        rung += 1


@lab(
    covers=["automl-successive-halving"],
    seconds=2,
    quick={"start": 9},
    tries={
        "Three rungs, nine candidates": {"start": 9},
        "Four rungs, 27 candidates": {"start": 27},
        "Five rungs, 81 candidates": {"start": 81},
    },
    question=Question(
        "27 candidates get 1, 3, 9 and 27 epochs as thirds survive. How many epochs in all?",
        ("108", "270", "729", "1,080"),
        0,
        "Each of the four rungs costs 27 epochs. Training all 27 for 40 epochs would cost 1,080.",
    ),
    needs=["hp-random-search"],
)
def run(
    start: Annotated[int, Slider(3, 81, log=True, help="More candidates at the start")] = 27,
    seed: Annotated[int, Slider(0, 99, help="Other candidates")] = 0,
) -> Frames:
    """The race, rung by rung; then the winner's settings."""
    rungs = [start]
    while rungs[-1] > 1:
        rungs.append(max(1, rungs[-1] // THIRD))
    costs = [THIRD**rung * left for rung, left in enumerate(rungs)]
    for step, ladder in enumerate(climb(start, seed), start=1):
        yield Frame(step, sum(rungs), _views(ladder, rungs, costs), _facts(ladder, start))


def code(choices: Choices) -> str:
    """The network and its optimizer as PyTorch would write them."""
    sizes = [64, *[choices.width] * choices.depth]
    hidden = [f"nn.Linear({n}, {m}), nn.ReLU()" for n, m in pairwise(sizes)]
    layers = ",\n    ".join([*hidden, f"nn.Linear({sizes[-1]}, 10)"])
    sgd = f"lr={choices.learning_rate:.4g}, momentum={choices.momentum}"
    made = f"network = nn.Sequential(\n    {layers},\n)\n"
    made += f"optimizer = torch.optim.SGD(network.parameters(), {sgd})\n"
    return f"{made}batch_size = {choices.batch_size}"


def _facts(ladder: Ladder, start: int) -> dict[str, float]:
    best = max(ladder.alive, key=lambda n: ladder.curves[n][-1] if ladder.curves[n] else 0)
    return {
        "candidates left": len(ladder.alive),
        "epochs, each rung anew": ladder.spent,
        "epochs really trained": sum(trial.epochs for trial in ladder.trials),
        "epochs if all were trained for 40": 40 * start,
        "leader on the other 225 digits [%]": 100 * ladder.trials[best].accuracy(TEST),
    }


def _views(ladder: Ladder, rungs: list[int], costs: list[int]) -> dict[str, View]:
    seen = [(n, curve) for n, curve in enumerate(ladder.curves) if curve]
    kinds = [min(ladder.rung, round(np.log(len(c)) / np.log(THIRD))) for _, c in seen]
    lasts = np.array([[np.log(len(c)) / np.log(THIRD), c[-1]] for _, c in seen])
    names = tuple(f"{THIRD**r} epoch{'s' if r else ''}" for r in range(len(rungs)))
    climbs = {
        f"no. {n + 1}": np.stack([np.log(np.arange(1, len(c) + 1)) / np.log(THIRD), c], axis=1)
        for n, c in seen
        if len(c) > 1
    }
    leaders = sorted(seen, key=lambda pair: -ladder.trials[pair[0]].epochs * 1000 - pair[1][-1])
    rows = tuple(
        (
            f"no. {n + 1}", len(curve), round(curve[-1], 1),
            round(c.learning_rate, 4), c.batch_size, c.width, c.depth, c.momentum,
        )
        for n, curve in leaders[:8]
        for c in [ladder.trials[n].choices]
    )  # fmt: skip
    headings = ("candidate", "epochs", "accuracy [%]", "η", "batch", "width", "depth", "momentum")
    spent = np.minimum(np.maximum(ladder.spent - np.cumsum([0, *costs[:-1]]), 0), costs)
    return {
        "race": Points(
            lasts, np.array(kinds, dtype=np.int32), names, climbs,
            xlabel="rung: 3 to this power is the epochs trained", ylabel="validation accuracy [%]",
            title="every candidate as far as it came",
        ),
        "table": Table(headings, rows, "the leaders"),
        "winner": Note(
            f"```python\n{code(ladder.trials[leaders[0][0]].choices)}\n```",
            "the leader, to take home",
        ),
        "cost": Bars(
            tuple(f"{left} candidates" for left in rungs),
            {"spent": spent.astype(float), "planned": np.array(costs, dtype=float)},
            ylabel="epochs", title="every rung costs about the same",
        ),
    }  # fmt: skip


def check() -> Iterator[Claim]:
    """27/9/3/1 candidates with 1/3/9/27 epochs cost 108 epochs; the winner is good."""
    for seed in range(2):
        ladders = list(climb(27, seed))
        counts = [sum(ladder.rung == rung for ladder in ladders) for rung in range(4)]
        yield same(f"Candidates by rung, seed {seed}", "/".join(map(str, counts)), "27/9/3/1")
        last = ladders[-1]
        yield near("Epochs, each rung anew", last.spent, 108, 0)
        yield near(
            "of 27 candidates for 40 epochs each [%]", 100 * last.spent / (27 * 40), 10, 0.01
        )
        winner = last.trials[last.alive[0]]
        yield same("Epochs of the winner", winner.epochs, 27)
        yield above("Winner, digits it was not chosen by: accuracy", winner.accuracy(TEST), 0.95)
