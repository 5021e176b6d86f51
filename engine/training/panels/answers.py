"""What the network says of validation samples: how often, how wrong, how sure."""

from __future__ import annotations

import numpy as np
import torch

from engine.data.dataset import IGNORED
from engine.training.panels import Memory, looking, outputs, panels
from engine.training.session import Session
from engine.views import Matrix, Points, Table, Tiles, Tokens, View

MOST_NUMBERED = 20  # classes of a confusion whose cells say their numbers
WORST = 16
CLOUD = 500  # samples of an embedding


@panels.add("confusion", place=5, shown=True, slow=True)
def confusion(session: Session, memory: Memory) -> View | None:
    """Which classes are taken for which."""
    del memory
    if not session.classifies:
        return None
    newest = session.full or session.judged
    classes = session.data.classes
    if newest is None:
        return Matrix(np.zeros((len(classes),) * 2))
    return Matrix(
        newest.confusion.numpy().astype(np.float64),
        rows=classes,
        columns=classes,
        xlabel="predicted",
        ylabel="true",
        numbers=len(classes) <= MOST_NUMBERED,
        title=f"{newest.samples:,} validation samples at step {newest.step:,}",
    )


@panels.add("text", place=6, shown=True, slow=True)
def text(session: Session, memory: Memory) -> View | None:
    """The first validation sample's answers, each with the chance the network gave it."""
    del memory
    data = session.data
    if not data.per_place or not data.vocabulary:
        return None
    x, y = data.valid_x[:1], data.valid_y[0]
    with looking(session) as module:
        chances = module(*data.inputs(x))[0].softmax(-1)  # (places, classes)
    judged = y != IGNORED
    sure = chances.gather(1, y.clamp(min=0)[:, None])[:, 0]
    pairs = zip(y.tolist(), judged.tolist(), strict=True)
    wanted = [data.classes[answer] if counts else "–" for answer, counts in pairs]
    return Tokens(
        tuple(wanted),
        torch.where(judged, sure, 0.0).numpy().astype(np.float64),
        title="how likely it held each right answer, of one validation sample",
    )


@panels.add("mistakes", place=10, shown=False, slow=True)
def mistakes(session: Session, memory: Memory) -> View | None:
    """The samples it was surest about, and wrong."""
    del memory
    data = session.data
    if not session.classifies or data.train_y.ndim > 1:
        return None
    if data.kind not in ("image", "table", "plane"):
        return None
    x, y = data.valid_x[:1000], data.valid_y[:1000]
    with looking(session) as module:
        chances = module(*data.inputs(x)).softmax(1)
    sure, said = chances.max(1)
    wrong = (said != y).nonzero()[:, 0]
    worst = wrong[sure[wrong].argsort(descending=True)][:WORST]
    told = [
        f"{data.classes[int(said[i])]} ({100 * float(sure[i]):.0f} %), is {data.classes[int(y[i])]}"
        for i in worst
    ]
    if data.kind == "image" and len(worst):
        images = x[worst]
        colour = images.permute(0, 2, 3, 1).clamp(0, 1) if images.shape[1] == 3 else images.mean(1)
        return Tiles(colour.numpy().copy(), tuple(told), title="surest mistakes")
    rows: list[tuple[str | float | bool, ...]] = [
        (f"sample {int(i)}", words, *(round(float(v), 3) for v in x[i].flatten()[:6]))
        for i, words in zip(worst, told, strict=True)
    ]
    columns = data.features[:6] or tuple(f"x{k + 1}" for k in range(min(6, x[0].numel())))
    return Table(("which", "said", *columns), tuple(rows), title="surest mistakes")


@panels.add("embedding", place=11, shown=False, slow=True)
def embedding(session: Session, memory: Memory) -> View | None:
    """The last hidden layer's view of the samples, its two widest directions (PCA).

    Source: Pearson (1901), On lines and planes of closest fit to systems of points in space.
    """
    del memory
    data = session.data
    if not session.classifies or data.train_y.ndim > 1:
        return None
    found = list(outputs(session, data.valid_x[:CLOUD]).values())
    if len(found) < 2:
        return None
    hidden = found[-2].flatten(1).float()
    centred = hidden - hidden.mean(0)
    if centred.shape[1] < 2 or not bool(centred.isfinite().all()):
        return None
    _, strength, axes = torch.linalg.svd(centred, full_matrices=False)
    share = 100 * strength[:2].square() / strength.square().sum().clamp_min(1e-12)
    axes = axes[:2] * axes[:2].sum(1, keepdim=True).sign()  # an axis has no sign: keep it steady
    return Points(
        (centred @ axes.T).numpy(),
        data.valid_y[:CLOUD].numpy().astype(np.int32),
        names=data.classes,
        xlabel=f"first direction ({share[0]:.0f} % of the variance)",
        ylabel=f"second ({share[1]:.0f} %)",
        title="validation samples as the last hidden layer sees them",
    )
