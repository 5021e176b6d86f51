"""What a kept model shows when it is asked again: its curves, confusions, mistakes, its plane."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from safetensors.torch import load_file

from engine.data import load
from engine.models.kept import read_json
from engine.network.spec import NetworkSpec
from engine.store.folder import KeptRun
from engine.training.checkpoint import fit
from engine.training.panels import panels
from engine.training.run import begin
from engine.training.session import Session
from engine.training.settings import Settings
from engine.views import View

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
    session = _session(run, folder)
    found: dict[str, View] = {}
    for name in (*CURVES, *ANSWERS):
        view = panels.find(name).function(session, {})
        if view is not None and not (name in CURVES and not session.history.steps):
            found[name] = view
    return found


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
