"""A function's signature, read as a form a visitor can fill in.

Labs, explainers, attacks and data makers are all plain functions. What they let a
visitor choose stands in their signature and nowhere else: `Annotated[float, Slider(...)]`
for a number, `Literal[...]` for a choice of words, `bool` for yes or no, `Text` for words,
`Numbers` for a handful of numbers, `Drawing` for a drawn picture, `Place` for a click in the
plane, `Pick` for a click on a thing. A control that is `live` can be turned while the run goes
on: its new value comes to the generator as the value of its `yield`. A control with `when`, as
`"source=typed|drawing;show=heads"`, is seen only while others say so; it counts all the same.
"""

from __future__ import annotations

import difflib
import inspect
import json
import math
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass

Value = float | str | bool | list[float]

_Function = typing.TypeVar("_Function", bound=Callable[..., object])


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _numbers(value: object, length: int, low: float, high: float) -> str | None:
    ok = (
        isinstance(value, list | tuple)
        and len(value) == length
        and all(_number(one) and low <= one <= high for one in value)
    )
    return None if ok else f"must be {length} numbers in [{low:g}, {high:g}]; got {value!r:.80}"


@dataclass(frozen=True, slots=True)
class Slider:
    """A number in `[low, high]`; a whole one when its default is whole.

    Attributes:
        log: Whether equal moves are equal ratios.
        unit: Shown after the label in brackets; empty for a pure number.
        help: One sentence: what turning it up does.
        live: Whether it may be turned while the run goes on.
        group: Under which heading it stands with others; empty for the front row.
    """

    low: float
    high: float
    log: bool = False
    unit: str = ""
    help: str = ""
    live: bool = False
    when: str = ""
    group: str = ""

    def refuse(self, value: object) -> str | None:
        """Why a value is no good, or None."""
        if not _number(value):
            return f"must be a number; got {value!r:.80}"
        if not self.low <= typing.cast("float", value) <= self.high:
            return f"must lie in [{self.low:g}, {self.high:g}]; got {value!r:.80}"
        return None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    options: tuple[str, ...]
    help: str = ""
    live: bool = False
    when: str = ""
    group: str = ""

    def refuse(self, value: object) -> str | None:
        """Why a value is no good, or None."""
        if value in self.options:
            return None
        near = difflib.get_close_matches(str(value), self.options, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"must be one of {', '.join(self.options)}; got {value!r:.80}{hint}"


@dataclass(frozen=True, slots=True)
class Several:
    """Some of a few words, with commas between: `"loss,accuracy"`; none is an empty text.

    Attributes:
        hints: A sentence for each word, or none.
    """

    options: tuple[str, ...]
    help: str = ""
    live: bool = False
    group: str = ""
    hints: tuple[str, ...] = ()

    def refuse(self, value: object) -> str | None:
        """Why a value is no good, or None."""
        if not isinstance(value, str):
            return f"must be words with commas between; got {value!r:.80}"
        for word in value.split(","):
            if word and word not in self.options:
                return Choice(self.options).refuse(word)
        return None


@dataclass(frozen=True, slots=True)
class Toggle:
    """Yes or no."""

    help: str = ""
    live: bool = False
    when: str = ""
    group: str = ""

    def refuse(self, value: object) -> str | None:
        """Why a value is no good, or None."""
        return None if isinstance(value, bool) else f"must be true or false; got {value!r:.80}"


@dataclass(frozen=True, slots=True)
class Text:
    """Words typed by the visitor."""

    longest: int = 200
    help: str = ""
    live: bool = False
    when: str = ""
    group: str = ""

    def refuse(self, value: object) -> str | None:
        """Why a value is no good, or None."""
        if not isinstance(value, str):
            return f"must be text; got {value!r:.80}"
        if len(value) > self.longest:
            return f"must have at most {self.longest} characters; got {len(value)}"
        return None


@dataclass(frozen=True, slots=True)
class Numbers:
    """A handful of numbers, for instance a matrix row by row or the bars of a distribution.

    Attributes:
        length: How many.
        names: What each is called; empty numbers them.
        across: How many stand side by side.
    """

    length: int
    low: float
    high: float
    names: tuple[str, ...] = ()
    across: int = 4
    help: str = ""
    live: bool = False
    when: str = ""
    group: str = ""

    def refuse(self, value: object) -> str | None:
        """Why a value is no good, or None."""
        return _numbers(value, self.length, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A grey picture drawn with mouse or finger: rows one after the other, each pixel in [0, 1].

    An empty list stands for nothing drawn yet.

    Attributes:
        centre: Whether it is offered to move what is drawn to the middle, as digits are.
    """

    rows: int = 28
    columns: int = 28
    help: str = ""
    live: bool = True
    when: str = ""
    centre: bool = True

    def refuse(self, value: object) -> str | None:
        """Why a value is no good, or None."""
        return None if value == [] else _numbers(value, self.rows * self.columns, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Place:
    """A point `[x, y]` of the plane, chosen by a click in the view of the slot `slot`.

    There may be several slots, with spaces between them.
    """

    extent: tuple[float, float, float, float]
    slot: str
    help: str = ""
    live: bool = True
    when: str = ""

    def refuse(self, value: object) -> str | None:
        """Why a value is no good, or None."""
        left, right, bottom, top = self.extent
        if reason := _numbers(value, 2, min(left, bottom), max(right, top)):
            return reason
        x, y = typing.cast("list[float]", value)
        inside = left <= x <= right and bottom <= y <= top
        return None if inside else f"must lie inside {self.extent}; got {value!r:.80}"


@dataclass(frozen=True, slots=True)
class Pick:
    """The number of the tile, bar, cell (row by row), token or node clicked in the slot `slot`.

    There may be several slots, with spaces between them.

    Attributes:
        none: Whether nothing may be chosen, which is -1.
    """

    count: int
    slot: str
    help: str = ""
    live: bool = True
    when: str = ""
    none: bool = False
    group: str = ""

    def refuse(self, value: object) -> str | None:
        """Why a value is no good, or None."""
        whole, low = isinstance(value, int) and not isinstance(value, bool), -self.none
        if whole and low <= typing.cast("int", value) < self.count:
            return None
        return f"must be a whole number in [{low}, {self.count - 1}]; got {value!r:.80}"


Control = Slider | Choice | Several | Toggle | Text | Numbers | Drawing | Place | Pick


@dataclass(frozen=True)
class Form:
    """What a function lets a visitor choose.

    Attributes:
        owner: Whose form it is, for error messages.
        controls: Parameter -> control, in the order of the signature.
        defaults: Parameter -> default.
    """

    owner: str
    controls: Mapping[str, Control]
    defaults: Mapping[str, Value]

    @classmethod
    def of(cls, function: Callable[..., object], owner: str) -> Form:
        """The form of a function: its parameters that have a default and a control.

        Keyword parameters annotated otherwise (a generator, a folder) are not for visitors and
        must begin with an underscore or be named in no form; a default without a control is a
        mistake.

        Raises:
            TypeError: A parameter with a default has no control.
        """
        if isinstance(known := getattr(function, "form", None), cls):
            return known
        hints = typing.get_type_hints(function, include_extras=True)
        given = inspect.signature(function).parameters.values()
        chosen = [p for p in given if p.default is not p.empty and p.default is not None]
        return cls(
            owner=owner,
            controls={p.name: _control(owner, p.name, hints.get(p.name)) for p in chosen},
            defaults={p.name: p.default for p in chosen},
        )

    def fill(self, params: Mapping[str, object]) -> dict[str, Value]:
        """The defaults with `params` laid over them.

        Raises:
            ValueError: A name no control has, or a value its control refuses.
        """
        return {**self.defaults, **self.accept(params)}

    def accept(self, params: Mapping[str, object]) -> dict[str, Value]:
        """`params`, each held against its control.

        Raises:
            ValueError: A name no control has, or a value its control refuses.
        """
        accepted: dict[str, Value] = {}
        for name, value in params.items():
            if name not in self.controls:
                near = difflib.get_close_matches(name, self.controls, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise ValueError(f"{self.owner} has no parameter {name!r:.80}{hint}")
            if reason := self.controls[name].refuse(value):
                raise ValueError(f"{self.owner}: {name} {reason}")
            whole = isinstance(self.defaults[name], int) and isinstance(value, float)
            accepted[name] = (
                int(typing.cast("float", value)) if whole else typing.cast("Value", value)
            )
        return accepted

    def live(self) -> dict[str, Control]:
        """The controls that may be turned while a run goes on."""
        return {name: control for name, control in self.controls.items() if control.live}

    def to_json(self) -> list[dict[str, object]]:
        """The form as plain data, a control an entry, for browsers and command lines."""
        return [
            {
                "name": name,
                "kind": type(control).__name__,
                "default": self.defaults[name],
                "whole": isinstance(self.defaults[name], int)
                and not isinstance(self.defaults[name], bool),
                **asdict(control),
            }
            for name, control in self.controls.items()
        ]


def formed(choices: Callable[..., object]) -> Callable[[_Function], _Function]:
    """Give the decorated function the form of a data class whose fields carry controls.

    The function takes the values as `**chosen`.
    """

    def wrap(function: _Function) -> _Function:
        setattr(function, "form", Form.of(choices, function.__name__))  # noqa: B010 - none yet
        return function

    return wrap


def parse(words: Iterable[str]) -> dict[str, Value]:
    """Settings from a command line: `["rate=0.3", "surface=bowl"]`; values are JSON or plain words.

    Raises:
        ValueError: A word has no `=`.
    """
    settings: dict[str, Value] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            raise ValueError(f"settings: must be written name=value; got {word!r:.80}")
        try:
            settings[name] = json.loads(text)
        except json.JSONDecodeError:
            settings[name] = text
    return settings


def _control(owner: str, name: str, hint: object) -> Control:
    for extra in getattr(hint, "__metadata__", ()):
        if isinstance(extra, Control):
            return extra
    if typing.get_origin(hint) is typing.Literal:
        return Choice(typing.get_args(hint))
    if hint is bool:
        return Toggle()
    raise TypeError(f"{owner}: {name} needs a control, a Literal or bool; got {hint!r}")
