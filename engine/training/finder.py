"""Which learning rate? A short training on the side, whose rate grows at every step, shows it.

Where steps are too short the loss stands still; then it falls; beyond some rate every step leaps
over the valley and the loss rises without end. A good rate lies where the loss falls fastest, well
below the last. The run that is looked at is not touched: its weights are copied, and forgotten.

Source: Smith (2017), Cyclical learning rates for training neural networks, section 3.3.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from engine.data import load
from engine.forms import Value
from engine.network.spec import NetworkSpec
from engine.store.home import run_folder
from engine.training.optimizers import turn
from engine.training.run import begin
from engine.training.session import Diverged, Session
from engine.training.settings import Settings
from engine.views import Array, Curve, Frame, Note, View

LOWEST, HIGHEST = 1e-5, 10.0
STEPS = 210  # thirty-five for each factor of ten
HOPELESS = 4.0  # times the least loss: nothing is to be seen beyond
RECENT = 8  # batches whose mean is looked at for that
RISE = 1.5  # a loss that is so many times its least has risen
WIDTH = 4.0  # of the smoothing, in steps
SAFE = 3.0  # the rate proposed is smaller than where the loss begins to rise, by this factor
REST = 0.2  # the part of the fall that is left where it counts as fallen
FALL = 0.01  # a loss that falls by less, relatively, does not fall
OFFERED = (1e-5, 3.0)  # rates that the Train page can be set to


@dataclass(frozen=True)
class Advice:
    """What the walk over the rates tells.

    Attributes:
        rate: The learning rate to take; NaN where none can be told.
        reason: Why, in words.
        steepest: The rate at which the loss falls fastest; NaN where it does not fall.
        limit: The rate from which on the loss rises; NaN where it never does.
    """

    rate: float
    reason: str
    steepest: float = math.nan
    limit: float = math.nan


def find(
    spec: dict[str, Any],
    data: str,
    settings: Mapping[str, Any] | None = None,
    run: str | None = None,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Walk over the rates; show the loss over the rate, and the rate to take.

    Args:
        spec: The network.
        data: Name of the data set.
        settings: How it is trained; the schedule does not count.
        run: The run whose newest kept weights to begin from; None for the first weights.

    Yields:
        A frame after every step; the last has the fact `suggested rate`.

    Raises:
        ValueError: Network, data and settings do not fit; says where.
    """
    known = Settings.__dataclass_fields__
    chosen = Settings(**{k: v for k, v in (settings or {}).items() if k in known})
    session = begin(NetworkSpec.parse(spec), load(data), chosen)
    kept = run is not None and session.restore(run_folder(run), branch=True)
    begun = f"from the weights at step {session.step:,}" if kept else "from the first weights"
    rates = np.geomspace(LOWEST, HIGHEST, STEPS)
    losses: list[float] = []
    for loss in walk(session, rates):
        losses.append(loss)
        yield picture(rates[: len(losses)], np.array(losses), begun, None)
    advice = advise(rates[: len(losses)], np.array(losses))
    yield picture(rates[: len(losses)], np.array(losses), begun, advice)


def walk(session: Session, rates: Array) -> Iterator[float]:
    """The loss of each batch before its step, one step with each rate.

    Ends early where the loss has risen without doubt, or is no number any more.
    """
    session.settings = replace(
        session.settings, schedule="constant", warmup=0.0, patience=0, goal=0.0, epochs=10**6
    )
    recent: deque[float] = deque(maxlen=RECENT)
    first = least = math.inf
    for rate in rates:
        session.settings = replace(session.settings, learning_rate=float(rate))
        turn(session.optimizer, "learning_rate", float(rate))
        try:
            session.advance()
        except Diverged:
            return
        yield session.loss
        recent.append(session.loss)
        if len(recent) == RECENT:
            mean = sum(recent) / RECENT
            first, least = (mean if first == math.inf else first), min(least, mean)
            if mean > HOPELESS * least > 0 and mean > HOPELESS / 2 * first:
                return


def smoothed(losses: Array) -> Array:
    """Means over the neighbours, weighted by a bell: as losses span decades, of their logarithms.

    The bell is centred, so that a fall is not seen later than it happens; the usual running mean
    would move it to larger rates.
    """
    positive = bool((losses > 0).all())
    values = np.log(losses) if positive else losses
    places = np.arange(len(losses))
    bell = np.exp(-0.5 * ((places[:, None] - places) / WIDTH) ** 2)
    means: Array = (bell @ values) / bell.sum(1)
    return np.asarray(np.exp(means)) if positive else means


def advise(rates: Array, losses: Array) -> Advice:
    """The rate to take, and why.

    Args:
        rates: Rising, `(n,)`.
        losses: Of the batch at each, `(n,)`.
    """
    if len(losses) < 2 * WIDTH + 3:
        words = "The loss was no number after a few steps: the network itself needs repair."
        return Advice(math.nan, words)
    line = smoothed(losses)
    least, limit = int(line.argmin()), _limit(rates, line)
    fall = line[0] - line[least]
    if fall < FALL * abs(line[0]):
        return _flat(limit)
    fallen = int((line <= line[least] + REST * fall).argmax())  # noise may fall steeply after that
    slope = np.gradient(line, np.log(rates))[: fallen + 1]
    steepest = float(rates[slope.argmin()])
    rises = math.isfinite(limit)
    ceiling = (limit if rises else float(rates[least])) / SAFE
    rate = _offered(min(steepest, ceiling))
    beyond = f"rises again from **{limit:.2g}** on"
    if not rises:
        beyond = f"falls no more beyond **{rates[least]:.2g}**"
    reason = f"The loss falls fastest at a rate of **{steepest:.2g}** and {beyond}."
    if ceiling < steepest:
        reason += " The first is too near to the second: a third of that is safe."
    return Advice(rate, f"{reason} Take **{rate:g}**.", steepest, limit)


def _limit(rates: Array, line: Array) -> float:
    """The rate at which the loss began to rise from its least, if it rose by much; else NaN."""
    least = int(line.argmin())
    much = max(line[least] + REST * (line[0] - line[least]), RISE * line[least])
    risen = np.flatnonzero(line[least:] > much)
    if not len(risen):
        return math.nan
    place = least + int(risen[0])
    while place > least and line[place - 1] < line[place]:
        place -= 1
    return float(rates[place])


def _flat(limit: float) -> Advice:
    """What to say where no rate makes the loss fall."""
    if not math.isfinite(limit):
        words = "No rate changed the loss: the network cannot learn these data as it stands."
        return Advice(math.nan, words)
    rate = _offered(limit / 10)
    words = (
        f"The loss hardly falls at any rate, as in a network that has learnt already, and rises "
        f"from **{limit:.2g}** on. Take a tenth of that: **{rate:g}**."
    )
    return Advice(rate, words, math.nan, limit)


def _offered(rate: float) -> float:
    """With two digits, inside of what can be chosen."""
    low, high = OFFERED
    return float(f"{min(high, max(low, rate)):.2g}")


def picture(rates: Array, losses: Array, begun: str, advice: Advice | None) -> Frame:
    """The loss over the rate so far, and at the end what follows."""
    marks, facts = {}, {}
    if advice is not None:
        told = {"rises": advice.limit, f"take {advice.rate:g}": advice.rate}
        marks = {words: at for words, at in told.items() if math.isfinite(at)}
        if math.isfinite(advice.rate):
            facts["suggested rate"] = advice.rate
    curve = Curve(
        rates,
        {"each batch": losses, "smoothed": smoothed(losses)},
        xlabel="learning rate",
        ylabel="loss of the batch",
        log=bool((losses > 0).all()),
        logx=True,
        marks=marks,
        title=f"the loss while the rate grows, {begun}",
    )
    tone: Literal["plain", "good", "warning"] = "plain"
    words = "The rate grows at every step; the loss tells which are too small and too large."
    if advice is not None:
        words, tone = advice.reason, "good" if math.isfinite(advice.rate) else "warning"
    views: dict[str, View] = {"finder": curve, "advice": Note(words, tone=tone)}
    done = len(rates) if advice is None else STEPS
    return Frame(done, STEPS, views, facts)
