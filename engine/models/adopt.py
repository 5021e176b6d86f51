"""A network that no training here has made, kept like one that was: imported, or untrained."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from engine.data import DataSet, load
from engine.data.dataset import IGNORED
from engine.models.kept import load as load_kept
from engine.models.layout import lay_out
from engine.network.build import build
from engine.network.spec import NetworkSpec
from engine.store.files import write_json
from engine.store.home import run_folder
from engine.training.checkpoint import fit, write_weights

Origin = Literal["first", "imported", "edited"]

SAMPLE = 256  # validation samples it is judged on


def adopt(
    spec: Mapping[str, Any] | NetworkSpec,
    weights: Mapping[str, np.ndarray] | Mapping[str, torch.Tensor] | None = None,
    data: str = "",
    seed: int = 0,
    origin: Origin | None = None,
    parent: str = "",
) -> str:
    """Keep a network in a folder of its own, as a training does, for all pages to look at.

    Args:
        spec: How it is built.
        weights: What it has learnt elsewhere, `ID.weight -> array`; None for the first weights
            that a training with this seed would begin with.
        data: Name of the data set it is for; left aside where the two do not fit.
        seed: Fixes the first weights.
        origin: Where the weights are from, if the arguments do not tell.
        parent: The kept model whose weights they were.

    Returns:
        The id under which `engine.store.home.run_folder` finds it; cannot be guessed.

    Raises:
        ValueError: The network does not work, or the weights do not fit it; says where.
    """
    parsed = NetworkSpec.parse(spec)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module: nn.Module = build(parsed)
    if weights is not None:
        fit(module, {name: torch.as_tensor(one) for name, one in weights.items()}, "weights")
    lay_out(module).eval()
    samples = _fitting(parsed, module, data)
    folder = run_folder(id := secrets.token_urlsafe(16))
    folder.mkdir(parents=True)
    write_weights(folder, module)
    write_json(folder / "spec.json", parsed.to_json())
    write_json(folder / "settings.json", {"data": data if samples else "", "seed": seed})
    origin = origin or ("first" if weights is None else "imported")
    told = _summary(module, samples, origin)
    write_json(folder / "summary.json", {**told, **({"parent": parent} if parent else {})})
    return id


def go_on(run: str, spec: Mapping[str, Any], data: str = "") -> str:
    """Keep what a run has learnt for a network that differs in what is cut or frozen only.

    Args:
        run: Id of a kept model.
        spec: The network now; its weights have the names and shapes of the run's.
        data: Name of the data set it is for.

    Returns:
        The id of the new kept model; the old one stays.
    """
    learnt = load_kept(run_folder(run)).module.state_dict()
    return adopt(spec, learnt, data, origin="edited", parent=run)


def _fitting(spec: NetworkSpec, module: nn.Module, name: str) -> DataSet | None:
    """The data set, if the network takes its samples and gives as many numbers as it has."""
    inputs = [tuple(n.params.get("shape", ())) for n in spec.nodes if n.type == "Input"]
    if not name:
        return None
    try:
        samples = load(name)
    except (LookupError, ValueError):
        return None  # its files are not on this machine
    if inputs != list(samples.shapes):
        return None
    with torch.inference_mode():
        given = module(*samples.inputs(samples.valid_x[:2]))
    wanted = (2, *samples.answer)
    return samples if isinstance(given, torch.Tensor) and tuple(given.shape) == wanted else None


def _summary(module: nn.Module, samples: DataSet | None, origin: Origin) -> dict[str, object]:
    """What pages say of it; `origin` tells that it has not been trained here."""
    told: dict[str, object] = {
        "origin": origin,
        "parameters": sum(p.numel() for p in module.parameters()),
        "steps": 0,
        "epochs": 0,
        "finished": True,
        "classes": [],
    }
    if samples is None:
        return told
    x, y = samples.valid_x[:SAMPLE], samples.valid_y[:SAMPLE]
    with torch.inference_mode():
        scores = module(*samples.inputs(x))
    if samples.task == "classification":
        judged = y != IGNORED
        right = (scores.argmax(1 if samples.per_pixel else -1) == y)[judged]
        score = {"accuracy": right.float().mean().item()}
    else:
        spread = samples.train_y.var(dim=0, correction=0).mean()
        score = {"R²": (1 - functional.mse_loss(scores, y) / spread).item()}
    known: dict[str, object] = {
        "data": samples.name,
        "task": samples.task,
        "classes": list(samples.classes),
    }
    if samples.vocabulary:
        known |= {"vocabulary": list(samples.vocabulary), "parts": list(samples.parts)}
    return {**told, **known, **score, "samples": len(x)}
