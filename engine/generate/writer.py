"""A trained network as somebody who writes on: which models can, and how far they look back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from engine.data.tokens import encode
from engine.generate.cache import Cache, misfit
from engine.models.kept import Kept
from engine.network.build import Network
from engine.network.modules.positions import LearnedPositions
from engine.network.modules.recurrent import GRU, LSTM, RNN
from engine.network.modules.state_space import S4D, Mamba
from engine.network.spec import Node

Tensor = torch.Tensor
ENDLESS = (RNN, GRU, LSTM, S4D, Mamba)  # what carries places by a state alone


class Writer:
    """Says what comes next after any text, in pieces where the network allows it.

    Args:
        network: The network, in eval mode.
        longest: How many tokens it looks back on at most; None for all.
        fixed: Its inputs before the text, `(1, n)` each: a source to translate.
        cached: Whether it keeps what it has read.

    Attributes:
        why: Why nothing can be kept, in words; empty where something is.
        read: How many places the network has read so far, over and over counted.
    """

    def __init__(
        self,
        network: Network,
        *,
        longest: int | None,
        fixed: Sequence[Tensor] = (),
        cached: bool = True,
    ) -> None:
        self.network, self.longest, self.fixed = network, longest, tuple(fixed)
        self.why = "" if cached else "it was asked not to"
        self.cache: Cache | None = None
        self._checked = not cached
        self._inside: list[int] = []  # the tokens that the cache has read
        self.read = 0

    def prepare(self, tokens: Sequence[int]) -> None:
        """Find out with a text whether anything can be kept; `scores` does so else."""
        if not self._checked:
            with torch.inference_mode():
                self._check(list(tokens[window(len(tokens), self.longest) :]))

    def scores(self, tokens: Sequence[int]) -> Tensor:
        """The scores of what comes after a text, `(tokens,)`."""
        self.prepare(tokens)
        text = list(tokens[window(len(tokens), self.longest) :])
        with torch.inference_mode():
            if self.cache is None:
                self.read += len(text)
                return cast("Tensor", self.network(*self.fixed, torch.tensor([text])))[0, -1]
            known = len(self._inside)
            if text[:known] != self._inside or known >= len(text):
                self.cache.clear()
                known = 0
            new = self.cache.read(torch.tensor([text[known:]]))
            self.read += len(text) - known
            self._inside = text
            return new[0, -1]

    def all_scores(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Scores for several texts of one length at once, nothing kept: `(texts, tokens)`."""
        batch = torch.tensor([text[window(len(text), self.longest) :] for text in texts])
        fixed = [one.expand(len(batch), -1) for one in self.fixed]
        with torch.inference_mode():
            return cast("Tensor", self.network(*fixed, batch))[:, -1]

    def _check(self, text: list[int]) -> None:
        self._checked = True
        trial = text if len(text) > 1 else text * 2
        self.why = misfit(self.network, torch.tensor([trial]), *self.fixed)
        if not self.why:
            self.cache = Cache(self.network, *self.fixed)


def window(length: int, longest: int | None) -> int:
    """Where the part begins that is looked at, of a text of that length.

    It jumps by half of what fits, not by one token at a time: so a cache stays good for a while.
    """
    if longest is None or length <= longest:
        return 0
    jump = max(1, longest // 2)
    return -(-(length - longest) // jump) * jump


def longest(network: nn.Module, trained: int) -> int | None:
    """How many tokens the network looks back on: as many as it was trained with.

    None for a network that carries a state alone, which has no end.
    """
    learned = [p.weight.shape[0] for p in network.modules() if isinstance(p, LearnedPositions)]
    if learned:
        return int(min(learned))
    mixes = [type(part).__name__ for part in network.modules()]
    looks = any("Attention" in name or "Transformer" in name for name in mixes)
    carries = any(isinstance(part, ENDLESS) for part in network.modules())
    return None if carries and not looks else trained


def refusal(kept: Kept) -> str:
    """Why a model cannot write on, in a sentence; empty if it can."""
    inputs = text_inputs(kept)
    if not inputs:
        return "Only models that read text can write: train one on stories, copy or translation."
    words = kept.vocabulary
    if words and kept.classes and kept.classes != words:
        named = ", ".join(kept.classes[:3])
        return f"This model answers with {named}, not with the next token, so it cannot write on."
    tokens = [torch.zeros(1, node.params["shape"][0], dtype=torch.int64) for node in inputs]
    with torch.inference_mode():
        answer = kept.module(*tokens)
    if not isinstance(answer, Tensor) or answer.ndim != 3 or answer.shape[1] != tokens[-1].shape[1]:
        return "This model gives one answer for a whole text; only one for each place can write on."
    return ""


def text_inputs(kept: Kept) -> list[Node]:
    """The inputs of a model that reads one or two texts; none if it reads anything else."""
    inputs = [node for node in kept.spec.nodes if node.type == "Input"]
    reads = all(node.params.get("dtype") == "token" for node in inputs)
    return inputs if reads and 1 <= len(inputs) <= 2 else []


def writer(kept: Kept, source: Sequence[int] = (), *, cached: bool = True) -> Writer:
    """Somebody who writes with a model, `source` being the text to translate where it has two.

    Raises:
        ValueError: The model cannot write on; says why.
    """
    if reason := refusal(kept):
        raise ValueError(reason)
    *before, text = text_inputs(kept)
    fixed = []
    if before:
        length = int(before[0].params["shape"][0])
        filled = [*source[:length], *[0] * (length - len(source))]  # 0 is what fills up
        fixed.append(torch.tensor([filled]))
    network = cast("Network", kept.module)
    reach = longest(network, int(text.params["shape"][0]))
    return Writer(network, longest=reach, fixed=fixed, cached=cached)


def numbers(text: str, vocabulary: Sequence[str], size: int) -> list[int]:
    """A prompt as tokens; without a vocabulary it is written as whole numbers.

    Raises:
        ValueError: It is empty, or the model does not know a part of it.
    """
    if vocabulary:
        found = encode(text, vocabulary)
    else:
        pieces = text.replace(",", " ").split()
        wrong = next((p for p in pieces if not (p.isdecimal() and int(p) < size)), None)
        if wrong is not None:
            raise ValueError(
                "prompt: nobody knows this model's words; write its tokens as whole numbers from "
                f"0 to {size - 1}; got {wrong!r:.40}"
            )
        found = [int(piece) for piece in pieces]
    if not found:
        raise ValueError("prompt: is empty; type how the text begins")
    return found
