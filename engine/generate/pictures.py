"""What writing shows: the text, the odds, what each filter cut, and what the network keeps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch

from engine.generate.beam import Beam
from engine.generate.cache import Cache
from engine.generate.filters import Stage
from engine.generate.write import Written
from engine.views import Bars, Curve, Matrix, Table, Tokens

SHOWN = 12  # candidates in the pictures of the odds
NAMED = 12  # tokens that a row says were cut
STATE = 64  # numbers of a state that are drawn

Name = Callable[[int], str]


def tokens(name: Name, prompt: Sequence[int], written: Sequence[Written]) -> Tokens:
    """The text; behind each token stands what the network held of it before any filter."""
    words = [name(token) for token in prompt] + [name(one.token) for one in written]
    chances = [0.0] * len(prompt) + [one.chance for one in written]
    title = "the darker a token, the likelier the model held it; click one to see its odds"
    return Tokens(tuple(words), np.array(chances), title=title)


def odds(name: Name, found: Sequence[Stage]) -> Bars:
    """The likeliest tokens: what the network says, and what is left after the filters."""
    first = found[0].chances.topk(min(SHOWN, len(found[0].scores)))
    picked = first.indices
    series = {"model": first.values.numpy()}
    if len(found) > 1:
        series["after the filters"] = found[-1].chances[picked].numpy()
    return Bars(
        tuple(name(int(token)) for token in picked),
        series,
        ylabel="chance",
        title="odds of this token",
    )


def filters(name: Name, found: Sequence[Stage], drawn: int | None) -> Table:
    """Each candidate's chance before and after every filter [%]; an empty cell was cut."""
    picked = found[0].chances.topk(min(SHOWN, len(found[0].scores))).indices
    columns = [100 * stage.chances[picked] for stage in found]
    alive = [stage.scores[picked] > -math.inf for stage in found]
    rows = tuple(
        (
            name(int(token)) + (" ←" if int(token) == drawn else ""),
            *(
                round(float(column[row]), 2) if bool(here[row]) else "cut"
                for column, here in zip(columns, alive, strict=True)
            ),
        )
        for row, token in enumerate(picked)
    )
    heads = ("token", *(f"{stage.name} [%]" for stage in found))
    return Table(heads, rows, title="each candidate's chance, filter by filter (← was drawn)")


def cuts(name: Name, found: Sequence[Stage]) -> Table:
    """What each filter took away: how many tokens, how much chance, and which."""
    rows = []
    for before, after in itertools.pairwise(found):
        gone = (before.scores > -math.inf) & (after.scores == -math.inf)
        chance = float(before.chances[gone].sum())
        order = before.chances.masked_fill(~gone, -1).argsort(descending=True)
        some = [name(int(token)) for token in order[: min(NAMED, int(gone.sum()))]]
        more = " …" if int(gone.sum()) > NAMED else ""
        left = int((after.scores > -math.inf).sum())
        rows.append((after.name, float(gone.sum()), left, 100 * chance, " ".join(some) + more))
    heads = ("filter", "cut", "left", "chance cut [%]", "likeliest of what it cut")
    return Table(heads, tuple(rows), title="what each filter cut")


def beams(text: Callable[[Sequence[int]], str], found: Sequence[Beam]) -> Table:
    """The beginnings that are followed, the likeliest first."""
    rows = tuple(
        (float(rank), text(beam.tokens), beam.score, beam.score / max(1, len(beam.tokens)))
        for rank, beam in enumerate(found, 1)
    )
    heads = ("rank", "text", "log chance [nat]", "of a token [nat]")
    return Table(heads, rows, title="beams: the likeliest texts so far")


def kept(cache: Cache | None, places: int, name: Callable[[int], str]) -> Matrix:
    """What the network keeps: a key for every place, or a state that is written over.

    A cell is the length of the key that a head keeps of a place; cells to come are empty.
    """
    rows: list[str] = []
    lines: list[np.ndarray] = []
    state = ""
    keyed = [path for path, memory in cache.kept.items() if "key" in memory] if cache else []
    for path, memory in cache.kept.items() if cache else ():
        if "key" in memory:
            for head, keys in enumerate(memory["key"][0].norm(dim=-1).numpy()):
                rows.append(f"{keyed.index(path) + 1}.{head + 1}")
                lines.append(np.pad(keys, (0, max(0, places - len(keys))), constant_values=np.nan))
        elif "state" in memory:
            state = "state"
            values = memory["state"].abs() if memory["state"].is_complex() else memory["state"]
            flat = values.to(torch.float32).flatten()[:STATE].numpy()
            rows.append(path)
            lines.append(flat)
    width = max((len(line) for line in lines), default=1)
    table = np.full((max(1, len(lines)), width), np.nan)
    for row, line in zip(table, lines, strict=False):
        row[: len(line)] = line
    if state:
        title = "the state, written over at every token: it never grows"
        return Matrix(table, tuple(rows), xlabel="number of the state", scale="signed", title=title)
    return Matrix(
        table,
        tuple(rows),
        tuple(name(place) for place in range(width)),
        xlabel="place",
        ylabel="layer.head",
        title="the cache: length of the key that each head keeps of each place",
    )


def growth(sizes: Sequence[int]) -> Curve:
    """How much is kept after each token [kB]."""
    return Curve(
        np.arange(1, len(sizes) + 1, dtype=np.float64),
        {"kept": np.array(sizes, dtype=np.float64) * 4 / 1000},
        xlabel="token",
        ylabel="memory [kB]",
        title="what is kept; where all it fits is full, the older half is dropped",
    )


def times(seconds: Sequence[float], without: Sequence[float], cached: bool) -> Curve:
    """How long each token took, and now and then how long it takes to read all anew [ms]."""
    own = "with the cache" if cached else "reading all anew"
    lines = {own: 1000 * np.array(seconds)}
    if cached:
        lines["reading all anew"] = 1000 * _held(without)
    x = np.arange(1, len(seconds) + 1, dtype=np.float64)
    return Curve(x, lines, xlabel="token", ylabel="time [ms]", title="time a token takes")


def _held(values: Sequence[float]) -> np.ndarray:
    """Each value until the next one is known."""
    found: list[float] = []
    for value in values:
        found.append(value if value == value or not found else found[-1])
    return np.array(found)
