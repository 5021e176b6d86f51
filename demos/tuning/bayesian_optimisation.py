"""Bayesian optimisation: a search that thinks.

Each trial costs a training, so think before each. A Gaussian process draws through the trials so
far a mean `μ(x)` and a doubt `σ(x)`, small near a trial and large far from any. The next trial goes
where most is to be gained: the expected improvement on the best loss `f*` so far is
`EI(x) = (f* − μ) Φ(z) + σ φ(z)` with `z = (f* − μ)/σ`. The first part likes good places, the second
unknown ones.

**Try:** play against it. You both start from the same trials; click where you would look next.

Source: Jones et al. (1998), Efficient global optimization of expensive black-box functions;
Snoek et al. (2012), Practical Bayesian optimization of machine learning algorithms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np

from demos.kit import Claim, Frames, Place, Question, Slider, above, below, lab
from engine.tuning.gaussian_process import best_length, expected_improvement, posterior
from engine.tuning.landscapes import regret, truth
from engine.views import Array, Curve, Field, Frame, Note, Points, View

BOX = (0.0, 1.0, 0.0, 1.0)
AXIS = {1: np.linspace(0, 1, 201), 2: np.linspace(0, 1, 33)}
# Scikit-learn 1.9.1's for the trials in `check`: its import takes long; tests compare anew.
SKLEARN_MEAN = (18.548052148879478, 137.27125223609204, 88.92935471866681)
SKLEARN_DOUBT = (8.91904139493817, 45.080661803754566, 1.9007013353225157)


def places(dials: int) -> Array:
    """Where the machine may look, `(m, dials)`, the first dial changing fastest."""
    return np.stack(np.meshgrid(*[AXIS[dials]] * dials), axis=-1).reshape(-1, dials)


def think(X: Array, y: Array) -> tuple[Array, Array, Array]:
    """Mean, doubt and expected improvement everywhere, each `(m,)`."""
    mean, doubt = posterior(X, y, places(X.shape[1]), best_length(X, y))
    return mean, doubt, expected_improvement(mean, doubt, y.min())


def following(X: Array) -> Array:
    """The trials and one more, where it is most to be gained: `(n, d)` to `(n + 1, d)`."""
    return np.vstack([X, places(X.shape[1])[think(X, truth(X))[2].argmax()]])


@lab(
    covers=["hp-bayesian-optimization"],
    seconds=1,
    quick={"trials": 5},
    tries={
        "One dial: see it think": {"dials": "one"},
        "Two dials (Branin)": {"dials": "two", "trials": 25},
        "Play against it": {"dials": "one", "play": "play against it", "seed": 3},
    },
    question=Question(
        "Where is a Gaussian process most in doubt?",
        ("Where the loss is high", "Far from all trials", "Near the best trial"),
        1,
        "The doubt σ hangs only on where the trials are, not on what they gave.",
    ),
    needs=["hp-random-search"],
)
def run(
    dials: Literal["one", "two"] = "one",
    play: Literal["watch it", "play against it"] = "watch it",
    trials: Annotated[int, Slider(4, 30, help="More trials before the end")] = 12,
    click: Annotated[list[float], Place(BOX, "belief", help="Your next trial")] = [0.5, 0.5],  # noqa: B006
    seed: Annotated[int, Slider(0, 99, help="Other first trials")] = 0,
) -> Frames:
    """The machine's belief after each trial, its wish, and who has found what."""
    del click  # only a click counts, not where the marker stands at first
    d, random = (1 if dials == "one" else 2), np.random.default_rng(seed)
    X = yours = random.random((3, d))
    luck = np.vstack([X, random.random((trials - 3, d))])
    while True:
        over = len(X) >= trials
        waits = play == "play against it" and not over
        chosen = yield replace(_frame(X, yours, luck, waits), waits=waits)
        if over:
            return
        if chosen and "click" in chosen:
            new = np.array(chosen["click"])[:d]
            if np.abs(yours - new).max(axis=1).min() > 0.01:  # a drag is not a row of trials
                yours = np.vstack([yours, new])
        if not waits or len(yours) > len(X):
            X = following(X)


def _frame(X: Array, yours: Array, luck: Array, playing: bool) -> Frame:
    d, y = X.shape[1], truth(X)
    mean, doubt, gain = think(X, y)
    ahead, picture = places(d)[top := int(gain.argmax())], _one_dial if d == 1 else _two_dials
    n = np.arange(1, len(luck) + 1)
    lines = {"machine": _best(X, n), "at random": _best(luck[: len(X)], n)}
    if playing or len(yours) > 3:
        lines["you"] = _best(yours, n)
    where = ", ".join(f"{v:.2f}" for v in ahead)
    why = "the mean is low there" if mean[top] < y.min() else "much is unknown there"
    thought = Note(
        f"After **{len(X)}** trials the best loss is **{y.min():.2f}**.\n\nAt ({where}) I expect "
        f"**{mean[top]:.2f} ± {doubt[top]:.2f}** and hope to gain **{gain[top]:.2g}**: {why}."
        + ("\n\nYour move: click in the picture." if playing else ""),
        "thinking aloud",
    )
    views: dict[str, View] = {
        **picture(X, yours, mean, doubt, gain, ahead),
        "found": Curve(
            n, lines, "trials", "best loss so far − lowest there is", dots=True,
            title="who has found what",
        ),
        "thought": thought,
    }  # fmt: skip
    players = {"the machine": X, "chance": luck[: len(X)], "you": yours}.items()
    facts = {f"regret of {name}": regret(trials) for name, trials in players}
    return Frame(len(X) - 3, len(luck) - 3, views, facts)


def _best(X: Array, n: Array) -> Array:
    """Regret after each trial, `(n,)`; NaN for those to come."""
    return np.array([regret(X[:k]) if k <= len(X) else np.nan for k in n])


def _trials(X: Array, yours: Array, height: Callable[[Array], Array]) -> Points:
    """Both players' trials in the picture; the first three are shared."""
    both = [np.stack([p[:, 0], height(p)], axis=1) for p in (X, yours[3:])]
    kinds = np.repeat([0, 1], [len(part) for part in both]).astype(np.int32)
    return Points(np.concatenate(both), kinds, ("machine", "you"))


def _one_dial(
    X: Array, yours: Array, mean: Array, doubt: Array, gain: Array, ahead: Array
) -> dict[str, View]:
    x, high = AXIS[1], np.linspace(0, 1, 101)
    middle, band = (mean + 10) / 30, 2 * doubt / 30  # the losses −10 to 20 fill the picture
    glow = np.exp(-0.5 * ((high[:, None] - middle) / np.maximum(band / 2, 0.008)) ** 2)
    paths = {"mean μ": middle, "μ + 2σ": middle + band, "μ − 2σ": middle - band}
    lines = {name: np.stack([x, np.clip(line, 0, 1)], axis=1) for name, line in paths.items()}
    lines["next"] = np.array([[ahead[0], 0.0], [ahead[0], 1.0]])
    return {
        "belief": Field(
            glow, BOX, lines, "where the loss may be, dial by dial", xlabel="dial",
            ylabel="loss, −10 to 20 drawn as 0 to 1",
            points=_trials(X, yours, lambda p: (truth(p) + 10) / 30),
        ),
        "wish": Curve(
            x, {"EI": gain}, "dial", "expected improvement", marks={"next": float(ahead[0])},
            title="what it hopes to gain",
        ),
    }  # fmt: skip


def _two_dials(
    X: Array, yours: Array, mean: Array, _doubt: Array, gain: Array, ahead: Array
) -> dict[str, View]:
    side = (len(AXIS[2]),) * 2
    return {
        "belief": Field(
            mean.reshape(side), BOX, {}, "mean of the belief", contours=True, xlabel="dial 1",
            ylabel="dial 2", points=_trials(X, yours, lambda p: p[:, 1]),
        ),
        "wish": Field(
            gain.reshape(side), BOX, {}, "expected improvement", Points(ahead[None]),
            xlabel="dial 1", ylabel="dial 2",
        ),
    }  # fmt: skip


def check() -> Iterator[Claim]:
    """The posterior is scikit-learn's; on Branin 25 trials leave a small regret."""
    random = np.random.default_rng(0)
    X, at = random.random((12, 2)), random.random((3, 2))
    mean, doubt = posterior(X, truth(X), at, np.array([0.3, 0.6]))
    for what, ours, theirs in (("mean", mean, SKLEARN_MEAN), ("doubt", doubt, SKLEARN_DOUBT)):
        gap = float(np.abs(ours - np.array(theirs)).max())
        yield below(f"Posterior {what} − scikit-learn's at three places", gap, 1e-8)
    machine, luck = [], []
    for seed in range(10):
        random = np.random.default_rng(seed)
        X = random.random((3, 2))
        luck.append(regret(np.vstack([X, random.random((22, 2))])))
        while len(X) < 25:
            X = following(X)
        machine.append(regret(X))
    yield below("Branin, 25 trials: median regret over 10 seeds", float(np.median(machine)), 0.8)
    yield above("the same for random search", float(np.median(luck)), 1.5)
