"""Membership inference: was this sample in the training set?"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from engine.attack.privacy.detection import advantage, auc, caught_at, roc
from engine.attack.privacy.table import privacy_attacks
from engine.data import DataSet
from engine.data import load as load_data
from engine.explain.table import calm
from engine.forms import Slider, Value
from engine.models.kept import load
from engine.network.build import build
from engine.network.spec import NetworkSpec
from engine.views import Array, Curve, Frame, Histogram, Note, View

BATCH = 64
RATE = 0.003
TINY = 1e-7
MUCH = 0.6  # area above which a model is said to know its samples by heart
USUAL_EPOCHS, MOST_EPOCHS = 5, 200


@privacy_attacks.add("membership", steals="who was in the training set", needs="model")
def membership(
    model: str,
    *,
    samples: Annotated[int, Slider(20, 2000, log=True, help="Judges more samples")] = 300,
    shadows: Annotated[int, Slider(0, 32, help="More shadow models, a sharper guess")] = 8,
    epochs: Annotated[
        int, Slider(0, 200, help="Trains each shadow longer; 0 is as long as the model")
    ] = 0,
    seed: Annotated[int, Slider(0, 999, help="Other samples and shadows")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Guesses from the loss, and from shadow models, whether a sample was trained on.

    A well generalising model gives little away: then both areas are near a half, and the page
    says so.

    Args:
        model: The folder of a trained run.
        samples: Samples of either kind.
        shadows: Networks of the same kind that are trained on random halves; 0 leaves them out.
        epochs: How long each is trained; 0 for as long as the model was (200 at most).
        seed: For samples, halves and first weights.

    Yields:
        A frame after the losses are known, and one after each shadow.

    Source: Yeom et al. (2018), Privacy risk in machine learning; Carlini et al. (2022), Membership
    inference attacks from first principles.
    """
    kept = load(model)
    if not kept.data:
        raise ValueError("membership: needs a model whose training data are known here")
    data = load_data(kept.data)
    if data.task != "classification" or data.train_y.ndim > 1 or data.parts:
        raise ValueError("membership: needs a classifier with one answer a sample")
    x, y, member = both_kinds(data, samples, seed)
    losses = loss_of(kept.module, x, y)
    guesses = {"loss": -losses}
    frames = 1 + shadows
    yield _frame(1, frames, losses, guesses, member, data)
    spec, said = kept.spec, []
    epochs = epochs or _as_long(Path(model))
    for shadow, answer in enumerate(shadow_answers(spec, x, y, shadows, epochs, seed)):
        said.append(answer)
        if shadow:
            guesses = {"loss": -losses, "shadow models": ratio(losses, said)}
        yield _frame(shadow + 2, frames, losses, guesses, member, data)


def _as_long(folder: Path) -> int:
    """The epochs of a run's own training."""
    try:
        settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
        return max(1, min(MOST_EPOCHS, int(settings["epochs"])))
    except (OSError, ValueError, KeyError, TypeError):
        return USUAL_EPOCHS


def both_kinds(data: DataSet, samples: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, Array]:
    """Samples of the training set and of the validation set, as many of each.

    Returns:
        Samples `(2n, *shape)`, classes `(2n,)`, and who is a member `(2n,)`.
    """
    generator = torch.Generator().manual_seed(seed)
    count = min(samples, len(data.train_x), len(data.valid_x))
    trained = torch.randperm(len(data.train_x), generator=generator)[:count]
    fresh = torch.randperm(len(data.valid_x), generator=generator)[:count]
    x = torch.cat([data.train_x[trained], data.valid_x[fresh]])
    y = torch.cat([data.train_y[trained], data.valid_y[fresh]])
    return x, y, np.arange(2 * count) < count


def loss_of(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Array:
    """The cross-entropy of each sample [nat], `(n,)`; small for what was learnt by heart."""
    with torch.no_grad(), calm(module):
        parts = zip(x.split(500), y.split(500), strict=True)
        losses = [functional.cross_entropy(module(a), b, reduction="none") for a, b in parts]
    found: Array = torch.cat(losses).numpy()
    return found


def shadow_answers(
    spec: NetworkSpec, x: torch.Tensor, y: torch.Tensor, shadows: int, epochs: int, seed: int
) -> Iterator[tuple[Array, Array]]:
    """For each shadow: which samples it was trained on, and its loss of all of them, both `(n,)`.

    In pairs: a second shadow learns from what the first did not, so every sample is in half.
    """
    generator = torch.Generator().manual_seed(seed)
    inside = torch.zeros(len(x), dtype=torch.bool)
    for shadow in range(shadows):
        if shadow % 2:
            inside = ~inside
        else:
            inside = torch.zeros(len(x), dtype=torch.bool)
            inside[torch.randperm(len(x), generator=generator)[: len(x) // 2]] = True
        module = quick_training(spec, x[inside], y[inside], epochs, seed=1000 * seed + shadow)
        yield inside.numpy(), loss_of(module, x, y)


def quick_training(
    spec: NetworkSpec, x: torch.Tensor, y: torch.Tensor, epochs: int, *, seed: int
) -> nn.Module:
    """A network of the spec after some epochs of Adam."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module: nn.Module = build(spec)
        adam = torch.optim.Adam(module.parameters(), lr=RATE)
        module.train()
        for _ in range(epochs):
            for rows in torch.randperm(len(x), generator=generator).split(BATCH):
                adam.zero_grad()
                functional.cross_entropy(module(x[rows]), y[rows]).backward()
                adam.step()
    return module.eval()


def ratio(losses: Array, shadows: list[tuple[Array, Array]]) -> Array:
    """How much likelier each sample's confidence is if it was trained on, `(n,)`; a logarithm.

    The confidence is `φ = log(p / (1 − p))`; among shadows that saw the sample and those that did
    not it is about normal: `log N(φ; μ_in, σ²) − log N(φ; μ_out, σ²)`, with one spread for all
    samples, as the paper does for few shadows.
    """
    inside = np.stack([one for one, _ in shadows])  # (shadows, n)
    values = _confidence(np.stack([seen for _, seen in shadows]))
    own = _confidence(losses)
    means = []
    rest = np.zeros_like(values)
    for chosen in (inside, ~inside):
        mean = (values * chosen).sum(0) / np.maximum(chosen.sum(0), 1)
        rest += chosen * (values - mean)
        means.append(mean)
    freedom = max(1, values.size - 2 * values.shape[1])
    spread = (rest**2).sum() / freedom + TINY
    found: Array = ((own - means[1]) ** 2 - (own - means[0]) ** 2) / (2 * spread)
    return found


def _confidence(losses: Array) -> Array:
    p = np.exp(-losses).clip(TINY, 1 - TINY)
    found: Array = np.log(p / (1 - p))
    return found


def by_chance(members: int, others: int) -> float:
    """How far above a half guessing comes in 2.5 % of cases: twice the area's spread.

    Source: Mann & Whitney (1947), On a test of whether one of two random variables is
    stochastically larger than the other.
    """
    return float(2 * np.sqrt((members + others + 1) / (12 * members * others)))


def _verdict(area: float, chance: float) -> str:
    if area <= chance:
        return "This model gives nothing away that could be told from luck: it treats both alike."
    if area <= MUCH:
        return "This model gives little away: it treats both nearly alike."
    return "It knows its training samples by heart; stop earlier or regularise."


def _frame(
    step: int, of: int, losses: Array, guesses: Mapping[str, Array], member: Array, data: DataSet
) -> Frame:
    areas = {name: auc(guess[member], guess[~member]) for name, guess in guesses.items()}
    edges = np.linspace(0, max(1e-3, float(np.quantile(losses, 0.98))), 31)
    kept = losses.clip(None, edges[-1])
    counts = {
        "trained on": np.histogram(kept[member], edges)[0],
        "never seen": np.histogram(kept[~member], edges)[0],
    }
    grid = np.linspace(0, 1, 101)
    lines = {"guessing": grid}
    for name, guess in guesses.items():
        false, true = roc(guess[member], guess[~member])
        lines[name] = np.interp(grid, false, true)
    best = max(areas, key=lambda name: areas[name])
    chance = 0.5 + by_chance(int(member.sum()), int((~member).sum()))
    told = (
        f"Told by {best}, a sample of the training set is ranked before an unseen one "
        f"{100 * areas[best]:.0f} % of the time; guessing gives 50 %, with luck up to "
        f"{100 * chance:.0f} %. {_verdict(areas[best], chance)}"
    )
    guess = guesses[best]
    facts: dict[str, Any] = {f"area under the curve, {name}": area for name, area in areas.items()}
    facts["area by luck"] = chance
    facts["advantage"] = advantage(guess[member], guess[~member])
    facts["found at 1 % false alarms"] = caught_at(guess[member], guess[~member], 0.01)
    facts["loss gap [nat]"] = float(losses[~member].mean() - losses[member].mean())
    title = f"loss of {int(member.sum())} samples of each kind, {data.name}"
    views: dict[str, View] = {
        "losses": Histogram(edges, counts, xlabel="loss [nat]", ylabel="samples", title=title),
        "roc": Curve(grid, lines, xlabel="false alarms", ylabel="members found"),
        "notes": Note(told, tone="warning" if areas[best] > max(MUCH, chance) else "good"),
    }
    return Frame(step, of, views, facts)
