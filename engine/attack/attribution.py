"""What an attack does to the reasons: attributions of the input before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import torch

from engine.attack.arena import (
    ANY,
    BUDGETS,
    Arena,
    Drawn,
    Epsilon,
    Length,
    Method,
    Pixels,
    Sample,
    Seed,
    Source,
    Target,
    Total,
    Turn,
    Yours,
    badges,
)
from engine.attack.honesty import sheet
from engine.attack.pictures import bars, tiles, told
from engine.attack.steered import Steered, steered
from engine.explain.table import explainers
from engine.forms import Choice
from engine.tables import Entry
from engine.views import Frame, Note, Table, View

Explainer = Annotated[str, Choice(tuple(explainers.all()), help="How to explain", live=True)]


def attribution(
    model: str,
    *,
    method: Method = "pgd",
    epsilon: Epsilon = 0.1,
    length: Length = 1.5,
    total: Total = 15.0,
    pixels: Pixels = 1,
    degrees: Turn = 20.0,
    first: Explainer = "integrated_gradients",
    second: Explainer = "gradcam",
    source: Source = "test sample",
    sample: Sample = 0,
    drawing: Drawn = [],  # noqa: B006 - read only
    yours: Yours = "",
    target: Target = ANY,
    seed: Seed = 0,
) -> Steered:
    """Attack the input and explain both answers with the same methods; wait for a control.

    Args:
        model: The folder of a trained model.
        method: The attack; its budget is the next five, by its norm.
        epsilon: For L-infinity.
        length: For L2.
        total: For L1.
        pixels: For L0.
        degrees: For the spatial attack.
        first: A method of the Explain page.
        second: Another.
        source: Whether a sample, the drawing or `yours` is attacked.
        sample: Its number.
        drawing: Grey levels in [0, 1], row by row.
        yours: What the visitor brought.
        target: The class to be taken for, or `any other`.
        seed: For attacks that draw random numbers.

    Yields:
        A frame after each explanation; the last one waits.
    """
    desk = _Desk(Arena(model))
    controls = {
        "method": method,
        "epsilon": epsilon,
        "length": length,
        "total": total,
        "pixels": pixels,
        "degrees": degrees,
        "first": first,
        "second": second,
        "source": source,
        "sample": sample,
        "drawing": drawing,
        "yours": yours,
        "target": target,
        "seed": seed,
    }
    yield from steered(desk.frames, controls)


class _Desk:
    def __init__(self, arena: Arena) -> None:
        self._arena = arena

    def frames(self, controls: Mapping[str, Any]) -> Iterator[Frame]:
        """Frames with one explainer more each; the last one waits."""
        arena = self._arena
        try:
            duel = arena.duel(controls)
            outcome = arena.attack(duel, float(controls[BUDGETS[duel.norm]]))
        except (ValueError, LookupError, RuntimeError) as error:
            yield Frame(1, 1, {"notes": Note(str(error), tone="warning")}, {}, waits=True)
            return
        checks = badges(arena, duel, outcome, float(controls[BUDGETS[duel.norm]]))
        both = torch.cat([duel.x, outcome.x])
        with torch.no_grad():
            chances = arena.module(both).softmax(1)
        said = chances.argmax(1)
        words = [told(arena.kept, one) for one in chances]
        names = list(dict.fromkeys((controls["first"], controls["second"])))
        maps, captions, rows = list[torch.Tensor](), list[str](), list[tuple[str, float]]()
        refused: list[str] = []
        for done, name in enumerate(names, start=1):
            try:
                found = _explain(explainers.find(name), arena, both, said)
            except (ValueError, LookupError, RuntimeError) as error:
                refused.append(str(error))
            else:
                maps += [found[:1], found[1:]]
                captions += [f"{name}, before", f"{name}, after"]
                rows.append((name, _alike(found)))
            views: dict[str, View] = {
                "images": tiles(both, (f"before: {words[0]}", f"after: {words[1]}"), across=2),
                "maps": tiles(
                    torch.cat(maps) if maps else 0 * both,
                    captions,
                    scale="signed",
                    shared=False,
                    across=2,
                    title="what spoke for the answer (blue) and against it (orange)",
                ),
                "chances": bars(arena.kept, {"before": chances[0], "after": chances[1]}, "chance"),
                "alike": Table(("method", "cosine of both maps"), tuple(rows), title="how alike"),
                "badges": sheet([(duel.entry.name, badge) for badge in checks]),
                "notes": self._words(refused, flipped=outcome.flipped),
            }
            facts = {"flipped": float(outcome.flipped)}
            facts |= {f"likeness, {name}": value for name, value in rows}
            yield Frame(done, len(names), views, facts, waits=done == len(names))

    def _words(self, refused: list[str], *, flipped: bool) -> Note:
        if refused:
            return Note("\n\n".join(refused), title="What does not fit", tone="warning")
        return Note(
            "Each map explains the answer that is given there. "
            + (
                "The answer has flipped: compare where the reasons went."
                if flipped
                else "The answer still holds; see how far the reasons have moved already."
            )
        )


def _explain(entry: Entry, arena: Arena, both: torch.Tensor, said: torch.Tensor) -> torch.Tensor:
    """The maps of both inputs, like them; each for its own answer."""
    own = {"seed": 0} if "seed" in entry.form.controls else {}
    # by the kept network, whose layers the CAM methods look for
    x = arena.box.outward(both)
    maps: torch.Tensor = entry(arena.kept.module, x, said, **own)
    return maps


def _alike(maps: torch.Tensor) -> float:
    """The cosine between both maps: 1 for the same, 0 for unrelated."""
    one, other = maps.flatten(1)
    return float(torch.nn.functional.cosine_similarity(one, other, dim=0))
