"""A transformer of Hugging Face, by its name or from a folder, put on the same table as ours.

The library is an extra (requirements-transformers.txt) and is imported when somebody asks for it.
Only weights in safetensors are read and no code that comes with a model is run. Folders must lie
below `PLAYGROUND_MODELS` (else `models` in the playground's home): a visitor names them.
"""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.attention.subject import Stream, Subject
from engine.data.dataset import IGNORED
from engine.data.tokens import shown
from engine.store.home import models

PREFIX = "transformer:"
LARGEST = 200_000_000  # parameters; more would not fit beside other visitors
MOST_TOKENS = 512

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[\w.-]{1,96})?")
SENTENCES = (
    "The cat sat on the mat because it was tired.",
    "When Mary and John went to the store, John gave a drink to Mary.",
    "one two three four one two three four one two three",
)


class Transformer(nn.Module):
    """The model as a module that takes tokens and gives scores."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        config: Any = model.config
        self.pair = bool(getattr(config, "is_encoder_decoder", False))
        # what a decoder begins with
        self.start = int(getattr(config, "decoder_start_token_id", 0) or 0)

    def forward(self, source: torch.Tensor, target: torch.Tensor | None = None) -> Any:
        """Tokens `(batch, n)`, and for an encoder with a decoder what is written so far."""
        if target is None:
            return self.model(input_ids=source)
        return self.model(input_ids=source, decoder_input_ids=target)


class Table:
    """What lies in front of a transformer; see `engine.attention.put.Table`."""

    def __init__(self, name: str) -> None:
        self.module, self._tokenizer = _opened(name)
        self.name = name
        self.words: tuple[str, ...] = ()
        self.kept = SimpleNamespace(summary={})

    def sample(self, number: int) -> Subject:
        """One of a few sentences."""
        return self.typed(SENTENCES[number % len(SENTENCES)], "one of our sentences")

    def typed(self, text: str, about: str = "what you typed") -> Subject:
        """A text; for an encoder with a decoder `source → target`.

        Raises:
            ValueError: It is empty or too long.
        """
        parts = text.replace("=>", "→").split("→") if self.module.pair else [text]
        if not parts[0].strip():
            raise ValueError("text: is empty; type a sentence")
        inputs = [torch.tensor([self.numbers(part.strip())]) for part in parts[:2]]
        if self.module.pair:
            written = inputs[1][0].tolist() if len(inputs) > 1 else []
            inputs = [inputs[0], torch.tensor([[self.module.start, *written]])]
        for one in inputs:
            if one.shape[1] > MOST_TOKENS:
                raise ValueError(f"text: at most {MOST_TOKENS} tokens; this has {one.shape[1]}")
        return self.of(tuple(inputs), self._next(inputs), about)

    def _next(self, inputs: list[torch.Tensor]) -> torch.Tensor | None:
        """For a model that says what comes next, a text is its own truth, one token later."""
        if not type(self.module.model).__name__.endswith(("LMHeadModel", "ForCausalLM")):
            return None
        return torch.cat([inputs[0][:, 1:], torch.tensor([[IGNORED]])], 1)

    def numbers(self, text: str, stream: int = 0) -> list[int]:
        """A text as tokens."""
        del stream
        found: list[int] = self._tokenizer(text, add_special_tokens=len(text.split()) > 1)[
            "input_ids"
        ]
        if not found:
            raise ValueError("text: holds nothing this model's tokenizer knows")
        return found

    def drawn(self, drawing: object) -> Subject:
        """No picture can be read."""
        del drawing
        raise ValueError("drawing: this model reads text; type some")

    def brought(self, line: str) -> Subject:
        """No picture can be read."""
        del line
        raise ValueError("yours: this model reads text; type some")

    def of(
        self, inputs: tuple[torch.Tensor, ...], truth: torch.Tensor | None, about: str
    ) -> Subject:
        """A subject of tokens."""
        roles = ("source", "target") if len(inputs) == 2 else ("tokens",)
        streams = tuple(
            Stream(self._said(x[0].tolist()), np.asarray(x[0]), role)
            for x, role in zip(inputs, roles, strict=True)
        )
        return Subject(self.module, inputs, streams, _Names(self), truth, about=about)  # type: ignore[arg-type]

    def _said(self, numbers: list[int]) -> tuple[str, ...]:
        pieces = self._tokenizer.convert_ids_to_tokens(numbers)
        return tuple(_plain(str(piece)) for piece in pieces)


class _Names:
    """What the outputs are called; asked one by one, for there are tens of thousands."""

    def __init__(self, table: Table) -> None:
        self._table = table
        config: Any = table.module.model.config
        self._classes: dict[int, str] = (
            config.id2label if "Classification" in type(table.module.model).__name__ else {}
        )

    def __len__(self) -> int:
        return len(self._classes) or len(self._table._tokenizer)

    def __getitem__(self, number: int) -> str:
        if self._classes:
            return self._classes[number]
        return self._table._said([number])[0]


def _plain(piece: str) -> str:
    """A piece as people read it: a space in front has a sign of its own in every tokenizer."""
    for mark in ("Ġ", "▁"):
        piece = piece.replace(mark, " ")
    return "".join(shown(sign) for sign in piece.replace("Ċ", "\n"))


def _opened(name: str) -> tuple[Transformer, Any]:
    """The model and its tokenizer.

    Raises:
        ValueError: The library is missing, the model cannot be had or is too large; says what
            to do.
    """
    try:
        import transformers
    except ImportError:
        raise ValueError(
            "transformer: the library is not installed here; pip install -r "
            "requirements-transformers.txt, and begin again"
        ) from None
    where = _place(name)
    safe: dict[str, Any] = {"trust_remote_code": False}
    try:
        config = transformers.AutoConfig.from_pretrained(where, **safe)
        kind = _kind(transformers, config)
        with torch.device("meta"):
            size = sum(p.numel() for p in kind.from_config(config).parameters())
        if size > LARGEST:
            raise ValueError(
                f"transformer: {name} has {size:,} parameters; at most {LARGEST:,} are opened "
                "here. Take a smaller one"
            )
        tokenizer = transformers.AutoTokenizer.from_pretrained(where, **safe)
        model = kind.from_pretrained(
            where, use_safetensors=True, attn_implementation="sdpa", dtype=torch.float32, **safe
        )
    except (OSError, ImportError, KeyError, RuntimeError) as error:
        raise ValueError(_told(name, error)) from None
    model.config.use_cache = False
    return Transformer(model).eval(), tokenizer


def _place(name: str) -> str:
    """The folder of a local model, or the name of one on the hub."""
    ours = models()
    folder = (ours / name).resolve()
    if folder.is_relative_to(ours) and (folder / "config.json").is_file():
        return str(folder)
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"transformer: {name!r:.80} is neither a folder in {ours} nor a name such as "
            "distilgpt2 or google/flan-t5-small"
        )
    return name


def _kind(transformers: Any, config: Any) -> Any:
    """The class that opens it: by what it was trained for, as its configuration says."""
    made = " ".join(config.architectures or ())
    if getattr(config, "is_encoder_decoder", False):
        return transformers.AutoModelForSeq2SeqLM
    for word, kind in (
        ("MaskedLM", "AutoModelForMaskedLM"),
        ("SequenceClassification", "AutoModelForSequenceClassification"),
        ("LMHead", "AutoModelForCausalLM"),
        ("CausalLM", "AutoModelForCausalLM"),
    ):
        if word in made:
            return getattr(transformers, kind)
    raise ValueError(
        f"transformer: made for {made or 'nothing that is told'}; here are opened language models "
        "(causal, masked, encoder-decoder) and classifiers of text"
    )


def _told(name: str, error: Exception) -> str:
    words = str(error)
    if "safetensors" in words:
        return f"transformer: {name} has no weights in safetensors; other files are never opened"
    near = words.splitlines()[0][:160] if words else type(error).__name__
    return (
        f"transformer: {name} cannot be had: {near}. Without a network, save a model into a folder "
        "of PLAYGROUND_MODELS and type the folder's name"
    )
