"""The score that was too good: leaks in the workflow.

A workflow is load, split, scale, select features, tune, fit, evaluate. Whatever *learns* from data
must learn from the training part alone. Choose features by their correlation with the answer
before the split, and the test part has helped to choose: with 5,000 features of pure noise some
match the answer by luck on all 50 rows, and cross-validation then reports near 100 % where the
truth is 50 %. New data, never seen by any step, tell the truth.

**Try:** move the steps before the split one at a time. Which leak does the damage?

Source: Hastie, Tibshirani & Friedman (2009), The Elements of Statistical Learning, section 7.10.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

import numpy as np

from demos.kit import Claim, Frames, Question, Slider, above, lab, near
from engine.views import Array, Bars, Curve, Edge, Frame, Graph, Node, View

ROWS, FEATURES, FOLDS, FRESH = 50, 5000, 5, 500
COUNTS = (10, 30, 100, 300)  # how many features tuning may keep


def draw(random: np.random.Generator, useful: int, rows: int) -> tuple[Array, Array]:
    """Noise `(rows, 5000)` and labels `(rows,)`; the first `useful` columns lean with the label."""
    X = random.standard_normal((rows, FEATURES), dtype=np.float32)
    y = np.tile([0, 1], rows // 2)
    X[:, :useful] += 0.8 * (y[:, None] - 0.5)
    return X, y


def folds(random: np.random.Generator) -> Array:
    """The fold of every row, `(rows,)`; labels alternate, so pairs keep both classes even."""
    return np.repeat(random.permutation(ROWS // 2) % FOLDS, 2)


def best_features(X: Array, y: Array, keep: int) -> Array:
    """The columns most correlated with the label, `(keep,)`."""
    from_mean = X - X.mean(axis=0)
    correlation = (y - y.mean()) @ from_mean / np.sqrt((from_mean**2).sum(axis=0) + 1e-12)
    return np.argpartition(-np.abs(correlation), keep - 1)[:keep]


def nearest_mean(X: Array, y: Array, new: Array) -> Array:
    """Label the rows of `new` by the class whose mean row is nearer, `(rows,)`."""
    to = [((new - X[y == label].mean(axis=0)) ** 2).sum(axis=1) for label in (0, 1)]
    return np.asarray((to[1] < to[0]).astype(int))


def hits(X: Array, y: Array, new: Array, answer: Array, keep: int, chosen: Array | None) -> float:
    """Share of `new` rows labelled right; features are chosen on X here, unless given."""
    scale = X.std(axis=0) + 1e-12
    columns = best_features(X, y, keep) if chosen is None else chosen
    guess = nearest_mean(X[:, columns] / scale[columns], y, new[:, columns] / scale[columns])
    return float((guess == answer).mean())


def cross_validated(X: Array, y: Array, fold: Array, keep: int, leak: bool) -> float:
    """Mean share of right labels over the folds; with a leak, features are chosen on all rows."""
    chosen = best_features(X, y, keep) if leak else None
    scores = []
    for k in range(FOLDS):
        train, test = fold != k, fold == k
        scores.append(hits(X[train], y[train], X[test], y[test], keep, chosen))
    return float(np.mean(scores))


@lab(
    covers=["ml-workflow"],
    seconds=3,
    quick={"draws": 2},
    tries={
        "The honest order": {"select_before": False, "tune_on_test": False},
        "Tune on the test score": {"select_before": False, "tune_on_test": True},
        "Leak, with real signal": {"select_before": True, "useful": 100},
    },
    question=Question(
        "Labels are coin flips. You keep the 100 of 5,000 features that fit them best, then "
        "cross-validate. What accuracy is reported?",
        ("About 50 %", "About 70 %", "Nearly 100 %"),
        2,
        "The features were chosen with the test rows in view; what they fit by luck stays fitted.",
    ),
)
def run(
    scale_before: bool = True,
    select_before: bool = True,
    tune_on_test: bool = False,
    useful: Annotated[int, Slider(0, 200, help="Columns that do know the answer")] = 0,
    draws: Annotated[int, Slider(1, 40, help="More data sets, steadier averages")] = 20,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Score your workflow, the honest one and the truth on data set after data set."""
    scores: dict[str, list[float]] = {"your workflow": [], "honest workflow": [], "new data": []}
    steps = _order(scale_before, select_before, tune_on_test)
    for number in range(1, draws + 1):
        random = np.random.default_rng(1000 * seed + number)
        X, y = draw(random, useful, ROWS)
        fold = folds(random)
        new, answer = draw(random, useful, FRESH)
        seen = (X - X.mean(axis=0)) / X.std(axis=0) if scale_before else X
        tried = COUNTS if tune_on_test else (100,)
        reported = max(cross_validated(seen, y, fold, keep, select_before) for keep in tried)
        scores["your workflow"].append(100 * reported)
        scores["honest workflow"].append(100 * cross_validated(X, y, fold, 100, leak=False))
        scores["new data"].append(100 * hits(X, y, new, answer, 100, None))
        yield _frame(number, draws, scores, steps)


def _order(scale: bool, select: bool, tune: bool) -> Graph:
    before = [name for name, early in (("scale", scale), ("select", select)) if early]
    after = [name for name, early in (("scale", scale), ("select", select)) if not early]
    line = ["load", *before, "split", *after, *([] if tune else ["tune"]), "fit", "evaluate"]
    line += ["tune on the score"] if tune else []
    leaks = {*before, "tune on the score"}
    nodes = tuple(
        Node(
            name,
            f"{name} (leaks)" if name in leaks else name,
            i / (len(line) - 1),
            0.5,
            kind="leak" if name in leaks else "",
        )
        for i, name in enumerate(line)
    )
    edges = tuple(Edge(a, b) for a, b in pairwise(line))
    return Graph(
        nodes, edges, "your workflow, from left to right (leaks: it has seen the test part)"
    )


def _frame(step: int, of: int, scores: dict[str, list[float]], order: Graph) -> Frame:
    number = np.arange(1, step + 1)
    means = {name: float(np.mean(values)) for name, values in scores.items()}
    lines = {name: np.array(values) for name, values in scores.items()}
    averages = Bars(
        tuple(means),
        {"accuracy": np.array(list(means.values()))},
        ylabel="mean accuracy [%]",
        level={"a coin": 50.0},
        title="on average",
    )
    views: dict[str, View] = {
        "scores": Curve(
            number,
            lines,
            "data set",
            "accuracy [%]",
            dots=True,
            title="reported and true accuracy, data set by data set",
        ),
        "order": order,
        "averages": averages,
    }
    return Frame(step, of, views, {f"{name} [%]": mean for name, mean in means.items()})


def check() -> Iterator[Claim]:
    """Selecting before the split reports near 100 % on noise, inside the folds the truth."""
    leaked, honest = [], []
    for seed in range(20):
        random = np.random.default_rng(seed)
        X, y = draw(random, 0, ROWS)
        fold = folds(random)
        leaked.append(100 * cross_validated(X, y, fold, 100, leak=True))
        honest.append(100 * cross_validated(X, y, fold, 100, leak=False))
    yield above(
        "Noise, 100 features chosen before the split: accuracy [%]", float(np.mean(leaked)), 90
    )
    yield near("Noise, chosen inside each fold: accuracy [%]", float(np.mean(honest)), 50, 8)
