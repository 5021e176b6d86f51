"""A Stable-Diffusion-class pipeline from a folder, its image step by step."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Annotated, Any

import numpy as np

from engine.forms import Slider, Text, Value
from engine.generate.pipeline import Stage, open_pipeline, stages
from engine.store.home import models
from engine.views import Array, Frame, Note, Tiles, View

LARGEST = 512  # rows and columns of an image
SHOWN = 4  # channels of a latent


def study(
    folder: str,
    *,
    prompt: Annotated[str, Text(300, live=True, help="What shall be seen")] = "a red ring",
    steps: Annotated[int, Slider(1, 50, live=True, help="Smaller steps; takes longer")] = 10,
    guidance: Annotated[
        float, Slider(1.0, 15.0, live=True, help="Closer to the words, less varied")
    ] = 7.5,
    rows: Annotated[int, Slider(16, LARGEST, log=True, live=True, help="A larger image")] = 256,
    seed: Annotated[int, Slider(0, 9999, live=True, help="Other noise")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Make an image of words; show its latent after every step; wait for a control.

    Args:
        folder: Where the pipeline lies; or its name below `PLAYGROUND_MODELS`.
        prompt: What shall be seen.
        steps: How many.
        guidance: Weight of classifier-free guidance.
        rows: Rows and columns of the image [pixel], rounded to a multiple of 8.
        seed: Of the noise.

    Yields:
        A frame for every image, which waits.

    Raises:
        LookupError: There is no such folder.
        ValueError: It cannot be opened; says why and what to do.
    """
    pipeline = open_pipeline(models() / folder)  # a whole path stands for itself
    wish: dict[str, Any] = {
        "prompt": prompt,
        "steps": steps,
        "guidance": guidance,
        "rows": rows,
        "seed": seed,
    }
    while True:
        wish |= (yield _frame(pipeline, **wish)) or {}


def _frame(
    pipeline: Any, *, prompt: str, steps: int, guidance: float, rows: int, seed: int
) -> Frame:
    side = max(8, rows // 8 * 8)
    walk = stages(pipeline, prompt, steps=steps, guidance=guidance, seed=seed, size=(side, side))
    found = list(walk)
    image = found[-1].image
    views: dict[str, View] = {
        "samples": Tiles(np.asarray(image, dtype=np.float32)[None], (prompt,), title="the image"),
        "strip": _strip(found),
        "step": Note(
            f"**{len(found)}** steps of **{type(pipeline.scheduler).__name__}** on a latent of "
            f"{tuple(found[-1].latent.shape)} numbers, then decoded to {side} × {side} pixels.",
            title="how it was made",
        ),
    }
    return Frame(len(found), len(found), views, {"steps": float(len(found))}, waits=True)


def _strip(found: list[Stage]) -> Tiles:
    """The latent's channels after some of the steps."""
    places = np.unique(np.linspace(0, len(found) - 1, 8).round().astype(int))
    some = [found[place] for place in places]
    maps: Array = np.concatenate(
        [np.stack([one.latent[channel].numpy() for one in some]) for channel in range(SHOWN)]
    )
    words = tuple(f"channel {c + 1}, step {one.step}" for c in range(SHOWN) for one in some)
    return Tiles(maps, words, across=len(some), title="the latent, channel by channel")
