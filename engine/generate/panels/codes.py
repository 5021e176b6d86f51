"""What a model with codes knows while it learns: maps, reconstructions, units, words."""

from __future__ import annotations

import numpy as np
import torch

from engine.generate import pictured_codes
from engine.generate.families.autoencoder import Denoising
from engine.generate.families.flow import Flow
from engine.generate.families.variational import Variational
from engine.generate.learner import Learner
from engine.generate.panels import panels
from engine.views import Points, View

SHOWN = 600
IMAGES = 24


@panels.add("reconstructions", place=13, shown=True)
def reconstructions(learner: Learner, memory: dict[str, object]) -> View | None:
    """True samples beside what their codes bring back."""
    del memory
    model, source = learner.model, learner.source
    if isinstance(model, Flow):
        return None  # it brings back everything, always
    x = source.held[: 150 if source.outline.plane else IMAGES]
    labels = None if source.held_labels is None else source.held_labels[: len(x)]
    model.eval()
    if isinstance(model, Denoising):
        noisy = model.disturb(x, torch.Generator().manual_seed(0))
        with torch.no_grad():
            view = pictured_codes.pairs(noisy, model.clean(noisy), source.outline, "was cleaned")
        model.train()
        return view
    back = pictured_codes.rebuilt(model, x, labels)
    model.train()
    return None if back is None else pictured_codes.pairs(x, back, source.outline)


@panels.add("latent map", place=14, shown=True)
def latent_map(learner: Learner, memory: dict[str, object]) -> View | None:
    """Where true samples lie among the codes, by class."""
    del memory
    model, source = learner.model, learner.source
    x = source.held[:SHOWN]
    labels = None if source.held_labels is None else source.held_labels[: len(x)]
    model.eval()
    told = labels if model.conditional else None
    axes = pictured_codes.busiest(model, x, told)
    view = None if axes is None else pictured_codes.latent_map(model, x, labels, axes)
    model.train()
    return view


@panels.add("what units say", place=15, shown=True)
def unit_bars(learner: Learner, memory: dict[str, object]) -> View | None:
    """KL of each unit of a code: the silent ones say nothing."""
    del memory
    source = learner.source
    x = source.held[:SHOWN]
    labels = None if source.held_labels is None else source.held_labels[: len(x)]
    return pictured_codes.unit_bars(learner.model, x, labels if learner.model.conditional else None)


@panels.add("codebook", place=16, shown=True)
def codebook(learner: Learner, memory: dict[str, object]) -> View | None:
    """How often each entry of the book is used."""
    del memory
    return pictured_codes.word_bars(learner.model, learner.source.held[:SHOWN])


@panels.add("rate and distortion", place=17, shown=False)
def rate_distortion(learner: Learner, memory: dict[str, object]) -> View | None:
    """The way through the plane of what codes cost and what they lose; β says where it ends.

    Source: Alemi et al. (2018), Fixing a Broken ELBO.
    """
    del memory
    if not isinstance(learner.model, Variational):
        return None
    lines = learner.history.lines
    terms = (lines.get("rate [nat]", []), lines.get("reconstruction [nat]", []))
    way = np.array(terms, dtype=np.float64).T * (1, -1)
    way = way[np.isfinite(way).all(1)].reshape(-1, 2)
    return Points(
        way[-1:],
        lines={"so far": way},
        xlabel="rate: what a code says [nat]",
        ylabel="distortion: what is lost [nat]",
        title="rate and distortion; the ELBO is minus their sum",
    )
