"""Tables of named functions: data sets, explainers, attacks, samplers, optimizers, ...

A table belongs to a package; every module of that package may add functions to it, and all of
them are imported at the first look-up, so adding an entry is adding a function or a file.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.forms import Form

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Entry:
    """A function of a table.

    Attributes:
        name: What it is asked for by.
        function: The function itself.
        help: The first sentence of its docstring.
        source: Where it comes from, from the line `Source:` of its docstring; may be empty.
        facts: What else the table says of it.
    """

    name: str
    function: Callable[..., Any]
    help: str
    source: str
    facts: Mapping[str, Any]

    @functools.cached_property
    def form(self) -> Form:
        """What a visitor can choose."""
        return Form.of(self.function, self.name)

    @functools.cached_property
    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        """Everything the function takes."""
        return inspect.signature(self.function).parameters

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        """Call the function with its form's defaults and the settings laid over them."""
        extras = {k: v for k, v in settings.items() if k not in self.form.controls}
        chosen = {k: v for k, v in settings.items() if k in self.form.controls}
        for name in extras:
            if name not in self._parameters:
                self.form.accept({name: extras[name]})  # raises, naming the nearest parameter
        return self.function(*arguments, **self.form.fill(chosen), **extras)

    def to_json(self) -> dict[str, object]:
        """The entry as plain data."""
        facts = {
            k: v for k, v in self.facts.items() if isinstance(v, str | int | float | list | dict)
        }
        return {
            "name": self.name,
            "help": self.help,
            "source": self.source,
            "form": self.form.to_json(),
            **facts,
        }


class Table:
    """Named functions of one kind.

    Args:
        what: One entry in a word, for messages: `"attack"`.
        package: Where the modules with the entries are: `"engine.attack"`.
    """

    def __init__(self, what: str, package: str) -> None:
        self.what = what
        self._package = package
        self._entries: dict[str, Entry] = {}
        self._complete = False

    def add(self, name: str, **facts: Any) -> Callable[[_Function], _Function]:
        """Put the decorated function into the table under `name`.

        Raises:
            ValueError: The name is taken.
        """

        def wrap(function: _Function) -> _Function:
            if name in self._entries:
                raise ValueError(f"there are two entries {name!r} in the table of {self.what}s")
            text = inspect.getdoc(function) or ""
            _, _, source = text.partition("Source: ")
            first = " ".join(text.partition("\n\n")[0].split())
            self._entries[name] = Entry(name, function, first, " ".join(source.split()), facts)
            return function

        return wrap

    def all(self) -> dict[str, Entry]:
        """Name -> entry, in the order of the modules and of their lines."""
        if not self._complete:
            home = importlib.import_module(self._package)
            for module in pkgutil.iter_modules(home.__path__):
                importlib.import_module(f"{self._package}.{module.name}")
            self._complete = True
        return dict(self._entries)

    def find(self, name: str) -> Entry:
        """The entry of that name.

        Raises:
            LookupError: There is none; says which is near.
        """
        entries = self.all()
        if name in entries:
            return entries[name]
        near = difflib.get_close_matches(name, entries, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(entries)}"
        raise LookupError(f"no {self.what} {name!r:.80}; {hint}")

    def to_json(self) -> list[dict[str, object]]:
        """The whole table as plain data."""
        return [entry.to_json() for entry in self.all().values()]


def listing(table: str) -> list[dict[str, object]]:
    """The table at `"package.module:name"` as plain data; for processes that do not import it."""
    module, _, name = table.partition(":")
    found: Table = getattr(importlib.import_module(module), name)
    return found.to_json()


def form_in(table: str, name: str) -> Form:
    """The form of an entry of the table at `"package.module:name"`, for the same processes."""
    module, _, attribute = table.partition(":")
    found: Table = getattr(importlib.import_module(module), attribute)
    return found.find(name).form
