"""Leave the search to a library.

Optuna and Keras Tuner need a space and a function that trains once. Optuna's own sampler (TPE)
splits the trials into good and bad ones, estimates how densely each kind lies, `l(x)` and `g(x)`,
and tries next where `l(x)/g(x)` is largest. Its pruner stops a trial whose accuracy is below the
median of the earlier ones at the same epoch, so that no time goes into the hopeless.

**Try:** switch pruning off and compare the epochs spent; then take the search home as code.

Source: Akiba et al. (2019), Optuna: a next-generation hyperparameter optimization framework;
Bergstra et al. (2011), Algorithms for hyper-parameter optimization.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from demos.kit import Choice, Claim, Frames, Question, Slider, above, below, interactive, lab, same
from engine.tuning.code import Space, keras_tuner_code, optuna_code
from engine.tuning.landscapes import regret
from engine.tuning.trial import Choices, Trial
from engine.views import Array, Curve, Frame, Note, Points, View

if TYPE_CHECKING:
    import optuna

SAMPLERS = {"TPE": "TPESampler", "random": "RandomSampler"}


def study(sampler: str, prune: bool, seed: int, low: bool = False) -> optuna.Study:
    """An empty search for the highest or lowest value: how to choose trials, which to stop."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    made = getattr(optuna.samplers, SAMPLERS[sampler])(seed=seed)
    pruner = optuna.pruners.MedianPruner(5) if prune else optuna.pruners.NopPruner()
    way = optuna.study.StudyDirection.MINIMIZE if low else optuna.study.StudyDirection.MAXIMIZE
    return optuna.create_study(direction=way, sampler=made, pruner=pruner)


def train(trial: optuna.Trial, space: Space, seed: int) -> list[float]:
    """Choose from the space, train, report each epoch; held back accuracies [%] until stopped."""
    network = Trial(
        Choices(
            learning_rate=trial.suggest_float("learning_rate", *space.rates, log=True),
            width=trial.suggest_int("width", 4, space.width, log=True),
            depth=trial.suggest_int("depth", 0, space.depth),
        ),
        seed,
    )
    curve: list[float] = []
    for epoch in range(space.epochs):
        network.epoch()
        curve.append(100 * network.accuracy())
        trial.report(curve[-1], epoch)
        if trial.should_prune():
            break
    return curve


@lab(
    covers=["optuna-keras-tuner"],
    seconds=1,
    quick={"trials": 6, "epochs": 2},
    tries={
        "TPE with pruning": {"sampler": "TPE", "prune": True},
        "Random, nothing pruned": {"sampler": "random", "prune": False},
        "A wide space": {"slowest": 1e-4, "width": 128, "depth": 5, "trials": 60},
    },
    question=Question(
        "What does pruning save?",
        ("Trials", "Epochs of hopeless trials", "Memory"),
        1,
        "As many trials begin, but those that lag behind are stopped after a few epochs.",
    ),
    needs=["hp-bayesian-optimization"],
)
def run(
    sampler: Literal["TPE", "random"] = "TPE",
    prune: bool = True,
    slowest: Annotated[float, Slider(1e-4, 0.1, log=True, help="Lowest learning rate")] = 1e-3,
    width: Annotated[int, Slider(8, 128, help="Wider networks allowed")] = 64,
    depth: Annotated[int, Slider(0, 5, help="Deeper networks allowed")] = 3,
    trials: Annotated[int, Slider(2, 80, help="More trials")] = 30,
    epochs: Annotated[int, Slider(1, 20, help="Longer trials")] = 8,
    code: Annotated[str, Choice(("Optuna", "Keras Tuner"), live=True)] = "Optuna",
    seed: Annotated[int, Slider(0, 99, help="Other draws")] = 0,
) -> Frames:
    """Search on the digits; trial by trial: where, how long, how well. Then the code."""
    import optuna

    space = Space((slowest, 1.0), width, depth, epochs, trials)
    search, curves = study(sampler, prune, seed), list[list[float]]()
    for step in range(1, trials + 1):
        trial = search.ask()
        curves.append(train(trial, space, seed))
        stopped = len(curves[-1]) < epochs
        state = optuna.trial.TrialState.PRUNED if stopped else optuna.trial.TrialState.COMPLETE
        search.tell(trial, None if stopped else curves[-1][-1], state=state)
        texts = {
            "Optuna": optuna_code(space, SAMPLERS[sampler], prune),
            "Keras Tuner": keras_tuner_code(space),
        }
        frame = _frame(search, curves, space)

        def picture(code: str, frame: Frame = frame, texts: Any = texts) -> Frame:
            text = Note(f"```python\n{texts[code]}```", f"the same search for {code}")
            return Frame(frame.step, frame.of, {**frame.views, "code": text}, frame.facts)

        if step < trials:
            code = str(((yield picture(code)) or {}).get("code", code))
    yield from interactive(picture, code=code)


def _frame(search: optuna.Study, curves: list[list[float]], space: Space) -> Frame:
    places = [(np.log10(t.params["learning_rate"]), t.params["width"]) for t in search.trials]
    last = np.array([curve[-1] for curve in curves])
    full = np.array([len(curve) == space.epochs for curve in curves])
    best = np.where(full, last, -np.inf).argmax() if full.any() else int(last.argmax())
    kinds = np.where(full, 1, 0)
    kinds[best] = 2
    epochs, n = np.arange(1, space.epochs + 1), np.arange(1, len(curves) + 1)
    shown = [*sorted(range(len(curves)), key=lambda k: -last[k])[:3], int((~full).argmax())]
    lines = {
        f"{'stopped' if not full[k] else 'trial'} {k + 1}": np.array(
            curves[k] + [np.nan] * (space.epochs - len(curves[k]))
        )
        for k in shown
    }
    views: dict[str, View] = {
        "space": Points(
            np.array(places), kinds.astype(np.int32), ("stopped early", "trained fully", "best"),
            xlabel="log10 of the learning rate", ylabel="width [units]",
            title="where the search has looked",
        ),
        "found": Curve(
            n, {"best so far": np.maximum.accumulate(last), "trial": last}, "trial",
            "held back accuracy [%]", dots=True, title="what it has found",
        ),
        "curves": Curve(
            epochs, lines, "epoch", "held back accuracy [%]", dots=True,
            title="the best trials, and one that was stopped",
        ),
    }  # fmt: skip
    facts = {
        "best accuracy [%]": float(last[best]),
        "epochs trained": float(sum(len(curve) for curve in curves)),
        "epochs without pruning": float(len(curves) * space.epochs),
        "trials stopped": float((~full).sum()),
    }
    return Frame(len(curves), space.trials, views, facts)


def branin(sampler: str, seed: int, trials: int = 60) -> float:
    """Regret of a search on Branin's function."""
    search = study(sampler, prune=False, seed=seed, low=True)
    places: list[Array] = []
    for _ in range(trials):
        trial = search.ask()
        places.append(np.array([trial.suggest_float(name, 0, 1) for name in ("x", "y")]))
        search.tell(trial, regret(places[-1][None]))
    return regret(np.array(places))


def check() -> Iterator[Claim]:
    """TPE beats chance on Branin; the exported programs compile."""
    regrets = {name: [branin(name, seed) for seed in range(5)] for name in SAMPLERS}
    median = {name: float(np.median(found)) for name, found in regrets.items()}
    yield below("Branin, 60 trials: median regret of TPE over 5 seeds", median["TPE"], 0.1)
    yield above("the same at random", median["random"], 0.5)
    yield below("one over the other", median["TPE"] / median["random"], 0.5)
    for prune in (True, False):
        for name in SAMPLERS.values():
            compiled = compile(optuna_code(Space(), name, prune), "optuna", "exec")
            yield same(f"Optuna code compiles ({name})", compiled.co_filename, "optuna")
    compiled = compile(keras_tuner_code(Space()), "keras_tuner", "exec")
    yield same("Keras Tuner code compiles", compiled.co_filename, "keras_tuner")
