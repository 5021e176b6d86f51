"""Train a generative model as a run that can be watched, steered and interrupted."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Annotated, Any

from engine.forms import Drawing, Several, Slider, Toggle, Value
from engine.generate.families import families
from engine.generate.kept import Recipe
from engine.generate.learner import Learner
from engine.generate.pairs import pairs
from engine.generate.panels import in_order
from engine.generate.pictured import Pictures, standard
from engine.generate.source import Source, open_source
from engine.generate.targets.shapes import heart
from engine.store.files import write_json
from engine.views import Yielded

SAVE_EVERY = 4.0  # seconds between checkpoints: at most so many are lost

Watched = Generator[Yielded, Mapping[str, Value] | None, None]


def train(
    family: str,
    data: str,
    *,
    own: Mapping[str, Any] | None = None,
    networks: Mapping[str, Any] | None = None,
    folder: Path | None = None,
    title: str | None = None,
    learning_rate: Annotated[
        float, Slider(1e-5, 0.1, log=True, live=True, help="Longer steps")
    ] = 0.001,
    batch_size: Annotated[int, Slider(8, 1024, log=True, help="Smoother, slower steps")] = 128,
    steps: Annotated[int, Slider(50, 100_000, log=True, help="Longer training")] = 3000,
    seed: Annotated[int, Slider(0, 9999, help="Other first weights, other batches")] = 0,
    settle: Annotated[
        bool,
        Toggle(help="The learning rate sinks to 0 over the second half, and all comes to rest"),
    ] = True,
    drawing: Annotated[
        list[float],
        Drawing(28, 28, centre=False, help="Draw the density; it may change while it is learnt"),
    ] = list(heart()),  # noqa: B006, B008 - never changed
    panels: Annotated[
        str, Several(in_order(), live=True, group="Pictures", help="What is drawn meanwhile")
    ] = standard(),
) -> Watched:
    """Train a generative model; show its samples, what it knows, and how good it is.

    Args:
        family: Name of a family of models.
        data: A distribution of the plane, or a data set of images.
        own: The family's settings.
        networks: Part -> NetworkSpec in JSON, for parts that are the visitor's own.
        folder: Where the model is kept; a checkpoint found there is gone on from.
        title: What the model is called.
        learning_rate: Length of a step.
        batch_size: Samples of one step.
        steps: How many steps.
        seed: Fixes first weights, batches and noise.
        settle: Whether the learning rate sinks to 0 over the second half.
        drawing: For the data `drawn`, what is drawn at first.
        panels: What is shown, with commas between.

    Yields:
        After every step a function that makes its frame.

    Raises:
        LookupError: There is no such family, or no such data.
        ValueError: A setting is refused, or family and data do not fit; says what to do.
        Diverged: A loss stopped being finite.
    """
    source = open_source(data, drawing)
    ink = tuple(drawing) if data == "drawn" else ()
    recipe = fitting(family, source, own or {}, networks or {}, ink, title or "")
    training = {"learning_rate": learning_rate, "batch_size": batch_size, "steps": steps}
    training |= {"seed": seed, "settle": settle}
    recipe = Recipe(**{**vars(recipe), "training": training})
    learner = Learner(source, recipe, steps, batch_size, learning_rate, seed, settle)
    if folder is not None:
        learner.restore(folder)
        write_json(folder / "settings.json", {"family": family, "data": data, **recipe.training})
    yield from _go(learner, Pictures(learner, panels), folder)


def fitting(
    family: str,
    source: Source,
    own: Mapping[str, Any],
    networks: Mapping[str, Any],
    ink: tuple[float, ...] = (),
    title: str = "",
) -> Recipe:
    """The recipe of a model of a family for a source.

    Raises:
        ValueError: They do not fit, or a setting is refused; says what to do.
    """
    entry = families.find(family)
    where, words = ("plane", "points") if source.outline.plane else ("images", "images")
    if not entry.facts[where]:
        other = "images" if where == "plane" else "a distribution of the plane"
        raise ValueError(f"{family}: does not learn {words}; choose {other}")
    if entry.facts["labelled"] and source.labels is None:
        raise ValueError(f"{family}: needs classes, and {source.name} has none; choose other data")
    translates = entry.facts["kind"] == "translation"
    if translates != bool(source.outline.given):
        other = f"pairs, such as {', '.join(pairs.all())}" if translates else "one kind of sample"
        raise ValueError(f"{family}: does not learn from {source.name}; choose {other}")
    if entry.facts.get("matched") and not source.matched:
        raise ValueError(
            f"{family}: needs samples that belong together; those of {source.name} do not"
        )
    known = entry.facts["parts"]
    for name in networks:
        if name not in known:
            raise ValueError(f"{family}: has no part {name!r:.80}; it has {', '.join(known)}")
    chosen = entry.form.fill(own)
    called = title or f"{entry.facts['title']} on {source.name.partition('?')[0]}"
    return Recipe(family, source.name, source.outline, chosen, networks, title=called, ink=ink)


def _go(learner: Learner, pictures: Pictures, folder: Path | None) -> Watched:
    saved = -SAVE_EVERY  # so the first step is saved: a run can be resumed from there
    if learner.finished:
        yield pictures.frame
    while not learner.finished:
        learner.advance()
        if folder is not None and (learner.finished or time.monotonic() - saved > SAVE_EVERY):
            learner.save(folder)
            saved = time.monotonic()
        if changes := (yield pictures.frame):
            pictures.shown = str(changes.get("panels", pictures.shown))
            if drawn := changes.get("drawing"):
                learner.turn_to(open_source(learner.source.name, drawn), tuple(drawn))  # type: ignore[arg-type] # a Drawing's
            if "learning_rate" in changes:
                learner.change(float(changes["learning_rate"]))  # type: ignore[arg-type] # a Slider's
