"""Networks to begin with: every module here may define functions marked with `@template`."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.network.spec import NetworkSpec
from engine.network.words import nearest


@dataclass(frozen=True)
class Template:
    """A network to begin with.

    Attributes:
        name: What it is asked for by: `"resnet18"`, the function's name with - for _.
        title: What people call it.
        family: Under what heading it is listed.
        help: The first sentence of the function's docstring.
        parameters: How many numbers it learns by its source, or None where none says.
        source: Where that is published.
        data: The embedded data set it can be trained on, or "".
        make: Gives its spec.
    """

    name: str
    title: str
    family: str
    help: str
    parameters: int | None
    source: str
    data: str
    make: Callable[[], NetworkSpec]

    @functools.cached_property
    def spec(self) -> NetworkSpec:
        """The network itself."""
        return self.make().model_copy(update={"title": self.title})

    def to_json(self) -> dict[str, object]:
        """What a list of templates shows of it; the network not included."""
        return {
            "name": self.name,
            "title": self.title,
            "family": self.family,
            "help": self.help,
            "parameters": self.parameters,
            "source": self.source,
            "data": self.data,
        }


_found: dict[str, Template] = {}


def template(
    *, title: str, family: str, source: str, parameters: int | None = None, data: str = ""
) -> Callable[[Callable[[], NetworkSpec]], Callable[[], NetworkSpec]]:
    """Offer the decorated function's network as a template; see `Template` for the arguments."""

    def wrap(make: Callable[[], NetworkSpec]) -> Callable[[], NetworkSpec]:
        name = make.__name__.replace("_", "-")
        if name in _found:
            raise ValueError(f"there are two templates {name!r}")
        text = inspect.getdoc(make) or ""
        help = " ".join(text.partition("\n\n")[0].split())
        _found[name] = Template(name, title, family, help, parameters, source, data, make)
        return make

    return wrap


@functools.cache
def _import_all() -> None:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")


def templates() -> Mapping[str, Template]:
    """Name -> template, in the order of the modules and of their lines."""
    _import_all()
    return MappingProxyType(_found)


def find(name: str) -> Template:
    """The template of that name.

    Raises:
        LookupError: There is none; says which is near.
    """
    known = templates()
    if name not in known:
        raise LookupError(f"there is no template {name!r:.80}{nearest(name, known)}")
    return known[name]


def listing() -> list[dict[str, object]]:
    """All templates as plain data, the networks not included."""
    return [{**one.to_json(), "trainable": bool(one.data)} for one in templates().values()]


def spec_of(name: str) -> dict[str, object]:
    """The network of a template as plain data; see `find` for a wrong name."""
    return find(name).spec.to_json()
