"""The table of attacks on text: `attack(module, x, y, flips=..., **settings) -> like x`.

`x` are tokens, `(batch, length)` whole numbers; at most `flips` of a row come back changed. With
`targeted=True` `y` is what the network is to say. A network that answers at every place, such as a
character model, is judged by what it says at the last one. Fact: `gradients`.

Two keywords of notebooks, with no control: `allowed`, the tokens that may be put in, and
`protected`, the tokens that may not be taken out (what fills a text up to its length).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import torch
from torch import nn
from torch.nn import functional

from engine.attack.watch import ended, seen
from engine.explain.table import calm
from engine.forms import Slider
from engine.tables import Table

text_attacks = Table("attack on text", "engine.attack.text.methods")

TextAttack = Callable[..., torch.Tensor]
Flips = Annotated[int, Slider(0, 20, help="More tokens may be exchanged")]
Tokens = Sequence[int]


def text_attack(name: str, **facts: Any) -> Callable[[TextAttack], TextAttack]:
    """Put an attack on text into the table; the network is calm and left as it was."""

    def wrap(function: TextAttack) -> TextAttack:
        @functools.wraps(function)
        def attempt(
            module: nn.Module, x: torch.Tensor, y: torch.Tensor, **settings: Any
        ) -> torch.Tensor:
            if x.ndim != 2 or x.dtype not in (torch.int64, torch.int32):
                raise ValueError(f"{name}: needs tokens, (batch, length) whole numbers")
            if y.shape != x.shape[:1]:
                raise ValueError(f"{name}: needs one class a text, ({len(x)},); got {len(y)}")
            seen(x)
            with calm(module):
                found = function(module, x, y, **settings)
            ended(found)
            return found

        return text_attacks.add(name, **facts)(attempt)

    return wrap


def answers(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Scores of texts, `(batch, classes)`; at the last place where each place has some."""
    scores: torch.Tensor = module(x)
    return scores[:, -1] if scores.ndim == 3 else scores


def text_loss(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, *, targeted: bool = False
) -> torch.Tensor:
    """What an attack makes large, `(batch,)`: the cross-entropy of `y`, or its negative."""
    value = functional.cross_entropy(answers(module, x), y, reduction="none")
    return -value if targeted else value


def text_fooled(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, *, targeted: bool = False
) -> torch.Tensor:
    """Whether each text is answered as the attacker wishes, `(batch,)`."""
    with torch.no_grad():
        said = answers(module, x).argmax(1)
    return (said == y) if targeted else (said != y)


def reader(module: nn.Module, x: torch.Tensor) -> nn.Embedding:
    """The layer that turns the tokens into vectors.

    Raises:
        ValueError: There is none.
    """
    found: list[nn.Embedding] = []

    def look(part: nn.Embedding, inputs: tuple[torch.Tensor, ...], _out: torch.Tensor) -> None:
        if inputs[0].shape == x.shape and torch.equal(inputs[0], x):
            found.append(part)

    tables = [part for part in module.modules() if isinstance(part, nn.Embedding)]
    hooks = [part.register_forward_hook(look) for part in tables]
    try:
        with torch.no_grad():
            module(x)
    finally:
        for hook in hooks:
            hook.remove()
    if not found:
        raise ValueError("hotflip: the network has no Embedding that reads the tokens; use greedy")
    return found[0]


@contextmanager
def caught(part: nn.Embedding) -> Iterator[list[torch.Tensor]]:
    """Within, the list holds the vectors that the embedding gave last, to differentiate by."""
    kept: list[torch.Tensor] = []

    def catch(_part: nn.Module, _inputs: object, vectors: torch.Tensor) -> torch.Tensor:
        kept[:] = [vectors.detach().requires_grad_()]
        return kept[0]

    hook = part.register_forward_hook(catch)
    try:
        yield kept
    finally:
        hook.remove()
