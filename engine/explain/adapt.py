"""Any network and sample as explainers take them: real numbers with their places last.

Pictures `(batch, channels, rows, columns)` and rows of a table stay as they are. A series
`(batch, length, numbers)` is turned to `(batch, numbers, length)`, the order of a picture. The
tokens of a text `(batch, length)` are no numbers to take away a little of; explained are the
vectors their embedding looks up, `(batch, numbers, length)`, and a token's share is the sum over
its vector.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from engine.explain.layers import hooked

Kind = Literal["image", "table", "series", "text"]


class Turned(nn.Module):
    """A network of series, with the length last."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, numbers, length)` to scores."""
        return _last(self.inner(x.transpose(1, 2)))


class Embedded(nn.Module):
    """A network of tokens, asked with the vectors of its embedding instead.

    Args:
        inner: The network.
        tokens: The text that is explained, `(1, length)`: it goes in wherever the network looks at
            the tokens themselves (a mask of those that only fill up).
    """

    def __init__(self, inner: nn.Module, tokens: torch.Tensor) -> None:
        super().__init__()
        self.inner = inner
        self.tokens = tokens
        self.lookup = embedding(inner)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, numbers, length)` to scores."""
        with hooked(self.lookup, lambda _layer, _inputs, _out: x.transpose(1, 2)):
            return _last(self.inner(self.tokens.expand(len(x), -1)))

    def vectors(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens `(batch, length)` as their vectors, `(batch, numbers, length)`."""
        with torch.no_grad():
            found: torch.Tensor = self.lookup(tokens).transpose(1, 2)
        return found


def embedding(module: nn.Module) -> nn.Embedding:
    """The first layer that looks up a vector for each token.

    Raises:
        ValueError: There is none.
    """
    for part in module.modules():
        if isinstance(part, nn.Embedding):
            return part
    raise ValueError(
        "explain: a network of tokens needs an Embedding, whose vectors can be explained"
    )


def kind_of(module: nn.Module, shape: tuple[int, ...]) -> Kind:
    """What a sample of this shape is to this network."""
    if len(shape) == 3:
        return "image"
    if len(shape) == 2:
        return "series"
    embeds = any(isinstance(part, nn.Embedding) for part in module.modules())
    return "text" if embeds else "table"


def adapted(module: nn.Module, x: torch.Tensor, kind: Kind) -> tuple[nn.Module, torch.Tensor]:
    """The network and the samples as explainers take them."""
    match kind:
        case "series":
            return Turned(module), x.transpose(1, 2)
        case "text":
            asked = Embedded(module, x[:1].long())
            return asked, asked.vectors(x.long())
    return module, x


def folded(explanation: torch.Tensor, kind: Kind) -> torch.Tensor:
    """A map in the order the network takes its samples; a text's with one number a token."""
    match kind:
        case "series":
            return explanation.transpose(1, 2)
        case "text":
            return explanation.sum(1)
    return explanation


def _last(answers: torch.Tensor) -> torch.Tensor:
    """Where every place of a sequence has an answer, the last place's."""
    return answers[:, -1] if answers.ndim == 3 else answers
