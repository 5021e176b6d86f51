"""Model extraction: a copy of a model made from its answers alone."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Annotated

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from engine.attack.privacy.table import privacy_attacks
from engine.data import DataSet
from engine.data import load as load_data
from engine.explain.table import calm
from engine.forms import Choice, Slider, Value
from engine.models.kept import Kept, load
from engine.network.build import build
from engine.views import Curve, Frame, Matrix, Note, View

STAGES = 8  # query budgets on the curve, each twice the one before
BATCH = 64
RATE = 0.003
STEPS = 120  # of training at each stage


@privacy_attacks.add("extraction", steals="the model itself", needs="model")
def extraction(
    model: str,
    *,
    queries: Annotated[int, Slider(50, 20_000, log=True, help="Asks the model more often")] = 2000,
    questions: Annotated[
        str,
        Choice(("noise", "mixtures", "samples"), help="What the model is asked"),
    ] = "mixtures",
    answers: Annotated[
        str, Choice(("chances", "names"), help="Whether it tells chances or only the class")
    ] = "chances",
    seed: Annotated[int, Slider(0, 999, help="Other questions and first weights")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """A student of the same kind learns from the model's answers to more and more questions.

    Args:
        model: The folder of a trained run.
        queries: Questions in all.
        questions: Uniform noise; mixtures of two validation samples; or validation samples.
        answers: What the model tells: all chances, or the name of the class alone.
        seed: For questions and first weights.

    Yields:
        A frame for each budget, the last with all questions.

    Source: Tramèr et al. (2016), Stealing machine learning models via prediction APIs; Orekondy,
    Schiele & Fritz (2019), Knockoff nets.
    """
    kept = load(model)
    data = _data(kept)
    generator = torch.Generator().manual_seed(seed)
    half = len(data.valid_x) // 2  # the attacker may have one half; the other one judges
    x = ask_with(questions, data.valid_x[:half], queries, generator)
    told = _answered(kept.module, x, answers)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        student: nn.Module = build(kept.spec)
    track: list[tuple[int, float, float]] = []
    budgets = sorted({max(1, queries // 2**stage) for stage in range(STAGES)})
    for step, budget in enumerate(budgets, start=1):
        learn(student, x[:budget], told[:budget], STEPS, generator)
        track.append((budget, *_judged(kept.module, student, data, half)))
        yield _frame(kept, student, data, half, step, len(budgets), track, answers)


def ask_with(
    questions: str, own: torch.Tensor, count: int, generator: torch.Generator
) -> torch.Tensor:
    """What the model is asked, `(count, *shape)`."""
    if questions == "noise":
        return torch.rand(count, *own.shape[1:], generator=generator)
    first, second = (torch.randint(0, len(own), (count,), generator=generator) for _ in range(2))
    if questions == "samples":
        return own[first]
    part = torch.rand(count, *[1] * (own.ndim - 1), generator=generator)
    return part * own[first] + (1 - part) * own[second]


def learn(
    student: nn.Module,
    x: torch.Tensor,
    told: torch.Tensor,
    steps: int,
    generator: torch.Generator,
) -> None:
    """Some steps of Adam on the cross-entropy between the model's answers and the student's."""
    adam = torch.optim.Adam(student.parameters(), lr=RATE)
    student.train()
    for _ in range(steps):
        rows = torch.randint(0, len(x), (min(BATCH, len(x)),), generator=generator)
        adam.zero_grad()
        functional.cross_entropy(student(x[rows]), told[rows]).backward()
        adam.step()
    student.eval()


def solved(module: nn.Module, shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights `(classes, features)` and biases `(classes,)` of a linear model, by its answers.

    One question at zero and one along each input: `b = f(0)`, `w_i = f(e_i) − f(0)`. From chances
    instead of scores the same holds up to a shift shared by all classes.

    Source: Tramèr et al. (2016), Stealing machine learning models via prediction APIs, section 4.
    """
    size = int(np.prod(shape))
    questions = torch.cat([torch.zeros(1, size), torch.eye(size)]).reshape(-1, *shape)
    with torch.no_grad():
        scores = module(questions)
    return (scores[1:] - scores[:1]).T, scores[0]


def _data(kept: Kept) -> DataSet:
    if not kept.data:
        raise ValueError("extraction: needs a model whose data are known here")
    data = load_data(kept.data)
    if data.task != "classification" or data.train_y.ndim > 1 or data.parts or data.kind == "text":
        raise ValueError("extraction: needs a classifier of pictures, points or rows of a table")
    return data


def _answered(module: nn.Module, x: torch.Tensor, answers: str) -> torch.Tensor:
    with torch.no_grad(), calm(module):
        scores = torch.cat([module(part) for part in x.split(500)])
    chances = scores.softmax(1)
    if answers == "chances":
        return chances
    return functional.one_hot(chances.argmax(1), chances.shape[1]).to(chances.dtype)


def _judged(module: nn.Module, student: nn.Module, data: DataSet, half: int) -> tuple[float, float]:
    """How often the copy agrees with the model, and how often it is right, on unasked samples."""
    x, y = data.valid_x[half:], data.valid_y[half:]
    with torch.no_grad():
        said, copied = module(x).argmax(1), student(x).argmax(1)
    return float((said == copied).float().mean()), float((copied == y).float().mean())


def _frame(
    kept: Kept,
    student: nn.Module,
    data: DataSet,
    half: int,
    step: int,
    steps: int,
    track: list[tuple[int, float, float]],
    answers: str,
) -> Frame:
    x, y = data.valid_x[half:], data.valid_y[half:]
    with torch.no_grad():
        said, copied = kept.module(x).argmax(1), student(x).argmax(1)
    count = len(data.classes)
    table = torch.bincount(said * count + copied, minlength=count**2).reshape(count, count)
    asked, agree, right = (np.array(column, dtype=float) for column in zip(*track, strict=True))
    own = float((said == y).float().mean())
    note = (
        f"After {int(asked[-1]):,} questions answered with {answers} the copy says the same as the "
        f"model on {100 * agree[-1]:.0f} % of samples neither was asked about; it is right on "
        f"{100 * right[-1]:.0f} %, the model on {100 * own:.0f} %."
    )
    lines = {"agrees with the model": agree, "is right": right}
    views: dict[str, View] = {
        "curve": Curve(
            asked, lines, xlabel="questions", ylabel="part of samples", logx=True, dots=True
        ),
        "agreement": Matrix(
            table.numpy(),
            data.classes,
            data.classes,
            xlabel="the copy says",
            ylabel="the model says",
            numbers=count <= 10,
        ),
        "notes": Note(note),
    }
    facts = {
        "questions": float(asked[-1]),
        "agreement": float(agree[-1]),
        "accuracy of the copy": float(right[-1]),
        "accuracy of the model": own,
    }
    return Frame(step, steps, views, facts)
