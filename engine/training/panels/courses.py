"""How weights, activations and gradients are spread in each layer, over the steps of the run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from engine.training.panels import MOST_LAYERS, SAMPLES, Memory, outputs, panels, weighty
from engine.training.session import Session
from engine.training.spreads import MOST, Spreads
from engine.views import Tiles, View

ROWS, COLUMNS = 32, 64  # of a layer's picture


@panels.add("weights over time", place=13.5, shown=False)
def weights(session: Session, memory: Memory) -> View | None:
    """How each layer's weights are spread, from the step on at which this is first shown."""
    return _course(session, memory, "weights", _weights)


@panels.add("activations over time", place=14.5, shown=False)
def activations(session: Session, memory: Memory) -> View | None:
    """Likewise what each layer gives, over some validation samples."""
    return _course(session, memory, "activations", _activations)


@panels.add("gradients over time", place=15.5, shown=False)
def gradients(session: Session, memory: Memory) -> View | None:
    """Likewise each layer's gradient at the last step."""
    return _course(session, memory, "gradients", _gradients)


Named = dict[str, torch.Tensor]


def _course(
    session: Session, memory: Memory, kind: str, look: Callable[[Session], Named]
) -> View | None:
    """A picture a layer, its columns steps, its rows values; drawn anew when a step was kept."""
    kept = session.spreads.setdefault(kind, Spreads(every=max(1, session.steps // MOST)))
    if kept.due(session.step):
        found = list(look(session).items())
        kept.add(session.step, dict(found[:: max(1, -(-len(found) // MOST_LAYERS))]))
    elif "view" in memory:
        view: View = memory["view"]
        return view
    if not kept.ends:
        return None
    drawn = {name: kept.picture(name, ROWS, COLUMNS) for name in kept.ends}
    drawing = Tiles(
        np.stack([picture for picture, _, _ in drawn.values()]),
        tuple(f"{name}: {low:.2g} to {high:.2g}" for name, (_, low, high) in drawn.items()),
        scale="sequential",
        title=f"{kind}: values upwards, steps {kept.steps[0]:,} to {kept.steps[-1]:,} rightwards",
    )
    memory["view"] = drawing
    return drawing


def _weights(session: Session) -> Named:
    named = {name: own[0].detach() for name, own in weighty(session.module).items()}
    return {name: one for name, one in named.items() if one.ndim > 1}


def _activations(session: Session) -> Named:
    found = outputs(session, session.data.valid_x[:SAMPLES])
    return {name: out for name, out in found.items() if out.ndim > 1}


def _gradients(session: Session) -> Named:
    return {
        name: own[0].grad
        for name, own in weighty(session.module).items()
        if own[0].grad is not None and own[0].ndim > 1
    }
