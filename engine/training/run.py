"""Train a network, step by step, as a run that can be watched, steered and interrupted."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, TypedDict

import torch

from engine.data import DataSet, load
from engine.forms import Pick, Several, Value, formed
from engine.network.build import build
from engine.network.spec import NetworkSpec
from engine.store.files import write_json
from engine.store.machine import machine
from engine.training import travel
from engine.training.doctor import Finding
from engine.training.doctor.visit import Doctor, diverged
from engine.training.door import refuse_misfit
from engine.training.initialisers import initialise
from engine.training.panels import NONE, hints, offered
from engine.training.panels.answers import MOST_CELLS, WORST
from engine.training.pictures import Pictures, standard
from engine.training.session import Diverged, Session
from engine.training.settings import Settings
from engine.views import Yielded

SAVE_EVERY = 4.0  # seconds between checkpoints: at most five may be lost

Watched = Generator[Yielded, Mapping[str, Value] | None, None]


class Branch(TypedDict):
    """A kept step of another run, to begin from."""

    run: str
    step: int


@dataclass(frozen=True)
class Choices(Settings):
    """The settings, and what is looked at meanwhile."""

    panels: Annotated[
        str,
        Several(
            offered(), hints=hints(), live=True, group="Pictures", help="What is drawn meanwhile"
        ),
    ] = standard()
    cell: Annotated[
        int,
        Pick(
            MOST_CELLS,
            "confusion",
            none=True,
            group="Pictures",
            help="Of the confusion matrix, row by row: its samples are shown",
        ),
    ] = NONE
    mistake: Annotated[
        int,
        Pick(
            WORST,
            "mistakes",
            none=True,
            group="Pictures",
            help="Of the surest ones: what the network holds of that sample",
        ),
    ] = NONE


LOOKED = tuple(one.name for one in fields(Choices) if one.name not in Settings.__dataclass_fields__)


@formed(Choices)
def train(
    spec: dict[str, Any],
    data: str | DataSet,
    *,
    folder: Path | None = None,
    free: Callable[[], bool] | None = None,
    branch: Branch | None = None,
    **chosen: Value,
) -> Watched:
    """Train a network on a data set; show curves, confusion, filters, gradients and more.

    Args:
        spec: The network, as `NetworkSpec` in JSON.
        data: Name of a data set, perhaps with settings: `"spirals?arms=3"`; or one at hand.
        folder: Where checkpoint, weights and summary are kept; a checkpoint found there is
            gone on from, exactly.
        free: Tells whether steps need not be shown one by one.
        branch: A kept step of another run of the same network to begin from.
        chosen: The fields of `Choices`.

    Yields:
        After every step a function that makes its frame.

    Raises:
        ValueError: Network and data do not fit, or a setting does not fit them; says what to do.
        Diverged: The loss stopped being finite; says where that began.
    """
    looked = {name: chosen.pop(name) for name in LOOKED if name in chosen}
    settings = Settings(**chosen)  # type: ignore[arg-type] # held against the form
    network = NetworkSpec.parse(spec)
    samples = data if isinstance(data, DataSet) else load(data)
    session = begin(network, samples, settings)
    if folder is not None:
        if not session.restore(folder) and branch:
            session.restore(travel.place(branch["run"], branch["step"]), branch=True)
            session.history.mark(session.step, "branched", f"at {branch['step']}")
        write_json(folder / "spec.json", network.to_json())
        source = data if isinstance(data, str) else data.name
        write_json(folder / "settings.json", {"data": source, **asdict(settings)})
        write_json(folder / "machine.json", machine())
    pictures = Pictures(session)
    pictures.look(looked)
    yield from _go(session, pictures, folder, free or _never)


def begin(network: NetworkSpec, samples: DataSet, settings: Settings) -> Session:
    """A session before its first step.

    Raises:
        ValueError: Network, data and settings do not fit; says where.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        module = build(network)
        initialise(module, settings.initialisation)
    refuse_misfit(network, module, samples)
    return Session(module, samples, settings)


def _never() -> bool:
    return False


def _go(
    session: Session, pictures: Pictures, folder: Path | None, free: Callable[[], bool]
) -> Watched:
    diary = _Diary(session, folder)
    healthy = True
    try:
        if session.finished:
            yield pictures
        while not session.finished:
            session.advance(free())
            diary.look()
            if (changes := (yield pictures)) and (turned := pictures.look(changes)):
                session.change(turned)
    except Diverged as ill:
        healthy = False  # the last good checkpoint stays
        diary.note([diverged(str(ill), session.settings.learning_rate)])
        raise
    finally:
        if healthy:
            diary.close()


class _Diary:
    """What a run writes of itself: its checkpoint every few seconds, and steps to go back to."""

    def __init__(self, session: Session, folder: Path | None) -> None:
        self._session, self._folder = session, folder
        self._doctor = Doctor(session)
        self._saved = -SAVE_EVERY  # so the first step is saved: a run can be resumed from there
        if folder is not None:
            self._keeper = travel.Keeper(folder, session)
            self._keeper.keep(session)  # the first weights: a run can be begun again from them

    def look(self) -> None:
        """Write what is due."""
        if self._folder is None:
            return
        if time.monotonic() - self._saved > SAVE_EVERY:
            self._session.save(self._folder)
            self._saved = time.monotonic()
            self.note(self._doctor.findings())
        self._keeper.look(self._session)

    def close(self) -> None:
        """Write where the run has ended."""
        if self._folder is not None:
            self._session.save(self._folder)
            self._keeper.keep(self._session)
            self.note(self._doctor.findings())

    def note(self, findings: Sequence[Finding]) -> None:
        """Write down what is wrong with the run."""
        if self._folder is not None:
            told = [one.to_json() for one in findings]
            write_json(self._folder / "findings.json", told)
