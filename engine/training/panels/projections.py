"""The last hidden layer's view of the validation samples, laid out in the plane."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from engine.training.panels import Memory, outputs, panels
from engine.training.session import Session
from engine.views import Array, Points, View

CLOUD = 500  # samples
FEWER = 240  # of the slow ones
PERPLEXITY = 20.0  # about how many neighbours each sample has
TURNS = 500  # of t-SNE: half of them under early exaggeration
SHARE = 0.1  # of the time


@panels.add("embedding", place=11, shown=False, slow=True)
def embedding(session: Session, memory: Memory) -> View | None:
    """The last hidden layer's view of the samples, its two widest directions (PCA).

    Source: Pearson (1901), On lines and planes of closest fit to systems of points in space.
    """
    del memory
    hidden = _hidden(session, CLOUD)
    if hidden is None:
        return None
    places, share = _widest(hidden)
    return Points(
        places,
        _labels(session, len(hidden)),
        names=session.data.classes,
        xlabel=f"first direction ({share[0]:.0f} % of the variance)",
        ylabel=f"second ({share[1]:.0f} %)",
        title="validation samples as the last hidden layer sees them",
    )


@panels.add("t-SNE", place=11.1, shown=False, slow=True, share=SHARE)
def tsne(session: Session, memory: Memory) -> View | None:
    """The same, bent so that neighbours stay neighbours; distances between groups mean nothing.

    Source: van der Maaten & Hinton (2008), Visualizing data using t-SNE.
    """
    from sklearn.manifold import TSNE

    hidden = _hidden(session, FEWER)
    if hidden is None or len(hidden) < 3 * PERPLEXITY:
        return None
    begin = memory.get("places")
    if begin is None:
        begin = _widest(hidden)[0]
    begin = begin / max(1e-12, float(begin[:, 0].std())) * 1e-4  # the spread it wants to begin with
    how: dict[str, Any] = {"init": begin}  # places are taken, too, whatever its stub says
    learner = TSNE(perplexity=PERPLEXITY, max_iter=TURNS, random_state=0, **how)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of scikit-learn's own future, and of identical samples
        memory["places"] = learner.fit_transform(hidden.numpy())
    return _bent(session, memory["places"], f"t-SNE, perplexity {PERPLEXITY:.0f}")


def _umap(session: Session, memory: Memory) -> View | None:
    """The same by UMAP, which keeps more of the whole.

    Source: McInnes, Healy & Melville (2018), UMAP: uniform manifold approximation and projection.
    """
    from umap import UMAP  # pyright: ignore[reportMissingImports] # only if somebody installed it

    hidden = _hidden(session, FEWER)
    if hidden is None:
        return None
    begin = memory.get("places")
    if begin is None:
        begin = _widest(hidden)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a fixed seed makes it work on one core
        memory["places"] = UMAP(init=begin, random_state=0).fit_transform(hidden.numpy())
    return _bent(session, memory["places"], "UMAP")


if find_spec("umap"):
    panels.add("UMAP", place=11.2, shown=False, slow=True, share=SHARE)(_umap)


def _hidden(session: Session, most: int) -> torch.Tensor | None:
    """What the last hidden layer gives, `(samples, units)`; None where there is no such thing."""
    data = session.data
    if not session.classifies or data.train_y.ndim > 1:
        return None
    found = list(outputs(session, data.valid_x[:most]).values())
    if len(found) < 2:
        return None
    hidden = found[-2].flatten(1).float()
    usable = hidden.shape[1] > 1 and bool(hidden.isfinite().all())
    return hidden if usable else None


def _widest(hidden: torch.Tensor) -> tuple[Array, list[float]]:
    """Places along the two widest directions, `(samples, 2)`, and their parts of the variance."""
    centred = hidden - hidden.mean(0)
    _, strength, axes = torch.linalg.svd(centred, full_matrices=False)
    share = 100 * strength[:2].square() / strength.square().sum().clamp_min(1e-12)
    axes = axes[:2] * axes[:2].sum(1, keepdim=True).sign()  # an axis has no sign: keep it steady
    return (centred @ axes.T).numpy(), share.tolist()


def _labels(session: Session, count: int) -> Array:
    return session.data.valid_y[:count].numpy().astype(np.int32)


def _bent(session: Session, places: Array, how: str) -> Points:
    return Points(
        places.astype(np.float64),
        _labels(session, len(places)),
        names=session.data.classes,
        title=f"validation samples, neighbours together ({how})",
    )
