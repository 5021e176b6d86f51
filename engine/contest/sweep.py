"""A sweep: many short trainings to find settings that work, chosen by Optuna.

Grid and random search try what they are told; TPE looks where good trials were; halving gives every
trial a little time and the better half more.

Source: Bergstra & Bengio (2012), Random search for hyper-parameter optimization; Bergstra et al.
(2011), Algorithms for hyper-parameter optimization; Jamieson & Talwalkar (2016), Non-stochastic
best arm identification; Akiba et al. (2019), Optuna.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from typing import Annotated, Any

import numpy as np

from engine.contest.lanes import FORM, Lane, lane
from engine.data import load
from engine.forms import Choice, Several, Slider, Value
from engine.views import Bars, Curve, Frame, Parallel, Table, View

DIALS: Mapping[str, tuple[Any, ...]] = {
    "learning_rate": (1e-4, 1.0),
    "batch_size": (8, 256),
    "weight_decay": (1e-6, 0.1),
    "momentum": (0.5, 0.99),
    "optimizer": ("SGD", "Momentum", "RMSprop", "Adam", "AdamW"),
    "initialisation": ("as PyTorch", "Xavier", "He", "orthogonal"),
    "schedule": ("constant", "cosine", "one-cycle"),
    "clip": (0.0, 5.0),
}
"""What can be swept -> its range, or its words."""

LOG = {"learning_rate", "batch_size", "weight_decay"}
GRID = 5  # values of a number on a grid


def sweep(
    spec: dict[str, Any],
    data: str,
    settings: Mapping[str, Any] | None = None,
    *,
    how: Annotated[
        str, Choice(("TPE", "random", "grid", "halving"), help="Who chooses the next trial")
    ] = "TPE",
    dials: Annotated[
        str, Several(tuple(DIALS), help="What is varied")
    ] = "learning_rate,batch_size,optimizer",
    trials: Annotated[int, Slider(2, 200, log=True, help="More trials")] = 24,
    seed: Annotated[int, Slider(0, 999, help="Other trials")] = 0,
) -> Generator[Any, Mapping[str, Value] | None, None]:
    """Train a network with many settings; show which work and which matter.

    Args:
        spec: The network.
        data: Name of the data set.
        settings: How to train, where nothing is varied.
        how: Who chooses.
        dials: What is varied.
        trials: How many settings are tried.
        seed: Fixes the choice.

    Yields:
        A frame several times a trial, and one after each.

    Raises:
        ValueError: Nothing is varied.
    """
    names = [name for name in dials.split(",") if name]
    if not names:
        raise ValueError(f"sweep: choose what is varied: {', '.join(DIALS)}")
    samples = load(data)
    study = _study(how, names, seed)
    tried: list[Lane] = []
    for number in range(trials):
        trial = study.ask()
        values = {name: _suggested(trial, name) for name in names}
        running = lane(f"trial {number}", spec, samples, values, settings or {})
        tried.append(running)
        pruned = False
        while not running.over and not pruned:
            epoch = running.session.epoch
            while not running.over and running.session.epoch == epoch:
                running.turn()
                yield lambda: picture(study, tried, trials)
            if not running.failure:
                trial.report(_finite(running.score()), running.session.epoch)
                pruned = how == "halving" and trial.should_prune()
        _tell(study, trial, running, pruned)
    yield picture(study, tried, trials)


def _study(how: str, names: list[str], seed: int) -> Any:
    import optuna  # not light

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    samplers: dict[str, Callable[[], Any]] = {
        "TPE": lambda: optuna.samplers.TPESampler(seed=seed, n_startup_trials=6),
        "random": lambda: optuna.samplers.RandomSampler(seed=seed),
        "grid": lambda: optuna.samplers.GridSampler({n: _grid(n) for n in names}, seed=seed),
        "halving": lambda: optuna.samplers.RandomSampler(seed=seed),
    }
    pruner = (
        optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)
        if how == "halving"
        else optuna.pruners.NopPruner()
    )
    return optuna.create_study(direction="maximize", sampler=samplers[how](), pruner=pruner)


def _grid(name: str) -> list[Any]:
    found = DIALS[name]
    if isinstance(found[0], str):
        return list(found)
    low, high = float(found[0]), float(found[1])
    values = np.geomspace(low, high, GRID) if name in LOG else np.linspace(low, high, GRID)
    whole = isinstance(FORM.defaults[name], int)
    return [round(v) if whole else float(v) for v in values]


def _suggested(trial: Any, name: str) -> Any:
    found = DIALS[name]
    if isinstance(found[0], str):
        return trial.suggest_categorical(name, found)
    if isinstance(FORM.defaults[name], int):
        return trial.suggest_int(name, *found, log=name in LOG)
    return trial.suggest_float(name, *found, log=name in LOG)


def _tell(study: Any, trial: Any, running: Lane, pruned: bool) -> None:
    from optuna.trial import TrialState

    if running.failure:
        study.tell(trial, state=TrialState.FAIL)
    elif pruned:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, _finite(running.score()))


def _finite(score: float) -> float:
    return score if math.isfinite(score) else -1e9


def picture(study: Any, tried: list[Lane], trials: int) -> Frame:
    """All trials as they stand."""
    known = [(t, one) for t, one in zip(study.trials, tried, strict=False) if _told(t, one)]
    scores = np.array([one.score() for _, one in known])
    views: dict[str, View] = {}
    if known:
        best = np.maximum.accumulate(np.nan_to_num(scores, neginf=np.nan))
        views["trials"] = Curve(
            np.arange(len(known), dtype=np.float64),
            {"each": np.where(np.isfinite(scores), scores, np.nan), "best so far": best},
            "trial",
            "validation score",
            dots=True,
        )
        views["settings"] = _parallel([(t.params, one.score()) for t, one in known])
        views["best"] = _table(known)
        if importances := _importances(study):
            heights = {"share of the differences": np.array(list(importances.values()))}
            views["importance"] = Bars(tuple(importances), heights, ylabel="importance")
    done = sum(trial.state.is_finished() for trial in study.trials)
    top = max(scores, default=-math.inf)
    facts = {"trials done": float(done)}
    facts |= {"best score [%]": 100 * float(top)} if math.isfinite(top) else {}
    part = tried[-1].share if tried and done < len(tried) else 0.0
    return Frame(int(100 * (done + part)), 100 * trials, views, facts)


def _told(trial: Any, one: Lane) -> bool:
    return bool(trial.params) and (one.session.judged is not None or bool(one.failure))


def _importances(study: Any) -> dict[str, float]:
    """How much of the differences between trials each dial explains (PED-ANOVA)."""
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import TrialState

    done = [t for t in study.trials if t.state == TrialState.COMPLETE]
    if len(done) < 8 or len({t.value for t in done}) < 3 or len(done[0].params) < 2:
        return {}
    try:
        found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    except (ValueError, RuntimeError, ZeroDivisionError):
        return {}  # too few different trials for the estimate
    return {name: float(value) for name, value in found.items()}


def _parallel(known: list[tuple[Mapping[str, Any], float]]) -> Parallel:
    names = list(known[0][0])
    words: dict[str, tuple[str, ...]] = {
        name: DIALS[name] for name in names if isinstance(DIALS[name][0], str)
    }
    rows = [
        [words[n].index(params[n]) if n in words else float(params[n]) for n in names]
        + [score if math.isfinite(score) else math.nan]
        for params, score in known
    ]
    return Parallel(
        np.array(rows, dtype=np.float64),
        (*names, "score"),
        words,
        tuple(n for n in names if n in LOG),
        title="every line a trial, coloured by its score",
    )


def _table(known: list[tuple[Any, Lane]]) -> Table:
    top = sorted(known, key=lambda pair: -pair[1].score())[:5]
    names = list(top[0][0].params)
    rows = tuple(
        (
            one.name,
            f"{100 * one.score():.1f} %" if math.isfinite(one.score()) else one.failure[:60],
            *(v if isinstance(v, str) else f"{v:.3g}" for v in trial.params.values()),
        )
        for trial, one in top
    )
    return Table(("trial", "score", *names), rows, title="the best so far")
