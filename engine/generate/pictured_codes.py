"""Pictures of codes: where samples lie among them, what comes back, and how much each unit says."""

from __future__ import annotations

import numpy as np
import torch

from engine.generate.families.quantised import Quantised
from engine.generate.families.variational import Variational
from engine.generate.model import Generative, Labels, Outline
from engine.generate.panels.samples import tiles
from engine.views import Bars, Points, Tiles, View

SILENT = 0.05  # nat below which a unit says nothing of its sample


def units(model: Generative, x: torch.Tensor, labels: Labels = None) -> torch.Tensor | None:
    """How much each number of a code says: its KL [nat] for a VAE, else its variance, `(latent,)`.

    None where there are no codes.
    """
    with torch.no_grad():
        if isinstance(model, Variational):
            return model.posterior(x, labels).divergence().mean(0)
        codes = model.encode(x, labels)
    return None if codes is None else codes.var(0)


def busiest(model: Generative, x: torch.Tensor, labels: Labels = None) -> tuple[int, int] | None:
    """The two units that say most, as an x- and a y-axis; one twice where there is but one."""
    told = units(model, x, labels)
    if told is None:
        return None
    best = sorted(told.topk(min(2, len(told))).indices.tolist())
    return best[0], best[-1]


def latent_map(
    model: Generative,
    x: torch.Tensor,
    labels: Labels,
    axes: tuple[int, int],
    *,
    here: tuple[float, float] | None = None,
    scale: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> Points | None:
    """Where samples lie along two numbers of their codes, coloured by class; a cross at `here`.

    With a `scale`, middle and deviation of every number, they are shown in deviations from there.
    """
    with torch.no_grad():
        codes = model.encode(x, labels if model.conditional else None)
    if codes is None:
        return None
    if scale is not None:
        codes = (codes - scale[0]) / scale[1]
    along = codes[:, list(axes)]
    if codes.shape[1] == 1:  # spread over a second axis only to be seen
        draw = torch.Generator().manual_seed(0)
        along = torch.cat([codes, 0.3 * torch.randn(len(codes), 1, generator=draw)], 1)
    lines = {}
    if here is not None:
        arm, (a, b) = 0.25, here
        lines["here"] = np.array(
            [[a - arm, b], [a + arm, b], [np.nan, np.nan], [a, b - arm], [a, b + arm]]
        )
    return Points(
        along.numpy(),
        np.zeros(0, np.int32) if labels is None else labels.numpy().astype(np.int32),
        () if labels is None else model.outline.classes,
        lines=lines,
        equal=True,
        xlabel=f"unit {axes[0] + 1}",
        ylabel=f"unit {axes[1] + 1}" if codes.shape[1] > 1 else "spread to be seen",
        title="codes of true samples",
    )


def unit_bars(model: Generative, x: torch.Tensor, labels: Labels = None) -> Bars | None:
    """KL of each unit of a VAE: those near 0 say nothing, whatever the sample."""
    if not isinstance(model, Variational):
        return None
    told = units(model, x, labels)
    if told is None:
        return None
    active = int((told > SILENT).sum())
    return Bars(
        tuple(str(number + 1) for number in range(len(told))),
        {"KL": told.double().numpy()},
        xlabel="unit of the code",
        ylabel="KL [nat]",
        level={"silent below": SILENT},
        title=f"how much each unit says: {active} of {len(told)} are active",
    )


def word_bars(model: Generative, x: torch.Tensor) -> Bars | None:
    """How often each entry of a codebook is used."""
    if not isinstance(model, Quantised):
        return None
    with torch.no_grad():
        words = model.words(x).flatten()
    count = len(model.book.entries)
    share = torch.bincount(words, minlength=count).double() / len(words)
    used = int((share > 0).sum())
    perplexity = float((-(share * share.clamp_min(1e-12).log()).sum()).exp())
    return Bars(
        tuple(str(number) for number in range(count)),
        {"share": share.numpy()},
        xlabel="entry of the book",
        ylabel="how often",
        title=f"{used} of {count} entries used, as if {perplexity:.1f} were used evenly",
    )


def rebuilt(model: Generative, x: torch.Tensor, labels: Labels = None) -> torch.Tensor | None:
    """Samples through their codes and back, like x; None without codes, or without a way back."""
    told = labels if model.conditional else None
    with torch.no_grad():
        codes = model.encode(x, told)
        return None if codes is None else model.decode(codes, told)


def pairs(x: torch.Tensor, back: torch.Tensor, outline: Outline, words: str = "came back") -> View:
    """Samples and what came of them: rows of images in turn, or points joined by lines."""
    if outline.plane:
        joined = torch.stack([x, back, torch.full_like(x, torch.nan)], 1).flatten(0, 1)
        which = np.repeat(np.arange(2, dtype=np.int32), [len(x), len(back)])
        return Points(
            torch.cat([x, back]).numpy(),
            which,
            ("true", words),
            lines={"from one to the other": joined[:600].numpy()},
            extent=outline.extent,
            equal=True,
            title=f"true points, and what {words}",
        )
    across = 8
    rows = []
    for one, other in zip(x.split(across), back.split(across), strict=True):
        rows += [one, other]
    return Tiles(
        tiles(torch.cat(rows)), across=across, title=f"true images, and below each what {words}"
    )
