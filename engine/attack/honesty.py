"""Whether an attack's result may be believed: checks that travel with it.

    report = examine("pgd", module, x, y, epsilon=0.1)
    report.found, report.cost.forwards, [badge for badge in report.badges if not badge.holds]

`examine` attacks and checks the result itself; `masking` asks, at the price of four more attacks,
whether the model only hides its gradients; `calibration` holds attacks against closed forms.

Source: Carlini et al. (2019), On evaluating adversarial robustness; Athalye, Carlini & Wagner
(2018), Obfuscated gradients give a false sense of security.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from engine.attack.balls import DUAL, length
from engine.attack.table import attacks, fooled, loss, uphill
from engine.attack.watch import Cost, counted
from engine.explain.table import calm
from engine.tables import Entry
from engine.views import Table

SLACK = 1e-6  # that rounding may cost


@dataclass(frozen=True)
class Badge:
    """One check.

    Attributes:
        name: What must hold, in a few words.
        holds: Whether it does.
        measured: The number behind it, in words.
    """

    name: str
    holds: bool
    measured: str


@dataclass(frozen=True)
class Report:
    """An attack's result with what it took and whether to believe it.

    Attributes:
        found: The attacked samples, `(batch, ...)`.
        stored: The same as a file would hold them, with 8 bits a number.
        success: Whether `stored` is answered as the attacker wishes, `(batch,)`.
        raw: Whether `found` is, `(batch,)`.
        size: Length of each change in the attack's norm, `(batch,)`; NaN for "spatial".
        seconds: Time it took [s].
        cost: What the network was asked.
        badges: The checks.
    """

    found: torch.Tensor
    stored: torch.Tensor
    success: torch.Tensor
    raw: torch.Tensor
    size: torch.Tensor
    seconds: float
    cost: Cost
    badges: tuple[Badge, ...]


def examine(
    name: str, module: nn.Module, x: torch.Tensor, y: torch.Tensor, **settings: Any
) -> Report:
    """Attack, and check: no budget no change, ball, range, eval mode, slope, stored with 8 bits.

    Args:
        name: An attack of the table.
        module: The network, in whatever mode.
        x: Samples in [0, 1], `(batch, ...)`.
        y: Classes, `(batch,)`.
        settings: The attack's own, and `epsilon`.

    Raises:
        ValueError: The attack does not fit the network or the samples; says why.
    """
    entry = attacks.find(name)
    chosen = {k: v for k, v in settings.items() if k in entry.form.controls}
    filled: dict[str, Any] = {**entry.form.fill(chosen)}
    epsilon, targeted = float(filled["epsilon"]), bool(filled.get("targeted", False))
    with counted(module) as cost, _modes(module) as training:
        begun = time.perf_counter()
        found: torch.Tensor = entry(module, x, y, **settings)
        seconds = time.perf_counter() - begun
    stored = as_stored(found)
    with calm(module):
        success = fooled(module, stored, y, targeted=targeted)
        raw = fooled(module, found, y, targeted=targeted)
        badges = (
            _unchanged(entry, module, x, y, settings),
            _within(entry, x, found, epsilon, filled),
            _in_range(found),
            Badge("network in eval mode", not any(training), f"{sum(training)} calls in training"),
            *slope_badges(entry, module, x, y),
            _same_when_stored(raw, success),
        )
    size = length(found - x, str(entry.facts["norm"]))
    return Report(found, stored, success, raw, size, seconds, cost, badges)


def verify(
    entry: Entry,
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    found: torch.Tensor,
    epsilon: float,
) -> tuple[Badge, ...]:
    """The checks of a result that need no further attack: ball, range, mode, slope, storage.

    Args:
        entry: The attack, with its usual settings.
        module: The network.
        x: Samples in [0, 1], `(batch, ...)`.
        y: Classes, `(batch,)`.
        found: What the attack made of them.
        epsilon: Its budget.
    """
    training = any(part.training for part in module.modules())
    with calm(module):
        raw, success = fooled(module, found, y), fooled(module, as_stored(found), y)
        slope = slope_badges(entry, module, x, y)
    return (
        _within(entry, x, found, epsilon, entry.form.fill({})),
        _in_range(found),
        Badge("network in eval mode", not training, "looked at after the attack"),
        *slope,
        _same_when_stored(raw, success),
    )


def sheet(
    rows: Sequence[tuple[str, Badge]],
    who: str = "attack",
    title: str = "may this be believed?",
) -> Table:
    """Checks of several results as a table, each with whom it is about."""
    told = tuple((name, b.name, "✓" if b.holds else "✗", b.measured) for name, b in rows)
    return Table((who, "check", "holds", "measured"), told, title=title)


def as_stored(found: torch.Tensor) -> torch.Tensor:
    """Samples as a picture file keeps them: 256 levels, in [0, 1]."""
    return (found.clamp(0, 1) * 255).round() / 255


class _modes:  # noqa: N801 - used as a function
    """Within, the list says for each call of the module whether any part was in training mode."""

    def __init__(self, module: nn.Module) -> None:
        self._module, self._seen = module, list[bool]()

    def __enter__(self) -> list[bool]:
        def look(module: nn.Module, _inputs: object) -> None:
            self._seen.append(any(part.training for part in module.modules()))

        self._hook = self._module.register_forward_pre_hook(look)
        return self._seen

    def __exit__(self, *_error: object) -> None:
        self._hook.remove()


def _unchanged(
    entry: Entry, module: nn.Module, x: torch.Tensor, y: torch.Tensor, settings: Mapping[str, Any]
) -> Badge:
    nothing = 0 if entry.facts["norm"] == "L0" else 0.0
    change = float((entry(module, x, y, **{**settings, "epsilon": nothing}) - x).abs().max())
    return Badge("no budget, no change", change == 0, f"largest change {change:.2g}")


def _within(
    entry: Entry, x: torch.Tensor, found: torch.Tensor, epsilon: float, filled: Mapping[str, Any]
) -> Badge:
    norm = str(entry.facts["norm"])
    if norm == "spatial":
        from engine.attack.methods.spatial import poses

        near = torch.full((len(x),), torch.inf)
        turns, shifts = int(filled["turns"]), int(filled["shifts"])
        for pose in (x, *poses(x, epsilon, turns, shifts)):
            near = torch.minimum(near, (found - pose).abs().flatten(1).amax(1))
        miss = float(near.max())
        return Badge("a turn within the budget", miss <= SLACK, f"{miss:.2g} from the nearest one")
    size = float(length(found - x, norm).max())
    holds = size <= epsilon + SLACK * max(1.0, epsilon)
    return Badge("inside the ball", holds, f"{norm} {size:.6g} of {epsilon:.6g}")


def _in_range(found: torch.Tensor) -> Badge:
    low, high = float(found.min()), float(found.max())
    words = f"{low:.6g} to {high:.6g}"
    return Badge("inside the valid range", low >= -SLACK and high <= 1 + SLACK, words)


def slope_badges(
    entry: Entry, module: nn.Module, x: torch.Tensor, y: torch.Tensor
) -> tuple[Badge, ...]:
    """For an attack by gradients: whether there are any. A sample without one cannot be climbed."""
    if not entry.facts["gradients"] or entry.name == "bpda":
        return ()
    try:
        slope = uphill(module, x, y).flatten(1)
    except ValueError:
        return (Badge("gradients are not masked", False, "the network has none"),)
    flat = int((slope == 0).all(1).sum())
    zeros = float((slope == 0).float().mean())
    words = f"{flat} of {len(x)} samples have none; {100 * zeros:.0f} % of all slopes are exactly 0"
    return (Badge("gradients are not masked", flat == 0, words),)


def _same_when_stored(raw: torch.Tensor, success: torch.Tensor) -> Badge:
    lost = int((raw & ~success).sum())
    words = f"{lost} of {int(raw.sum())} successes are lost with 8 bits a number"
    return Badge("survives being stored", lost == 0, words)


def masking(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, *, epsilon: float = 0.1, seed: int = 0
) -> tuple[Badge, ...]:
    """Signs that a model hides its gradients instead of being robust, in the L-infinity ball.

    Where gradients can be trusted, more steps beat one step, an attack with gradients beats one
    without, and no model withstands a budget that may change everything.
    """
    found = {
        "noise": attacks.find("noise")(module, x, y, epsilon=epsilon, seed=seed),
        "square": attacks.find("square")(module, x, y, epsilon=epsilon, seed=seed),
    }
    with calm(module):
        slope = slope_badges(attacks.find("pgd"), module, x, y)
    if "has none" in slope[0].measured:
        return slope
    found["fgsm"] = attacks.find("fgsm")(module, x, y, epsilon=epsilon)
    found["pgd"] = attacks.find("pgd")(module, x, y, epsilon=epsilon, steps=40)
    found["all"] = attacks.find("pgd")(module, x, y, epsilon=1.0, steps=40)
    with torch.no_grad(), calm(module):
        mean = {name: float(loss(module, one, y).mean()) for name, one in found.items()}
        part = {name: float(fooled(module, one, y).float().mean()) for name, one in found.items()}
    return (
        *slope,
        Badge(
            "more steps beat one step",
            part["pgd"] >= part["fgsm"],
            f"PGD fools {100 * part['pgd']:.0f} %, FGSM {100 * part['fgsm']:.0f} %",
        ),
        Badge(
            "gradients beat guessing",
            part["pgd"] >= part["square"],
            f"PGD fools {100 * part['pgd']:.0f} %, Square {100 * part['square']:.0f} %",
        ),
        Badge(
            "a gradient step beats noise",
            mean["fgsm"] >= mean["noise"],
            f"loss {mean['fgsm']:.3g} after FGSM, {mean['noise']:.3g} after noise [nat]",
        ),
        Badge(
            "nothing withstands every change",
            part["all"] == 1.0,
            f"with epsilon 1 PGD fools {100 * part['all']:.0f} %",
        ),
    )


def calibration(*, epsilon: float = 0.05, seed: int = 0) -> dict[str, dict[str, float]]:
    """Attacks on a linear model, where the optimum has a closed form: `epsilon · ‖w‖_q`.

    Returns:
        Norm -> name of an attack, and "exact" -> how much of the lead of the right class it took
        away, the mean of 32 samples. Never more than exact; FGSM, PGD and APGD all of it.
    """
    generator = torch.Generator().manual_seed(seed)
    module = nn.Linear(20, 2)
    with torch.no_grad():
        module.weight.copy_(torch.randn(2, 20, generator=generator))
        module.bias.zero_()
        x = 0.5 + 0.1 * torch.rand(32, 20, generator=generator)
        y = module(x).argmax(1)
        apart = module.weight[y] - module.weight[1 - y]
    runs = {
        "Linf": ("noise", "fgsm", "pgd", "apgd_ce"),
        "L2": ("fgm", "pgd_l2", "apgd_ce_l2"),
        "L1": ("pgd_l1",),
    }
    table: dict[str, dict[str, float]] = {}
    for norm, names in runs.items():
        row = {}
        for name in names:
            found = attacks.find(name)(module, x, y, epsilon=epsilon)
            row[name] = float(((x - found) * apart).sum(1).mean())
        row["exact"] = float(epsilon * apart.norm(p=DUAL[norm], dim=1).mean())
        table[norm] = row
    return table
