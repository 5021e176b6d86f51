"""From `"package.module:name"` and settings to a generator that can begin; used by workers."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.forms import Form
from engine.views import Yielded

Steps = Generator[Yielded, Mapping[str, Any] | None, None]


@dataclass(frozen=True)
class Opened:
    """A run about to begin.

    Attributes:
        steps: Its generator, not advanced yet.
        form: What its visitors can choose.
        live: The controls that may be turned while it goes on, and where they stand.
    """

    steps: Steps
    form: Form
    live: dict[str, Any]

    def turn(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The changes, each held against its live control.

        Raises:
            ValueError: A name no live control has, or a value its control refuses.
        """
        live = self.form.live()
        for name in changes:
            if name in self.form.controls and name not in live:
                raise ValueError(
                    f"{self.form.owner}: {name} cannot be turned while the run goes on; "
                    "start again with it"
                )
        return dict(self.form.accept(changes))


def resolve(entry: str) -> Callable[..., Any]:
    """The function or lab that `"package.module:name"` names.

    Raises:
        LookupError: There is no such module or name in it.
    """
    module, _, name = entry.partition(":")
    try:
        return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise  # the module is there; something that it needs is not
        raise LookupError(f"no module {module!r:.120} to run {entry!r:.120} from") from error
    except AttributeError as error:
        raise LookupError(f"no {name!r:.80} in the module {module!r:.120}") from error


def form_of(entry: str) -> Form:
    """What an entry lets a visitor choose.

    Raises:
        LookupError: There is no such entry.
    """
    function = resolve(entry)
    form = getattr(function, "form", None)
    return form if isinstance(form, Form) else Form.of(function, entry.rpartition(":")[2])


def opened(
    entry: str, settings: Mapping[str, Any], folder: Path, free: Callable[[], bool]
) -> Opened:
    """Look the entry up and hold the settings against its form and its signature.

    Args:
        entry: What to run.
        settings: Its controls and other parameters.
        folder: For an entry with a parameter of that name.
        free: Likewise; tells whether its steps need not be shown one by one.

    Raises:
        LookupError: There is no such entry.
        ValueError: A setting is missing, unknown or refused.
    """
    function, form = resolve(entry), form_of(entry)
    chosen = form.fill({k: v for k, v in settings.items() if k in form.controls})
    rest = {k: v for k, v in settings.items() if k not in form.controls}
    plain = _plain(function, form)
    given = {"folder": folder, "free": free}
    rest |= {name: value for name, value in given.items() if name in plain}
    _match(form, plain, rest)
    steps = function(**chosen, **rest)
    if not isinstance(steps, Generator):
        raise TypeError(f"{entry} must return a generator of frames; got {type(steps).__name__}")
    return Opened(steps, form, {name: chosen[name] for name in form.live()})


def _plain(function: Callable[..., Any], form: Form) -> dict[str, bool]:
    """The parameters that are no controls -> whether a value must be given."""
    if not inspect.isroutine(function):
        return {}  # a lab: all it takes are controls
    parameters = inspect.signature(function).parameters.values()
    own = [p for p in parameters if p.name not in form.controls and p.kind is not p.VAR_KEYWORD]
    return {p.name: p.default is p.empty for p in own}


def _match(form: Form, plain: Mapping[str, bool], given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in plain:
            near = difflib.get_close_matches(name, [*form.controls, *plain], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{form.owner} has no setting {name!r:.80}{hint}")
    for name, needed in plain.items():
        if needed and name not in given:
            raise ValueError(f"{form.owner} needs the setting {name!r}")
