"""What else one can ask a network: questions whose answer is no map of the input.

Entries of the table `questions` are called as `ask(request, **settings)`: name -> array or number.
Their facts: `gives`, what the answer is, and `needs`, what a request must hold for them (`input`,
`data`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from engine.data import DataSet
from engine.tables import Entry, Table

questions = Table("question", "engine.explain.questions")


@dataclass(frozen=True)
class Request:
    """What is asked about.

    Attributes:
        module: The network.
        shape: Of one sample.
        x: Samples, `(n, *shape)`; none for a question that needs none.
        target: The output of each, `(n,)`.
        data: What it was trained on, if that is known.
    """

    module: nn.Module
    shape: tuple[int, ...]
    x: torch.Tensor
    target: torch.Tensor
    data: DataSet | None = None


Answer = Mapping[str, Any]
Ask = Callable[..., Answer]


def question(name: str, *, gives: str, needs: list[str]) -> Callable[[Ask], Ask]:
    """Put a question into the table."""
    return questions.add(name, gives=gives, needs=needs, family="question")


def ask(entry: Entry, request: Request, settings: Mapping[str, Any]) -> Answer:
    """The answer.

    Raises:
        ValueError: The request lacks what the question needs, or does not fit it.
    """
    needs = entry.facts["needs"]
    if "input" in needs and not len(request.x):
        raise ValueError(f"{entry.name}: needs samples; give --input")
    if "data" in needs and request.data is None:
        raise ValueError(f"{entry.name}: needs the data it was trained on; give --data NAME")
    found: Answer = entry(request, **settings)
    return found
