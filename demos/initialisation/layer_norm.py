"""Layer norm and RMSNorm: each example by itself.

Batch norm needs other examples. Layer norm takes its mean and variance over the features of one
example: `LN(x) = (x − mean(x)) / √(var(x) + ε)`. RMSNorm leaves the mean alone and only divides
by the root mean square, `x / √(mean(x²) + ε)`: it needs one learned number a feature, not two,
and is what most large language models use. RMSNorm of the centred example is layer norm.

**Try:** change the other examples of the batch: which rows of the output change?

Source: Ba, Kiros & Hinton (2016), Layer normalization;
Zhang & Sennrich (2019), Root mean square layer normalization.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import torch
from torch import Tensor

from demos.kit import Choice, Claim, Frames, Question, Slider, below, interactive, lab, same
from engine.normalisation import batch_norm, layer_norm, rms_norm
from engine.views import Bars, Frame, Matrix, Table, View

FEATURES = 8
NORMS = {"layer norm": layer_norm, "RMSNorm": rms_norm, "batch norm": batch_norm}


def examples(batch: int, shift: float, scale: float, others: int) -> Tensor:
    """Random features, `(batch, 8)`, shifted and scaled; `others` redraws all but the first row."""
    first = torch.randn(1, FEATURES, generator=torch.Generator().manual_seed(0))
    rest = torch.randn(batch - 1, FEATURES, generator=torch.Generator().manual_seed(others + 1))
    return scale * torch.cat([first, rest]) + shift


def learned(norm: str) -> int:
    """Numbers it learns for 8 features: a gain each, and a bias unless it is RMSNorm."""
    theirs = {
        "layer norm": torch.nn.LayerNorm(FEATURES),
        "RMSNorm": torch.nn.RMSNorm(FEATURES),
        "batch norm": torch.nn.BatchNorm1d(FEATURES),
    }
    return sum(p.numel() for p in theirs[norm].parameters())


def picture(norm: str, batch: int, shift: float, scale: float, others: int) -> Frame:
    """Input and output as heat maps, with the numbers that one mean is taken over framed."""
    x, plain = examples(batch, shift, scale, others), examples(batch, 0.0, 1.0, others)
    out, calm = NORMS[norm](x), NORMS[norm](plain)
    other = NORMS[norm](examples(batch, shift, scale, others + 1))
    block = (
        tuple((row, 0) for row in range(batch))
        if norm == "batch norm"
        else tuple((0, column) for column in range(FEATURES))
    )
    rows = tuple("the first" if i == 0 else f"example {i + 1}" for i in range(batch))
    columns = tuple(f"feature {i + 1}" for i in range(FEATURES))
    changes = {
        "shift and scale the input": out - calm,
        "redraw the other examples": (other - out)[:1],
    }
    views: dict[str, View] = {
        "output": Matrix(
            out.numpy(), rows, columns, "feature", "example", "signed", numbers=True,
            highlight=block, title=f"after {norm}; framed: what one mean is taken over",
        ),
        "input": Matrix(
            x.numpy(), rows, columns, "feature", "example", "signed", numbers=True,
            highlight=block, title="before",
        ),
        "rows": Bars(
            rows,
            {"mean": out.mean(1).numpy(), "root mean square": out.square().mean(1).sqrt().numpy()},
            xlabel="example", ylabel="over its features", level={"1": 1.0},
            title="each example after it",
        ),
        "changes": Table(
            ("what you do", "largest change of the output"),
            tuple((what, f"{gap.abs().max().item():.3g}") for what, gap in changes.items()),
            "what it does not notice",
        ),
    }  # fmt: skip
    facts = {
        "numbers it learns for 8 features": learned(norm),
        "first row changes when others do": float((other - out)[0].abs().max()),
    }
    return Frame(1, 1, views, facts)


@lab(
    covers=["layer-norm-rmsnorm"],
    seconds=1,
    tries={
        "Shifted far away": {"shift": 5.0, "norm": "layer norm"},
        "The same with RMSNorm": {"shift": 5.0, "norm": "RMSNorm"},
        "Other neighbours": {"others": 7, "norm": "batch norm"},
    },
    question=Question(
        "All features grow by 5. Which output stays as it was?",
        ("Layer norm's", "RMSNorm's", "Both", "Neither"),
        0,
        "Layer norm takes the mean away; RMSNorm does not look at it. Multiply by 5 instead, and "
        "both stay.",
    ),
    needs=["batch-normalization"],
)
def run(
    norm: Annotated[str, Choice(tuple(NORMS), help="Which norm", live=True)] = "layer norm",
    batch: Annotated[int, Slider(2, 12, help="More examples", live=True)] = 6,
    shift: Annotated[float, Slider(-5.0, 5.0, help="Larger features", live=True)] = 0.0,
    scale: Annotated[
        float, Slider(0.1, 10.0, log=True, help="Features further apart", live=True)
    ] = 1.0,
    others: Annotated[int, Slider(0, 99, help="Other neighbours in the batch", live=True)] = 0,
) -> Frames:
    """Normalise a small batch, again at every change."""
    yield from interactive(picture, norm=norm, batch=batch, shift=shift, scale=scale, others=others)


def check() -> Iterator[Claim]:
    """One is the other of the centred input; neither looks at neighbours; half the parameters."""
    x = 3 * examples(32, 1.0, 2.0, 0).double()
    centred = x - x.mean(1, keepdim=True)
    gap = (layer_norm(x) - rms_norm(centred)).abs().max().item()
    yield below("Layer norm against RMSNorm of the centred input", gap, 1e-10)
    a, b = (examples(6, 1.0, 2.0, others) for others in (0, 1))
    for name in ("layer norm", "RMSNorm"):
        change = (NORMS[name](a) - NORMS[name](b))[0].abs().max().item()
        yield same(f"{name}: change of the first row when the others change", change, 0.0)
    louder = (rms_norm(10 * x) - rms_norm(x)).abs().max().item()
    yield below("RMSNorm: change when the input grows tenfold", louder, 1e-5)
    yield same(
        "RMSNorm's parameters over layer norm's", learned("RMSNorm") / learned("layer norm"), 0.5
    )
    theirs = [
        torch.nn.functional.layer_norm(x, (8,)),
        torch.nn.functional.rms_norm(x, (8,), eps=1e-5),
    ]
    gap = max(
        (ours(x) - t).abs().max().item()
        for ours, t in zip((layer_norm, rms_norm), theirs, strict=True)
    )
    yield below("Largest difference to torch's two", gap, 1e-12)
