"""Exchange tokens of a text until a trained model reads it otherwise, as a run for a page."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
import torch

from engine.attack.text.methods.flips import promises
from engine.attack.text.table import answers, reader, text_attacks, text_fooled
from engine.attack.watch import counted, recorded
from engine.data.tokens import NOTHING, decode, encode, shown
from engine.explain.table import calm
from engine.forms import Choice, Slider, Text, Value
from engine.models.inputs import Samples
from engine.models.kept import Kept, load
from engine.views import Bars, Curve, Frame, Note, Tokens, View

Method = Annotated[str, Choice(tuple(text_attacks.all()), help="How to attack", live=True)]


def study(
    model: str,
    *,
    method: Method = "hotflip",
    flips: Annotated[int, Slider(0, 10, live=True, help="More tokens may be exchanged")] = 2,
    sample: Annotated[int, Slider(0, 9999, live=True, help="Another test sample")] = 0,
    text: Annotated[
        str, Text(400, live=True, help="A text of your own; empty takes the test sample")
    ] = "",
    seed: Annotated[int, Slider(0, 999, live=True, help="Other random draws")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Show the text before and after, what the model says to both, and wait for a control.

    What these methods are for: to understand and harden one's own models.

    Args:
        model: The folder of a run that trained on text.
        method: An attack of the table.
        flips: How many tokens may be exchanged.
        sample: Number of a validation sample.
        text: A text of one's own.
        seed: For the attack that draws.

    Yields:
        One frame that waits for each setting of the controls.

    Raises:
        ValueError: The model does not read one text; says so.
    """
    kept = load(model)
    if not kept.vocabulary or kept.summary.get("parts"):
        raise ValueError("attack on text: needs a model that was trained on a single text")
    samples = Samples(kept)
    controls: dict[str, Any] = {
        "method": method,
        "flips": flips,
        "sample": sample,
        "text": text,
        "seed": seed,
    }
    while True:
        try:
            frame = _frame(kept, *_given(kept, samples, controls), controls)
        except (ValueError, LookupError) as error:
            note = Note(str(error), tone="warning")
            empty: dict[str, View] = {"before": Tokens(()), "after": Tokens(()), "notes": note}
            frame = Frame(1, 1, empty, {}, waits=True)
        controls.update((yield frame) or {})


def _given(
    kept: Kept, samples: Samples, controls: Mapping[str, Any]
) -> tuple[torch.Tensor, torch.Tensor]:
    """The text, `(1, length)`, and what it is to be led away from, `(1,)`."""
    own = str(controls["text"])
    if own.strip():
        numbers = encode(own, kept.vocabulary)[: kept.shape[0]]
        fill = kept.vocabulary.index(NOTHING) if NOTHING in kept.vocabulary else None
        missing = kept.shape[0] - len(numbers)
        if missing and fill is None:
            raise ValueError(
                f"text: the model reads {kept.shape[0]} tokens; got {len(numbers)}: write "
                f"{missing} more"
            )
        x = torch.tensor([numbers + [fill] * missing], dtype=torch.int64)
        given_label = None
    else:
        given = samples.choose("test sample", int(controls["sample"]), [])
        x, given_label = given.x, given.label
    with torch.no_grad():
        said = answers(kept.module, x).argmax(1)
    return x, said if given_label is None else torch.tensor([given_label])


def _frame(kept: Kept, x: torch.Tensor, y: torch.Tensor, controls: Mapping[str, Any]) -> Frame:
    module, entry = kept.module, text_attacks.find(str(controls["method"]))
    settings: dict[str, Any] = {"flips": int(controls["flips"])}
    if "seed" in entry.form.controls:
        settings["seed"] = int(controls["seed"])
    filler = [kept.vocabulary.index(NOTHING)] if NOTHING in kept.vocabulary else []
    with recorded(module) as path, counted(module) as cost:
        found = entry(module, x, y, protected=filler, **settings)
    changed = (found != x)[0]
    with torch.no_grad(), calm(module):
        before, after = (answers(module, z)[0].softmax(0).numpy() for z in (x, found))
        ways = [path[0].x, *(b.x for a, b in pairwise(path) if not torch.equal(a.x, b.x))]
        along = [answers(module, way)[0].softmax(0)[y].item() for way in ways]
    flipped = bool(text_fooled(module, found, y))
    names = tuple(shown(kept.name(output)) for output in range(len(before)))
    own, new = names[int(before.argmax())], names[int(after.argmax())]
    words = f"“{own}” becomes “{new}”" if own != new else f"The answer stays “{own}”"
    how = f"{int(changed.sum())} of {len(changed)} tokens exchanged."
    views: dict[str, View] = {
        "before": Tokens(_words(kept, x), _weights(module, x, y), title="before: what counts"),
        "after": Tokens(_words(kept, found), changed.float().numpy(), title="after: exchanged"),
        "scores": Bars(names, {"before": before, "after": after}, ylabel="chance"),
        "curve": Curve(
            np.arange(len(along), dtype=float),
            {"of the first answer": np.array(along)},
            xlabel="exchanges",
            ylabel="chance",
            dots=True,
        ),
        "notes": Note(f"{words}. {how}", tone="bad" if flipped else "good"),
    }
    facts = {
        "flipped": float(flipped),
        "tokens exchanged": float(changed.sum()),
        "texts asked": float(cost.forwards),
        "gradients": float(cost.backwards),
    }
    return Frame(1, 1, views, facts, waits=True)


def _words(kept: Kept, x: torch.Tensor) -> tuple[str, ...]:
    return tuple(shown(decode([int(token)], kept.vocabulary)) for token in x[0])


def _weights(module: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> np.ndarray:
    """How much the best exchange at each place promises, the largest being one."""
    with calm(module):
        promise = promises(module, reader(module, x), x, y, targeted=False)[0].amax(1)
    size: np.ndarray = (promise / promise.abs().max().clamp_min(1e-12)).clamp_min(0).numpy()
    return size
