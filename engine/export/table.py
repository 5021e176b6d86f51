"""What a network can be taken home as: each file of `engine.export.formats` adds some."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engine.network.build import Network, build
from engine.network.spec import NetworkSpec
from engine.network.words import nearest


@dataclass
class Wanted:
    """What is to be taken home.

    Attributes:
        spec: The network.
        settings: Of its training, with `data`; see `engine.export.script`.
        weights: A safetensors file, or None for first weights.
    """

    spec: NetworkSpec
    settings: Mapping[str, Any] = field(default_factory=dict)
    weights: Path | None = None

    def network(self) -> Network:
        """The network with its weights, in eval mode.

        Raises:
            ValueError: It does not work, or the weights do not fit it.
        """
        import torch

        from engine.export.weights import load

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self.settings.get("seed", 0)))
            made = build(self.spec)
        if self.weights is not None:
            load(made, self.weights)
        return made.eval()


@dataclass(frozen=True)
class Format:
    """A form that a network can take.

    Attributes:
        name: What it is asked for by.
        title: What people call it.
        file: Name of the file it becomes.
        media: Its type in HTTP.
        help: One sentence.
        holds: Whether weights go into it.
        place: Those with small numbers come first in lists.
        make: The content.
    """

    name: str
    title: str
    file: str
    media: str
    help: str
    holds: bool
    place: int
    make: Callable[[Wanted], bytes]

    def to_json(self) -> dict[str, object]:
        """What a list shows of it."""
        names = ("name", "title", "file", "media", "help", "holds")
        return {name: getattr(self, name) for name in names}


_found: dict[str, Format] = {}


def export_format(
    title: str, file: str, media: str, *, place: int, name: str = "", holds: bool = False
) -> Callable[[Callable[[Wanted], bytes]], Callable[[Wanted], bytes]]:
    """Offer what the decorated function makes; its docstring's first line is the help."""

    def wrap(make: Callable[[Wanted], bytes]) -> Callable[[Wanted], bytes]:
        key = name or make.__name__.replace("_", "-")
        if key in _found:
            raise ValueError(f"there are two formats {key!r}")
        help = (make.__doc__ or "").partition("\n")[0]
        _found[key] = Format(key, title, file, media, help, holds, place, make)
        return make

    return wrap


@functools.cache
def _import_all() -> None:
    home = importlib.import_module("engine.export.formats")
    for info in pkgutil.iter_modules(home.__path__):
        importlib.import_module(f"{home.__name__}.{info.name}")


def formats() -> Mapping[str, Format]:
    """Name -> format."""
    _import_all()
    return MappingProxyType(_found)


def find(name: str) -> Format:
    """The format of that name.

    Raises:
        LookupError: There is none; says which is near.
    """
    if name not in formats():
        raise LookupError(f"there is no format {name!r:.80}{nearest(name, formats())}")
    return formats()[name]


def listing() -> list[dict[str, object]]:
    """Every format, as plain data."""
    return [one.to_json() for one in sorted(formats().values(), key=lambda one: one.place)]


def take_home(
    name: str,
    spec: Mapping[str, Any],
    settings: Mapping[str, Any] | None = None,
    weights: str | None = None,
) -> dict[str, Any]:
    """A network in a format, for pages: `{"content": bytes, "file", "media"}`.

    Raises:
        LookupError: There is no such format.
        ValueError: The network has no such form; says why.
    """
    made = find(name)
    path = Path(weights) if weights else None
    wanted = Wanted(NetworkSpec.parse(spec), settings or {}, path)
    return {"content": made.make(wanted), "file": made.file, "media": made.media}
