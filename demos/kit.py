"""What a lab file may use: `@lab`, controls for its parameters, claims, and a pacer.

A lab is a module with a docstring (its page), a function `run` (its form and its
pictures), and a function `check` (its claims). Nothing of it is written down twice.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from demos.claims import Claim, above, below, between, near, same
from engine.forms import (
    Choice,
    Drawing,
    Form,
    Numbers,
    Pick,
    Place,
    Slider,
    Text,
    Toggle,
    Value,
)
from engine.views import Frame, Yielded, frame_of

__all__ = [
    "Changes",
    "Choice",
    "Claim",
    "Drawing",
    "Frames",
    "Lab",
    "Numbers",
    "Pick",
    "Place",
    "Question",
    "Slider",
    "Text",
    "Toggle",
    "above",
    "below",
    "between",
    "interactive",
    "lab",
    "near",
    "same",
    "ticks",
]

Changes = Mapping[str, Value] | None
"""What `yield` gives back: the live controls turned since the last frame, or None."""

Frames = Generator[Yielded, Changes, None]
"""What a lab's `run` returns."""

Run = Callable[..., Frames]


@dataclass(frozen=True, slots=True)
class Question:
    """A prediction asked before the run: what will happen?

    Attributes:
        text: The question.
        options: The answers offered.
        answer: Which of them is right, counted from 0.
        why: One or two sentences shown afterwards.
    """

    text: str
    options: tuple[str, ...]
    answer: int
    why: str


@dataclass(frozen=True)
class Lab:
    """A runnable page of the curriculum.

    Attributes:
        id: Where its file is, `"optimisation.learning_rate"`; also its address in the browser.
        title: The first line of the file's docstring, without a full stop.
        text: The rest of that docstring without its source, Markdown.
        source: Whom it follows: the docstring's last line, without `Source:`.
        form: What a visitor can choose.
        covers: The ledger's ids of the topics it makes real.
        seconds: How long `check` may take on one core [s].
        quick: Parameters of a run of at most a second, for tests and thumbnails.
        tries: Words on a button -> the settings it makes: experiments worth doing.
        question: What to predict before running, or None.
        needs: Ledger ids of topics to know first.
        network: Name of the builder's template whose network this is, or "".
    """

    id: str
    title: str
    text: str
    source: str
    form: Form
    covers: tuple[str, ...]
    seconds: float
    quick: Mapping[str, Value]
    tries: Mapping[str, Mapping[str, Value]]
    question: Question | None
    needs: tuple[str, ...]
    network: str
    _run: Run = field(repr=False)

    @property
    def entry(self) -> str:
        """What a worker process is given to find this lab again."""
        return f"demos.{self.id}:run"

    @property
    def chapter(self) -> str:
        """The folder it is in."""
        return self.id.partition(".")[0]

    def __call__(self, **settings: Value) -> Frames:
        """Begin a run; wrong settings raise before the first frame.

        Returns:
            The generator: it yields frames or functions that make one, and is sent the live
            controls that were turned.
        """
        return self._run(**self.form.fill(settings))

    def frames(self, **settings: Value) -> Iterator[Frame]:
        """Run here and now to the end, or to the first frame that waits for a live control."""
        for item in self(**settings):
            frame = frame_of(item)
            yield frame
            if frame.waits:
                return

    def last(self, **settings: Value) -> Frame:
        """The final frame of a run."""
        final: Yielded | None = None
        for item in self(**settings):
            final = item
            if isinstance(item, Frame) and item.waits:
                break
        if final is None:
            raise ValueError(f"lab {self.id} showed no frame")
        return frame_of(final)

    def check(self) -> list[Claim]:
        """Put the lab's claims to the test."""
        claims: Iterable[Claim] = sys.modules[self._run.__module__].check()
        return list(claims)


def lab(
    *,
    covers: Sequence[str],
    seconds: float = 1.0,
    quick: Mapping[str, Value] | None = None,
    tries: Mapping[str, Mapping[str, Value]] | None = None,
    question: Question | None = None,
    needs: Sequence[str] = (),
    network: str = "",
) -> Callable[[Run], Lab]:
    """Make a lab of a file's `run` function; see `Lab` for what the arguments mean."""

    def wrap(run: Run) -> Lab:
        id = run.__module__.removeprefix("demos.")
        page = inspect.cleandoc(sys.modules[run.__module__].__doc__ or "")
        title, _, rest = page.partition("\n")
        text, _, source = rest.rpartition("Source: ")
        return Lab(
            id=id,
            title=title.strip().removesuffix("."),
            text=text.strip(),
            source=" ".join(source.split()),
            form=Form.of(run, id),
            covers=tuple(covers),
            seconds=seconds,
            quick=dict(quick or {}),
            tries=dict(tries or {}),
            question=question,
            needs=tuple(needs),
            network=network,
            _run=run,
        )

    return wrap


def interactive(picture: Callable[..., Frame], **settings: Value) -> Frames:
    """A run that shows one picture and draws it anew whenever a live control is turned.

    Args:
        picture: Makes the frame from the settings; what it returns is marked as waiting.
        **settings: What the controls say at the beginning.
    """
    while True:
        changes = yield replace(picture(**settings), waits=True)
        settings.update(changes or {})


def ticks(steps: int, frames: int = 60) -> Iterator[tuple[int, bool]]:
    """Count 1..steps and say at which of them to show: at most ~`frames` times, always the last."""
    every = max(1, steps // frames)
    for step in range(1, steps + 1):
        yield step, step % every == 0 or step == steps
