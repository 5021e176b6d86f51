"""Half the bits: FP16, BF16 and loss scaling.

A floating-point number is a sign, an exponent and a fraction: `(−1)ˢ · 2ᵉ · (1 + f)`. FP32 has 8
exponent and 23 fraction bits, FP16 5 and 10, BF16 8 and 7. Sixteen bits halve memory and more than
double speed, but FP16 ends at 65504 and loses small gradients to zero: multiply the loss before
the backward pass and divide afterwards, and they fit. BF16 keeps the range and gives up digits.
Small updates vanish in both, so a master copy of the weights stays in FP32.

**Try:** click bits to flip them; then slide the loss scale until no gradient is lost.

Source: Micikevicius et al. (2018), Mixed precision training.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import numpy as np
import torch

from demos.kit import Claim, Frames, Pick, Question, Slider, above, below, lab, same
from engine.data import shipped
from engine.views import Array, Curve, Frame, Histogram, Matrix, Table, View

FORMATS = {"FP32": (8, 23), "FP16": (5, 10), "BF16": (8, 7)}  # exponent and fraction bits
TORCH = {"FP32": torch.float32, "FP16": torch.float16, "BF16": torch.bfloat16}


def stored(x: Array, kind: str) -> Array:
    """What a format keeps of numbers, any shape: the nearest it has; infinity beyond its range."""
    exponent_bits, fraction_bits = FORMATS[kind]
    largest = 2 ** (exponent_bits - 1) - 1
    _, e = np.frexp(x)  # x = m · 2ᵉ with ½ ≤ |m| < 1
    e = np.maximum(e - 1, 1 - largest)  # below the least exponent the digits run out
    step = np.ldexp(1.0, e - fraction_bits)
    nearest = np.round(x / step) * step  # half to even, as the hardware does
    limit = (2 - 2.0**-fraction_bits) * 2.0**largest
    return np.where(np.abs(nearest) > limit, np.copysign(np.inf, x), nearest)


def bits(x: float, kind: str) -> Array:
    """Sign, 8 places for the exponent and 23 for the fraction: +1 a one, −1 a zero, 0 no bit."""
    exponent_bits, fraction_bits = FORMATS[kind]
    whole = {"FP32": torch.int32}.get(kind, torch.int16)
    pattern = torch.tensor(x, dtype=torch.float64).to(TORCH[kind]).view(whole).item()
    width = 1 + exponent_bits + fraction_bits
    ones = [1 if int(pattern) >> (width - 1 - i) & 1 else -1 for i in range(width)]
    row = np.zeros(32)
    row[0], row[9 - exponent_bits : 9 + fraction_bits] = ones[0], ones[1:]
    return row


def flipped(x: float, bit: int) -> float:
    """The number with one of its 32 bits of FP32 flipped; unchanged where that is no number."""
    pattern = np.array(x, np.float32).view(np.uint32) ^ np.uint32(1 << (31 - bit))
    value = float(pattern.view(np.float32))
    return value if np.isfinite(value) else x


def gradients(seed: int = 0) -> Array:
    """Synthetic gradients of a deep network: log-normal around 1e-7, `(20000,)`."""
    return np.asarray(1e-7 * np.exp(3 * np.random.default_rng(seed).standard_normal(20_000)))


def lost(kind: str, scale: float) -> float:
    """Share of the gradients [%] that become zero when stored, scaled by the loss scale."""
    return float(100 * (stored(scale * gradients(), kind) == 0).mean())


def train(half: bool, seed: int, steps: int) -> Iterator[float]:
    """A 64-64-10 network on 1297 digits with or without BF16 autocast; yields test accuracy."""
    torch.manual_seed(seed)
    images, y = map(torch.from_numpy, shipped.digits())
    x = images.flatten(1)
    model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
    weights = list(model.parameters())  # the FP32 master copy
    for batch in torch.randint(1297, (steps, 64), generator=torch.Generator().manual_seed(seed)):
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = torch.nn.functional.cross_entropy(model(x[batch]), y[batch])
        slopes = torch.autograd.grad(loss, weights)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            for w, g in zip(weights, slopes, strict=True):
                w.sub_(0.5 * g)
            right = model(x[1297:]).argmax(1) == y[1297:]
        yield right.float().mean().item()


def picture(x: float, scale: float, scores: list[tuple[float, float]], of: int) -> Frame:
    """The number's bits and values, the gradients' fate, and both trainings so far."""
    g = scale * gradients()
    edges, size = np.arange(-13.0, 9.5, 0.5), np.log10(g)
    kept = stored(g, "FP16")
    fates = {"kept": (kept > 0) & np.isfinite(kept), "lost to zero": kept == 0,
             "infinite": np.isinf(kept)}  # fmt: skip
    rows = [
        (kind, f"{value:.9g}", f"{abs(value / x - 1):.1e}" if x and np.isfinite(value) else "-",
         f"{torch.finfo(TORCH[kind]).max:.3g}", f"{torch.finfo(TORCH[kind]).eps:.2g}")
        for kind in FORMATS
        for value in [float(stored(np.array(x), kind))]
    ]  # fmt: skip
    columns = ("s", *(f"e{i}" for i in range(7, -1, -1)), *(f"f{i}" for i in range(1, 24)))
    full, half = np.array(scores).T
    views: dict[str, View] = {
        "bits": Matrix(
            np.stack([bits(x, kind) for kind in FORMATS]), tuple(FORMATS), columns,
            "sign, exponent, fraction", "format", "signed",
            title=f"{x:.9g} in bits: blue 1, orange 0; click to flip one",
        ),
        "values": Table(
            ("format", "stored", "relative error", "largest", "epsilon"), tuple(rows),
            "what each format makes of it",
        ),
        "gradients": Histogram(
            edges, {name: np.histogram(size[which], edges)[0] for name, which in fates.items()},
            xlabel=f"log₁₀ of gradient × loss scale {scale:.3g}", ylabel="gradients",
            title="what FP16 keeps of 20,000 synthetic gradients",
        ),
        "training": Curve(
            np.arange(1, len(scores) + 1), {"FP32": full, "BF16": half},
            ylabel="accuracy on 500 test digits", title="training under autocast",
        ),
    }  # fmt: skip
    facts = {f"lost in {kind} [%]": lost(kind, scale) for kind in ("FP16", "BF16")}
    return Frame(len(scores), of, views, facts)


@lab(
    covers=["mixed-precision"],
    seconds=1,
    quick={"steps": 3},
    tries={
        "Scale the loss": {"scale": 16384.0},
        "Scale too far": {"scale": 1e9},
        "One and a bit": {"number": 1.0005},
    },
    question=Question(
        "In FP16, what is 1 + 0.0004?",
        ("1.0004", "1", "0"),
        1,
        "After 1 the next FP16 number is 1.00098; less than half of that gap is rounded away.",
    ),
    needs=["gradient-accumulation", "backpropagation"],
)
def run(
    number: Annotated[float, Slider(1e-9, 1e6, log=True, help="A number", live=True)] = 0.1,
    bit: Annotated[int, Pick(96, "bits", help="A bit to flip")] = 0,
    scale: Annotated[float, Slider(1, 1e10, log=True, help="Larger gradients", live=True)] = 1.0,
    steps: Annotated[int, Slider(3, 300, help="A longer training")] = 80,
) -> Frames:
    """Train in both precisions; meanwhile and afterwards bits and scale may be played with."""
    x = flipped(number, bit % 32) if bit else number
    scores = list[tuple[float, float]]()
    runs = zip(train(False, 0, steps), train(True, 0, steps), strict=True)
    while True:
        scores.extend(itertools.islice(runs, 1))
        frame = picture(x, scale, scores, steps)
        changes = dict((yield replace(frame, waits=len(scores) == steps)) or {})
        x = float(changes.get("number", x))  # type: ignore[arg-type]
        scale = float(changes.get("scale", scale))  # type: ignore[arg-type]
        if "bit" in changes:
            x = flipped(x, int(changes["bit"]) % 32)  # type: ignore[arg-type]


def check() -> Iterator[Claim]:
    """The formats' limits, what loss scaling saves, and BF16 training beside FP32."""
    yield same("Largest FP16", float(stored(np.array(65519.0), "FP16")), 65504.0)
    yield same("and torch says", torch.finfo(torch.float16).max, 65504.0)
    for kind, epsilon in (("FP16", 2.0**-10), ("BF16", 2.0**-7)):
        above_one = stored(1 + np.array([epsilon, epsilon / 2]), kind) - 1
        yield same(f"{kind}: 1 + ε is the next number after 1", above_one[0], epsilon)
        yield same(f"{kind}: 1 + ε/2 is 1 again", above_one[1], 0.0)
    yield same("FP16: 2⁻²⁵ becomes", float(stored(np.array(2.0**-25), "FP16")), 0.0)
    x = np.random.default_rng(1).standard_normal(20_000) * 10.0 ** np.repeat(np.arange(-9, 7), 1250)
    for kind in ("FP16", "BF16"):
        theirs = torch.tensor(x).to(TORCH[kind]).double().numpy()
        differ = int((theirs != stored(x, kind)).sum())
        yield same(f"{kind}: of 20,000 numbers torch rounds otherwise", differ, 0)
    yield above("Gradients lost in FP16 [%]", lost("FP16", 1.0), 30)
    yield below("after scaling by 16,384 [%]", lost("FP16", 16384.0), 0.5)
    yield same("Gradients lost in BF16 [%]", lost("BF16", 1.0), 0.0)
    gaps = []
    for seed in range(2):
        *_, (full, half) = zip(train(False, seed, 60), train(True, seed, 60), strict=True)
        gaps.append(100 * abs(full - half))
    yield below("Accuracy of BF16 against FP32, 60 steps [points]", max(gaps), 2)
