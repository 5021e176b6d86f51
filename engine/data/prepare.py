"""A data set out of a table of words: columns chosen, gaps filled, words spread out, all scaled.

Nothing is dropped without a word: a cell that cannot be read is refused with its row and column,
and what was filled in, spread out or left out stands in the data set's note.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np

from engine.data.dataset import DataSet, split
from engine.data.sheet import FEWEST_ROWS, Column, Floats, Sheet, missing, parse
from engine.network.words import nearest

MOST_LEVELS = 40  # words in one column that are spread out into columns of their own
FEW = 20  # different whole numbers in the target that still count as classes
VALID = 0.2  # part set aside for validation
STRAY = 0.05  # part of a column's cells that may be words in a column of numbers: slips

Use = Literal["number", "category", "ignore"]
Filling = Literal["mean", "median", "most frequent", "own category", "drop rows"]
Scale = Literal["standard", "range", "none"]
FILLINGS: Mapping[str, tuple[Filling, ...]] = {
    "number": ("mean", "median", "most frequent", "drop rows"),
    "category": ("own category", "most frequent", "drop rows"),
}
"""How a missing cell may be filled, by what the column is; the usual way first."""
SETTINGS = ("target", "seed", "uses", "missing", "scale", "unread", "valid", "test")


@dataclass(frozen=True)
class Plan:
    """What shall be made of a table.

    Attributes:
        target: The column to predict; empty for the last one.
        uses: Column -> what it is taken for, where that is not what it looks like.
        missing: Column -> how its missing cells are filled.
        scale: How columns of numbers are scaled: to mean 0 and deviation 1, to [0, 1], or not.
        unread: Whether a word in a column of numbers counts as missing, instead of as a mistake.
        seed: For the split.
        valid: Part of the rows for validation.
        test: Part of the rows for the test.
    """

    target: str = ""
    uses: Mapping[str, Use] = field(default_factory=dict)
    missing: Mapping[str, Filling] = field(default_factory=dict)
    scale: Scale = "standard"
    unread: bool = False
    seed: int = 0
    valid: float = VALID
    test: float = 0.0

    @classmethod
    def of(cls, settings: Mapping[str, object]) -> Plan:
        """The plan that a name's settings ask for.

        Raises:
            ValueError: A setting is unknown or out of range.
        """
        unknown = next((name for name in settings if name not in SETTINGS), None)
        if unknown is not None:
            raise ValueError(
                f"an uploaded table has no setting {unknown!r:.80}{nearest(unknown, SETTINGS)} "
                f"Its settings are {', '.join(SETTINGS)}"
            )
        plan = cls(**{**settings, "target": str(settings.get("target", ""))})  # type: ignore[arg-type]
        seed = plan.seed
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise ValueError(f"seed must be a whole number from 0; got {seed!r:.80}")
        for name, words, known_words in (
            ("uses", plan.uses, get_args(Use)),
            ("missing", plan.missing, get_args(Filling)),
        ):
            if not isinstance(words, dict) or any(w not in known_words for w in words.values()):
                raise ValueError(
                    f"{name} must give each column one of {', '.join(known_words)}; "
                    f"got {words!r:.80}"
                )
        if plan.scale not in get_args(Scale):
            raise ValueError(f"scale must be standard, range or none; got {plan.scale!r:.80}")
        parts = (plan.valid, plan.test)
        if any(isinstance(p, bool) or not isinstance(p, int | float) or p < 0 for p in parts):
            raise ValueError(f"valid and test must be numbers from 0; got {parts!r:.80}")
        if sum(parts) > 0.8:
            raise ValueError(f"valid and test must be 0.8 together at most; got {sum(parts):g}")
        return plan


def made(content: bytes, name: str, plan: Plan) -> DataSet:
    """A data set from a table's bytes.

    Args:
        content: The file.
        name: What the data set is called.
        plan: What shall be made of it.

    Raises:
        ValueError: A cell, the target or the whole is unfit; says in which row and column.
    """
    sheet = parse(content)
    wanted = plan.target or sheet.names[-1]
    for kind, asked in (("target", [wanted]), ("uses", plan.uses), ("missing", plan.missing)):
        strange = next((one for one in asked if one not in sheet.names), None)
        if strange is not None:
            known = ", ".join(sheet.names)[:200]
            raise ValueError(f"{kind} must be a column: {known}; got {strange!r:.80}")
    sheet, remarks = _without_rows(sheet, plan, wanted)
    held, tested = round(plan.valid * len(sheet.rows)), round(plan.test * len(sheet.rows))
    held = max(1, held)
    order = np.random.default_rng(plan.seed).permutation(len(sheet.rows))
    train = order[: len(order) - held - tested]
    y, classes = _answers(sheet, wanted, plan)
    features, names = _features(sheet, wanted, plan, train, remarks)
    note = [f"{len(sheet.rows)} rows", *remarks]
    if not classes:
        middle, scale = y[train].mean(), y[train].std() or 1.0
        y = (y - middle) / scale
        note.append(
            f"{wanted} scaled to mean 0 and standard deviation 1 (it has mean {middle:.4g}, "
            f"standard deviation {scale:.4g})"
        )
    data = split(
        name,
        features,
        y,
        classes,
        seed=plan.seed,
        valid=held + tested,
        features=names,
        note="; ".join(note),
    )
    if not tested:
        return data
    return replace(
        data,
        valid_x=data.valid_x[:held],
        valid_y=data.valid_y[:held],
        test_x=data.valid_x[held:],
        test_y=data.valid_y[held:],
    )


def _without_rows(sheet: Sheet, plan: Plan, target: str) -> tuple[Sheet, list[str]]:
    """The table less the rows that the plan drops, and what there is to say of it."""
    kept_rows = list(range(len(sheet.rows)))
    remarks = []
    for name in sheet.names:
        dropping = plan.missing.get(name) == "drop rows"
        if not dropping or (name != target and _use(sheet, name, plan) == "ignore"):
            continue
        cells = sheet.column(name)
        gone = {row for row, cell in enumerate(cells) if missing(cell)}
        if plan.unread and _use(sheet, name, plan) == "number":
            gone |= set(sheet.numbers(name)[1])
        kept_rows = [row for row in kept_rows if row not in gone]
        if gone:
            remarks.append(f"{len(gone)} rows without {name} left out")
    if len(kept_rows) < FEWEST_ROWS:
        raise ValueError(
            f"missing: only {len(kept_rows)} rows are left when those with gaps are dropped, and "
            f"{FEWEST_ROWS} are needed; fill the gaps in another way"
        )
    rows = tuple(sheet.rows[row] for row in kept_rows)
    return Sheet(sheet.names, rows, tuple(sheet.lines[row] for row in kept_rows)), remarks


def looks_like(sheet: Sheet, name: str) -> Use:
    """What a column seems to hold: numbers, few different words, or neither."""
    cells = sheet.column(name)
    _, wrong = sheet.numbers(name)
    there = [cell for cell in cells if not missing(cell)]
    if not there:
        return "ignore"
    if len(wrong) < STRAY * len(cells):
        return "number"
    return "category" if len(set(there)) <= MOST_LEVELS else "ignore"


def _use(sheet: Sheet, name: str, plan: Plan) -> Use:
    return plan.uses.get(name) or looks_like(sheet, name)


def _as_numbers(sheet: Sheet, name: str, plan: Plan) -> Floats:
    """A column as numbers, NaN where missing.

    Raises:
        ValueError: A cell is none; names it.
    """
    values, wrong = sheet.numbers(name)
    if wrong and not plan.unread:
        cell = sheet.column(name)[wrong[0]]
        raise ValueError(
            f"{sheet.at(wrong[0], name)}: must be a number like the others; got {cell!r:.80}"
        )
    if np.isnan(values).all():
        raise ValueError(f"column {name!r:.80}: is empty; take it out")
    return values


def _answers(sheet: Sheet, target: str, plan: Plan) -> tuple[Floats, tuple[str, ...]]:
    """The target as class numbers and their names, or as numbers `(n, 1)` and no names."""
    cells = sheet.column(target)
    gap = next((row for row, cell in enumerate(cells) if missing(cell)), None)
    if gap is not None:
        raise ValueError(
            f"{sheet.at(gap, target)}: the target is missing; fill it in, or drop the rows without"
        )
    levels: list[str] = sorted(set(cells))
    chosen = plan.uses.get(target)
    if chosen != "category" and looks_like(sheet, target) == "number":
        numbers = _as_numbers(sheet, target, plan)
        if np.isnan(numbers).any():
            row = int(np.flatnonzero(np.isnan(numbers))[0])
            raise ValueError(f"{sheet.at(row, target)}: the target must be a number here")
        whole = bool((numbers == np.round(numbers)).all())
        if chosen == "number" or not whole or len(set(numbers.tolist())) > FEW:
            return numbers[:, None], ()
        levels = sorted(set(cells), key=lambda cell: float(cell.replace(",", ".")))
    if not 2 <= len(levels) <= MOST_LEVELS:
        raise ValueError(
            f"column {target!r:.80}: a target of words must have 2 to {MOST_LEVELS} different "
            f"ones; got {len(levels)}"
        )
    place = {level: number for number, level in enumerate(levels)}
    return np.array([place[cell] for cell in cells], dtype=np.float64), tuple(levels)


def _features(
    sheet: Sheet, target: str, plan: Plan, train: np.ndarray, remarks: list[str]
) -> tuple[Floats, tuple[str, ...]]:
    """All columns that are used as numbers `(rows, features)`, and their names.

    What fills a gap and what scales a column is taken from the training rows alone.
    """
    found: list[Floats] = []
    names: list[str] = []
    for name in sheet.names:
        use = _use(sheet, name, plan)
        if name == target:
            continue
        if use == "ignore":
            _refuse_unasked(sheet, name, plan)
            remarks.append(f"{name} left out")
        elif use == "number":
            filled = _filled(_as_numbers(sheet, name, plan), name, plan, train, remarks)
            found.append(_scaled(filled, plan.scale, train))
            names.append(name)
        else:
            for level, cells in _spread(sheet.column(name), name, plan, train, remarks):
                found.append(_scaled(cells, plan.scale, train))
                names.append(f"{name} = {level}")
    if not found:
        raise ValueError("the table must keep a column beside the target; all others are left out")
    told = {"standard": "mean 0 and standard deviation 1", "range": "[0, 1]", "none": ""}[
        plan.scale
    ]
    if told:
        remarks.append(f"columns scaled to {told} over the training rows")
    return np.stack(found, axis=1), tuple(names)


def _refuse_unasked(sheet: Sheet, name: str, plan: Plan) -> None:
    """A column is left out only where somebody said so."""
    if plan.uses.get(name) == "ignore":
        return
    levels = {cell for cell in sheet.column(name) if not missing(cell)}
    if not levels:
        raise ValueError(f"column {name!r:.80}: is empty; take it out")
    raise ValueError(
        f"column {name!r:.80}: has {len(levels)} different words, more than {MOST_LEVELS}; take it "
        "out (is it a name or a number of the row?)"
    )


def _filled(values: Floats, name: str, plan: Plan, train: np.ndarray, remarks: list[str]) -> Floats:
    """A column of numbers without gaps."""
    gaps = np.isnan(values)
    if not gaps.any():
        return values
    way = plan.missing.get(name, "mean")
    known = values[train][~np.isnan(values[train])]
    if not len(known):
        raise ValueError(f"column {name!r:.80}: no training row has a number in it; leave it out")
    if way in ("mean", "drop rows"):
        fill = known.mean()
    elif way == "median":
        fill = np.median(known)
    elif way == "most frequent":
        different, counts = np.unique(known, return_counts=True)
        fill = different[counts.argmax()]
    else:
        raise ValueError(f"missing: {name} holds numbers, so it cannot have {way!r}; take a mean")
    remarks.append(f"{gaps.sum()} missing numbers of {name} set to its {way} ({fill:.4g})")
    return np.where(gaps, fill, values)


def _spread(
    cells: Column, name: str, plan: Plan, train: np.ndarray, remarks: list[str]
) -> list[tuple[str, Floats]]:
    """A column of words as a column of 0 and 1 for each word, with the word."""
    gaps = [missing(cell) for cell in cells]
    way = plan.missing.get(name, "own category")
    known = [cell for cell, gap in zip(cells, gaps, strict=True) if not gap]
    levels = sorted(set(known))
    if len(levels) > MOST_LEVELS:
        raise ValueError(
            f"column {name!r:.80}: has {len(levels)} different words, more than {MOST_LEVELS}; "
            "leave it out, or take it as numbers"
        )
    if any(gaps):
        fill: str = "missing"
        if way == "most frequent":
            learnt: list[str] = [cells[int(row)] for row in train if not gaps[row]] or known
            fill = Counter(learnt).most_common(1)[0][0]
        elif way not in ("own category", "drop rows"):
            raise ValueError(f"missing: {name} holds words, so it has no {way}; own category?")
        whole = list[str](fill if gap else cell for cell, gap in zip(cells, gaps, strict=True))
        cells, levels = whole, sorted(set(whole))
        what = "a category of their own" if fill == "missing" else f"{fill!r}"
        remarks.append(f"{sum(gaps)} missing words of {name} are {what}")
    remarks.append(f"{name} spread out into {len(levels)} columns of 0 and 1")
    return [(level, np.array([cell == level for cell in cells], float)) for level in levels]


def _scaled(values: Floats, scale: Scale, train: np.ndarray) -> Floats:
    learnt = values[train]
    if scale == "none":
        return values
    low, width = (
        (learnt.mean(), learnt.std())
        if scale == "standard"
        else (learnt.min(), learnt.max() - learnt.min())
    )
    scaled: Floats = (values - low) / (width or 1.0)
    return scaled
