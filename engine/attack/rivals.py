"""Several kept models side by side: who holds, and whose weakness is whose."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch

from engine.attack.arena import TOPS, Epsilon, Method, Seed
from engine.attack.honesty import Badge, calibration, masking, sheet, verify
from engine.attack.methods.transfer import transfers
from engine.attack.steered import Steered, steered
from engine.attack.table import attacks, fooled, length
from engine.defend.subject import Subject, subject
from engine.forms import Slider, Text
from engine.tables import Entry
from engine.views import Curve, Frame, Matrix, Note, Table, View

POINTS = 9  # budgets on the curve
AUDITED = 24  # samples on which a hidden gradient is looked for
FAR = 1e6  # a budget that bounds nothing
MOST_MODELS = 8


@dataclass(frozen=True)
class _Rival:
    name: str
    subject: Subject


def _rivals(models: Sequence[Mapping[str, str]]) -> list[_Rival]:
    """The models that can be compared with the first: same data, same classes.

    Raises:
        ValueError: The first came without data or is no classifier.
    """
    first = _Rival(models[0]["name"], subject(models[0]["folder"]))
    found = [first]
    for one in models[1:MOST_MODELS]:
        try:
            other = subject(one["folder"])
        except (ValueError, LookupError):
            continue  # gone since the page was drawn, or for other data
        same = other.kept.data == first.subject.kept.data
        if same and other.kept.shape == first.subject.kept.shape:
            found.append(_Rival(one["name"], other))
    return found


def robust(
    models: list[dict[str, str]],
    *,
    methods: Annotated[str, Text(400, help="Attacks, with commas between")] = "fgsm, pgd, square",
    judged: Annotated[int, Slider(20, 1000, log=True, help="Smoother curves, slower")] = 100,
    furthest: Annotated[
        float, Slider(0.02, 1.0, help="Curves go further, as part of the norm's usual range")
    ] = 0.5,
) -> Steered:
    """Accuracy over the budget, for several attacks on several models.

    Args:
        models: Kept models, each with `name` and `folder`; the first one's data are used.
        methods: Names of attacks, all of one norm.
        judged: On how many validation samples.
        furthest: Where the curves end.

    Yields:
        A frame after each point; at the end the checks for hidden gradients.

    Raises:
        ValueError: The attacks measure changes differently, or a model does not fit.
    """
    entries = _entries(methods)
    norm = str(entries[0].facts["norm"])
    rivals = _rivals(models)
    x, y = rivals[0].subject.valid(judged)
    budgets = np.linspace(0, furthest * TOPS[norm], POINTS)
    if norm == "L0":
        budgets = np.unique(budgets.round())
    pairs = [(rival, entry) for rival in rivals for entry in entries]
    measures = [_Measure(rival, entry, x, y) for rival, entry in pairs]
    lines = {_line(rival, entry, rivals): np.full(len(budgets), np.nan) for rival, entry in pairs}
    of = len(budgets) * len(pairs) + len(rivals)
    done, badges = 0, list[tuple[str, Badge]]()
    for place, budget in enumerate(budgets):
        for name, one in zip(lines, measures, strict=True):
            values = lines[name].copy()
            values[place] = 100 * one.held(float(budget))
            lines[name] = values
            done += 1
            yield Frame(done, of, _curves(budgets, lines, norm, badges), _facts(lines, rivals))
    for rival in rivals:
        checks = masking(rival.subject.module, x[:AUDITED], y[:AUDITED], epsilon=0.1)
        badges += [(rival.name, badge) for badge in checks]
        done += 1
        yield Frame(done, of, _curves(budgets, lines, norm, badges), _facts(lines, rivals))


class _Measure:
    """One attack on one model; a search for the smallest change runs once for all budgets."""

    def __init__(self, rival: _Rival, entry: Entry, x: torch.Tensor, y: torch.Tensor) -> None:
        self._module, self._entry, self._x, self._y = rival.subject.module, entry, x, y
        self._sizes: torch.Tensor | None = None

    def held(self, budget: float) -> float:
        """Part that is still answered right."""
        module, x, y = self._module, self._x, self._y
        norm = str(self._entry.facts["norm"])
        if self._entry.facts["minimal"]:
            if self._sizes is None:
                found = self._entry.function(module, x, y, epsilon=FAR)
                size = length(found - x, norm)
                self._sizes = size.masked_fill(~fooled(module, found, y), torch.inf)
                self._sizes[fooled(module, x, y)] = 0
            wrong = self._sizes <= budget if budget else self._sizes == 0
            return 1 - float(wrong.double().mean())
        epsilon = int(budget) if norm == "L0" else budget
        found = self._entry(module, x, y, epsilon=epsilon)
        return 1 - float(fooled(module, found, y).double().mean())


def _entries(methods: str) -> list[Entry]:
    entries = [attacks.find(word.strip()) for word in methods.split(",") if word.strip()]
    if not entries:
        raise ValueError("robust: choose at least one attack")
    norms = {str(entry.facts["norm"]) for entry in entries}
    if len(norms) > 1:
        raise ValueError(
            f"robust: attacks on one chart must measure changes alike; these use "
            f"{', '.join(sorted(norms))}"
        )
    return entries


def _line(rival: _Rival, entry: Entry, rivals: Sequence[_Rival]) -> str:
    return entry.name if len(rivals) == 1 else f"{rival.name}: {entry.name}"


def _curves(
    budgets: np.ndarray[Any, Any],
    lines: Mapping[str, np.ndarray[Any, Any]],
    norm: str,
    badges: Sequence[tuple[str, Badge]],
) -> dict[str, View]:
    sure = calibrated()
    return {
        "curve": Curve(
            budgets.astype(np.float64),
            lines,
            xlabel=f"budget ({norm})",
            ylabel="still right [%]",
            dots=True,
            title="robust accuracy; the lowest line of a model is what counts",
        ),
        "badges": sheet(badges, "model", "does a model only hide its gradient? (at the end)"),
        "calibration": sure,
        "notes": Note(
            "An attack gives an upper bound: a stronger one may find more. Where the lines of "
            "strong attacks meet, one may begin to believe them."
        ),
    }


@functools.cache
def calibrated() -> Table:
    """Attacks on a linear model, beside the optimum that algebra gives."""
    rows = []
    for norm, row in calibration().items():
        exact = row["exact"]
        rows += [
            (norm, name, 100 * value / exact) for name, value in row.items() if name != "exact"
        ]
    return Table(
        ("norm", "attack", "of the optimum [%]"),
        tuple(rows),
        title="calibration: a linear model, where the best change is known",
    )


def _facts(lines: Mapping[str, np.ndarray[Any, Any]], rivals: Sequence[_Rival]) -> dict[str, float]:
    values = next(iter(lines.values()))
    known = values[~np.isnan(values)]
    return (
        {"models": float(len(rivals)), "clean accuracy [%]": float(known[0])} if len(known) else {}
    )


def transfer(
    models: list[dict[str, str]],
    *,
    method: Method = "mifgsm",
    epsilon: Epsilon = 0.15,
    judged: Annotated[
        int, Slider(20, 500, log=True, live=True, help="More validation samples")
    ] = 80,
    seed: Seed = 0,
) -> Steered:
    """Which attacked inputs of one model also fool another; wait for a control.

    Args:
        models: Kept models, each with `name` and `folder`; the first one's data are used.
        method: The attack.
        epsilon: Its budget (attacks of other norms take as large a part of their usual range).
        judged: How many validation samples are attacked.
        seed: For attacks that draw random numbers.

    Yields:
        The matrix; it waits.
    """
    rivals = _rivals(models)

    def frames(controls: Mapping[str, Any]) -> Iterator[Frame]:
        entry = attacks.find(controls["method"])
        norm = str(entry.facts["norm"])
        x, y = rivals[0].subject.valid(controls["judged"])
        budget = controls["epsilon"] / TOPS["Linf"] * TOPS[norm]
        own: dict[str, Any] = {"epsilon": round(budget) if norm == "L0" else budget}
        if "seed" in entry.form.controls:
            own["seed"] = controls["seed"]
        checks: list[tuple[str, Badge]] = []

        def look(number: int, found: torch.Tensor) -> None:
            rival = rivals[number]
            told = verify(entry, rival.subject.module, x, y, found, own["epsilon"])
            checks.extend((rival.name, badge) for badge in told)

        modules = [one.subject.module for one in rivals]
        values = transfers(modules, entry.name, x, y, made=look, **own)
        views = _matrix(rivals, values, own["epsilon"], norm) | {"badges": sheet(checks, "model")}
        yield Frame(1, 1, views, {}, waits=True)

    yield from steered(
        frames, {"method": method, "epsilon": epsilon, "judged": judged, "seed": seed}
    )


def _matrix(
    rivals: Sequence[_Rival], values: torch.Tensor, budget: float, norm: str
) -> dict[str, View]:
    names = tuple(rival.name for rival in rivals)
    words = (
        "Read along a row: made to fool that model, how many also fool the others? Numbers off "
        "the diagonal are why secrecy of a model is no defence."
    )
    if len(rivals) == 1:
        words = (
            "There is one model so far. Train another on the same data (Train), or a defended "
            "one (Defend): it appears here as a second row and column."
        )
    return {
        "matrix": Matrix(
            100 * values.double().numpy(),
            rows=names,
            columns=names,
            xlabel="also fooled [%]",
            ylabel="attacked",
            numbers=True,
            title=f"fooled of those answered right before [%], {norm} budget {budget:.3g}",
        ),
        "notes": Note(words),
    }
