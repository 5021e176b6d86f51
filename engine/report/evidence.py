"""What a kept model shows when it is asked again: its curves, confusions, mistakes, its plane."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import torch
from safetensors.torch import load_file

from engine.data import load
from engine.models.kept import read_json
from engine.network.spec import NetworkSpec
from engine.store.folder import KeptRun
from engine.store.measured import history
from engine.training.checkpoint import fit
from engine.training.panels import panels
from engine.training.run import begin
from engine.training.session import Session
from engine.training.settings import Settings
from engine.views import Points, Tiles, View

CURVES = ("loss", "accuracy", "rate")
ANSWERS = ("surface", "confusion", "mistakes", "text")


def shown(run: KeptRun, folder: Path) -> dict[str, View]:
    """Panel -> what it shows of the model as it is kept; those that make sense.

    Raises:
        LookupError: Its data are not on this machine.
        ValueError: Network, data and weights do not fit each other any more; says where.
    """
    if not (folder / "weights.safetensors").is_file():
        raise LookupError("it has no weights yet")
    if not (folder / "spec.json").is_file():
        return _generated(folder)
    session = _session(run, folder)
    found: dict[str, View] = {}
    for name in (*CURVES, *ANSWERS):
        view = panels.find(name).function(session, {})
        if view is not None and not (name in CURVES and not session.history.steps):
            found[name] = _still(view)
    return found


def _still(view: View) -> View:
    """The view without the invitation to click, which paper does not take."""
    return replace(view, title=re.sub(r"\s*\(click[^)]*\)", "", view.title))


def _session(run: KeptRun, folder: Path) -> Session:
    """The training as it was left; of a model that was not trained here, as if at its beginning."""
    known = {one.name for one in fields(Settings)}
    settings = Settings(**{k: v for k, v in run.settings.items() if k in known})
    if not run.data:
        raise LookupError("it is not known for which data it is")
    session = begin(NetworkSpec.parse(read_json(folder / "spec.json")), load(run.data), settings)
    if not session.restore(folder):
        fit(session.module, load_file(folder / "weights.safetensors"), "weights.safetensors")
    if session.full is None:
        session.judged = session.full = session.judge(len(session.data.valid_x))
    return session


def _generated(folder: Path) -> dict[str, View]:
    """A generative model: what was measured of it, and samples."""
    from engine.generate.kept import open_kept
    from engine.generate.panels.samples import tiles

    past = history(folder)
    lines = list(past.lines) if past and past.steps else []
    found: dict[str, View] = {name: past.curve([name], name) for name in lines if past}
    model, recipe = open_kept(folder)
    outline, title = recipe.outline, "samples"
    if outline.given:
        return found  # it makes samples from other ones, which are not here
    with torch.inference_mode():
        count, classes = (1000 if outline.plane else 36), len(outline.classes)
        labels = torch.arange(count) % classes if classes else None
        made = model.sample(count, torch.Generator().manual_seed(0), labels)
    if outline.plane:
        found[title] = Points(made.numpy(), extent=outline.extent, equal=True, title=title)
    else:
        found[title] = Tiles(tiles(made), title=title, across=6)
    return found
