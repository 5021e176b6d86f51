"""Features by hand, or learned end to end?

Put each digit anywhere on a canvas. A linear model adds up pixels with fixed weights, so a shifted
digit is a stranger to it, and sums of rows and columns hardly help. The old cure was a person's
insight, built in by hand (cut the digit out first). A convolutional network gets only pixels and
labels, and every layer learns what the next one needs: end-to-end learning.

**Try:** give the linear model the row and column sums; then the one feature that settles it.

Source: LeCun, Bengio & Hinton (2015), Deep learning, Nature 521.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated

import torch
from torch import nn

from demos.kit import Claim, Frames, Question, Slider, above, below, lab
from engine.data.shipped import digits
from engine.views import Curve, Frame, Tiles, View

CANVAS, SHIFTS, TRAIN = 14, 7, 1297  # an 8 x 8 digit can stand at 7 x 7 places


def scattered(images: torch.Tensor, seed: int) -> torch.Tensor:
    """Every digit, `(n, 8, 8)`, at a random place of a canvas: `(n, 14, 14)`."""
    corner = torch.randint(0, SHIFTS, (len(images), 2, 1), generator=_generator(seed))
    places = corner + torch.arange(8)  # (n, rows or columns, 8)
    out = torch.zeros(len(images), CANVAS, CANVAS)
    each = torch.arange(len(images))[:, None, None]
    out[each, places[:, 0, :, None], places[:, 1, None, :]] = images
    return out


def sums(x: torch.Tensor) -> torch.Tensor:
    """Ink of every row and every column: `(n, 14, 14)` to `(n, 28)`."""
    return torch.cat([x.sum(2), x.sum(1)], dim=1) / 4


def shape(x: torch.Tensor) -> torch.Tensor:
    """Total ink, centre of gravity and spread along both axes: `(n, 5)`."""
    total, axis = x.sum((1, 2)), torch.arange(float(CANVAS))
    row, column = x.sum(2) / total[:, None], x.sum(1) / total[:, None]
    centre = torch.stack([row @ axis, column @ axis], 1)
    spread = torch.stack([row @ axis**2, column @ axis**2], 1) - centre**2
    return torch.cat([total[:, None] / 20, centre / CANVAS, spread / 4], dim=1)


def cut_out(x: torch.Tensor) -> torch.Tensor:
    """The digit alone, rolled into the corner by its first inked row and column: `(n, 64)`."""
    rows, columns = (x.sum(2) > 0).int().argmax(1), (x.sum(1) > 0).int().argmax(1)
    places = torch.arange(8)
    r = (rows[:, None] + places).clamp(max=CANVAS - 1)
    c = (columns[:, None] + places).clamp(max=CANVAS - 1)
    each = torch.arange(len(x))[:, None, None]
    return x[each, r[:, :, None], c[:, None, :]].flatten(1)


def convolutional() -> nn.Sequential:
    """Three small convolutions; the strongest answer anywhere on the canvas counts."""
    return nn.Sequential(
        *(nn.Unflatten(1, (1, CANVAS)), nn.Conv2d(1, 16, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(1)),
        *(nn.Flatten(), nn.Linear(32, 10)),
    )


@lab(
    covers=["end-to-end-learning"],
    seconds=19,
    quick={"epochs": 1},
    tries={
        "Row and column sums": {"use_sums": True, "use_shape": True},
        "A person's insight": {"use_sums": False, "use_shape": False, "use_cut_out": True},
    },
    question=Question(
        "A linear model reads digits in a fixed place with 95 %. And anywhere on a canvas?",
        ("Still about 90 %", "About 60 %", "About 20 %"),
        2,
        "Its weights belong to places. A digit one pixel further meets other weights.",
    ),
)
def run(
    use_sums: bool = True,
    use_shape: bool = True,
    use_cut_out: bool = False,
    epochs: Annotated[int, Slider(1, 30, help="Train longer")] = 15,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train three models on the same canvases, newly scattered in every epoch."""
    torch.manual_seed(seed)
    images, labels = (torch.from_numpy(part) for part in digits())
    order = torch.randperm(len(labels))
    train, test = order[:TRAIN], order[TRAIN:]
    chosen = [sums] * use_sums + [shape] * use_shape + [cut_out] * use_cut_out

    def features(x: torch.Tensor) -> torch.Tensor:
        ones = torch.ones(len(x), 1)  # with no feature chosen it can only guess
        return torch.cat([ones, *(feature(x) for feature in chosen)], dim=1)

    canvas, answer = scattered(images[test], 10_000 + seed), labels[test]
    models: dict[str, tuple[nn.Module, Callable[[torch.Tensor], torch.Tensor]]] = {
        "CNN from pixels": (convolutional(), nn.Identity()),
        "linear, pixels": (nn.Sequential(nn.Flatten(), nn.Linear(CANVAS**2, 10)), nn.Identity()),
        "linear, your features": (nn.Linear(features(canvas).shape[1], 10), features),
    }
    steps = {
        n: torch.optim.Adam(m.parameters(), lr=0.003, fused=True) for n, (m, _) in models.items()
    }
    scores: dict[str, list[float]] = {name: [] for name in models}
    for epoch in range(1, epochs + 1):
        x, y = scattered(images[train], 100 * seed + epoch), labels[train]
        for name, (model, view) in models.items():
            given = view(x)
            for batch in torch.randperm(TRAIN).split(64):
                loss = nn.functional.cross_entropy(model(given[batch]), y[batch])
                steps[name].zero_grad()
                loss.backward()
                steps[name].step()
            with torch.no_grad():
                guess = model(view(canvas)).argmax(1)
            scores[name].append(100 * float((guess == answer).double().mean()))
            if name == "CNN from pixels":
                guesses = guess
        yield _frame(epoch, epochs, scores, canvas, guesses, answer, models["CNN from pixels"][0])


def _frame(
    epoch: int,
    epochs: int,
    scores: dict[str, list[float]],
    canvas: torch.Tensor,
    guess: torch.Tensor,
    answer: torch.Tensor,
    model: nn.Module,
) -> Frame:
    lines = {name: torch.tensor(values).numpy() for name, values in scores.items()}
    wrong = {i: "wrong" for i in range(24) if guess[i] != answer[i]}
    filters = next(model.parameters()).detach()[:, 0].numpy()
    views: dict[str, View] = {
        "accuracy": Curve(
            torch.arange(1, epoch + 1).numpy(),
            lines,
            "epoch",
            "test accuracy [%]",
            dots=True,
            title="500 digits at new places",
        ),
        "digits": Tiles(
            canvas[:24].numpy(),
            tuple(f"CNN: {one}" for one in guess[:24].tolist()),
            across=8,
            marks=wrong,
            title="test digits, and what the CNN says",
        ),
        "filters": Tiles(
            filters, (), "signed", across=8, title="what its first layer learned to look for"
        ),
    }
    return Frame(
        epoch, epochs, views, {f"{name} [%]": values[-1] for name, values in scores.items()}
    )


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def check() -> Iterator[Claim]:
    """Only the network that learns its own features reads digits anywhere."""
    facts = run.last(epochs=15).facts
    yield below(
        "Linear model on raw pixels, digits anywhere: accuracy [%]", facts["linear, pixels [%]"], 35
    )
    yield below(
        "Linear model on sums, ink, centre and spread [%]", facts["linear, your features [%]"], 35
    )
    yield above("Convolutional network from pixels [%]", facts["CNN from pixels [%]"], 93)
