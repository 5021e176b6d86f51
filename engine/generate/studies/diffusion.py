"""Sample a diffusion model step by step: every moment, its formula, guidance, and repair."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, get_args

from engine.forms import Choice, Drawing, Pick, Slider, Text, Value
from engine.generate.diffusion.desk import Desk, Wish
from engine.generate.diffusion.path import Spacing
from engine.generate.kept import open_kept
from engine.generate.samplers import samplers
from engine.views import Frame

Task = Literal["sample", "fill in", "to noise and back"]
USUAL = "as trained"


def study(
    model: str,
    *,
    task: Annotated[
        Task,
        Choice(
            get_args(Task),
            help="Make new samples; complete what is partly known; or take data up to their noise "
            "and down again",
            live=True,
        ),
    ] = "sample",
    label: Annotated[
        str, Text(80, live=True, help="The class that is made; any: all in turn")
    ] = "any",
    moment: Annotated[
        int, Slider(0, 100, unit="%", live=True, help="Later on the way from noise to samples")
    ] = 100,
    sampler: Annotated[
        str, Choice((USUAL, *samplers.all()), live=True, help="The rule by which a step is taken")
    ] = USUAL,
    steps: Annotated[
        int, Slider(1, 200, log=True, live=True, help="Smaller steps, closer to the truth")
    ] = 30,
    eta: Annotated[
        float,
        Slider(0.0, 1.0, live=True, when="sampler=ddim", help="More fresh noise: 1 is DDPM"),
    ] = 0.0,
    guidance: Annotated[
        float,
        Slider(0.0, 8.0, live=True, help="0: not told the class; 1: told; more: exaggerated"),
    ] = 1.0,
    guide: Annotated[
        Literal["classifier-free", "classifier"],
        Choice(
            ("classifier-free", "classifier"),
            live=True,
            group="More",
            help="Who tells the class: the model itself, or the slope of a classifier",
        ),
    ] = "classifier-free",
    spacing: Annotated[
        Spacing,
        Choice(get_args(Spacing), live=True, group="More", help="Where the steps are small"),
    ] = "even",
    again: Annotated[
        int,
        Slider(
            1, 10, live=True, when="task=fill in", help="Each step is repeated: parts fit better"
        ),
    ] = 3,
    drawing: Annotated[
        list[float],
        Drawing(
            28,
            28,
            when="task=fill in",
            centre=False,
            help="Paint what the model shall fill in (images); empty: the right half",
        ),
    ] = [],  # noqa: B006 - never changed
    sample: Annotated[
        int,
        Slider(0, 99, live=True, when="task=fill in|to noise and back", help="Another true sample"),
    ] = 0,
    points: Annotated[
        int, Slider(100, 4000, log=True, live=True, group="More", help="More points (plane)")
    ] = 2000,
    pictures: Annotated[
        int, Slider(1, 64, live=True, group="More", help="More pictures (images)")
    ] = 16,
    seed: Annotated[int, Slider(0, 999, live=True, help="Other noise")] = 0,
    picked: Annotated[
        int, Pick(4000, "samples expected", help="The image that the film strip shows")
    ] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Sample anew at every turn of a control; scrub through the way; wait.

    Args:
        model: The folder of a trained run, or the name of a ready model.
        task: What is done.
        label: The class, by name; any other word: all in turn.
        moment: Where on the way the pictures are [%].
        sampler: Name of a sampler, or the model's usual one.
        steps: How many steps.
        eta: Of DDIM.
        guidance: Its weight.
        guide: Whose.
        spacing: Of the levels.
        again: How often each step of filling in is taken.
        drawing: The mask: ink where the model shall fill in.
        sample: Number of the true sample that is completed or encoded.
        points: How many, for the plane.
        pictures: How many, for images.
        seed: Of the noise.
        picked: Number of the image whose way is shown.

    Yields:
        Now and then a frame while it samples; the last one waits.
    """
    wish = Wish(
        task=task,
        label=label,
        moment=moment,
        sampler="" if sampler == USUAL else sampler,
        steps=steps,
        eta=eta,
        guidance=guidance,
        guide=guide,
        spacing=spacing,
        again=again,
        drawing=tuple(drawing),
        sample=sample,
        points=points,
        pictures=pictures,
        seed=seed,
        picked=picked,
    )
    desk = Desk(*open_kept(model))
    while True:
        changes: Mapping[str, Any] | None = None
        for frame in desk.frames(wish):
            changes = yield frame
            if changes:
                break
        wish = _changed(wish, changes or {})


def _changed(wish: Wish, changes: Mapping[str, Any]) -> Wish:
    """The wish with some controls turned."""
    turned = dict(changes)
    if turned.get("sampler") == USUAL:
        turned["sampler"] = ""
    if "drawing" in turned:
        turned["drawing"] = tuple(turned["drawing"])
    return replace(wish, **turned)
