"""What a training can show: `panel(session, memory) -> view`, or None where it makes no sense.

`memory` is a dictionary of the panel's own that lives as long as the run is watched. An entry's
facts: `place`, its number in the order of the page; `shown`, whether it is there at first; `slow`,
whether it changes only with the judgements of the network (and is drawn anew only then); `share`,
the part of the time that drawing it may take, for what takes long; `clicked`, whether it is drawn
only while something has been clicked for it, whose number is `memory["number"]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from engine.tables import Table
from engine.training.session import Session
from engine.views import View

panels = Table("panel", "engine.training.panels")

Memory = dict[str, Any]
Panel = Callable[[Session, Memory], View | None]

SAMPLES = 64  # validation samples on which activations are looked at
MOST_LAYERS = 8  # that one picture tells apart
NONE = -1  # nothing is clicked


def in_order() -> tuple[str, ...]:
    """The names of all panels as they stand on the page."""
    return tuple(sorted(panels.all(), key=lambda name: float(panels.find(name).facts["place"])))


def clicked() -> tuple[str, ...]:
    """The panels that show what was clicked elsewhere; each has a control of its name."""
    return tuple(name for name in in_order() if panels.find(name).facts.get("clicked"))


def offered() -> tuple[str, ...]:
    """The panels that a visitor may ask for."""
    return tuple(name for name in in_order() if not panels.find(name).facts.get("clicked"))


def hints() -> tuple[str, ...]:
    """What each of those shows, in a sentence."""
    return tuple(panels.find(name).help for name in offered())


@contextmanager
def looking(session: Session) -> Iterator[nn.Module]:
    """The network in eval mode, without gradients; afterwards it learns on."""
    session.module.eval()
    with torch.inference_mode():
        yield session.module
    session.module.train()


def weighty(module: nn.Module) -> dict[str, list[nn.Parameter]]:
    """Layer -> its own parameters, for layers that have any."""
    owned = {name: list(part.parameters(recurse=False)) for name, part in module.named_modules()}
    return {name: own for name, own in owned.items() if own}


def outputs(session: Session, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Layer -> what it gives for samples `x`, in the order of their turn."""
    found: dict[str, torch.Tensor] = {}
    called = {part: name for name, part in session.module.named_modules()}

    def note(part: nn.Module, _: object, out: object) -> None:
        if isinstance(out, torch.Tensor):
            found[called[part]] = out

    leaves = [part for part in session.module.modules() if not any(part.children())]
    hooks = [part.register_forward_hook(note) for part in leaves]
    try:
        with looking(session) as module:
            module(*session.data.inputs(x))
    finally:
        for hook in hooks:
            hook.remove()
    return found
