"""What is put in front of a model of ours: a sample of its data, words, a drawing or a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from engine.attention.subject import Stream, Subject
from engine.data import DataSet, load
from engine.data.dataset import IGNORED
from engine.data.tokens import encode, shown
from engine.explain.own import read
from engine.models.inputs import resample
from engine.models.kept import Kept
from engine.network.spec import NetworkSpec, Node
from engine.views import Array

MOST_TOKENS = 1024
ROLES = ("source", "target")


class Table:
    """What lies in front of one model; its data set is read when first asked for."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self._data: DataSet | None = None
        self.inputs = [node for node in kept.spec.nodes if node.type == "Input"]
        self.words = tuple(str(word) for word in kept.summary.get("vocabulary", ()))

    @property
    def reads(self) -> str:
        """What the model takes: `text`, `picture` or `numbers`."""
        if any(node.params.get("dtype") == "token" for node in self.inputs):
            return "text"
        return "picture" if len(_shape(self.inputs[0])) == 3 else "numbers"

    def sample(self, number: int) -> Subject:
        """A validation sample by number, counted round and round; noise where there is no data."""
        data = self._known()
        if data is None:
            return self._noise(number)
        index = number % len(data.valid_x)
        x, y = data.valid_x[index : index + 1], data.valid_y[index : index + 1]
        truth = y if data.task == "classification" else None
        return self.of(data.inputs(x), truth, f"validation sample {index}")

    def typed(self, text: str) -> Subject:
        """What somebody wrote; for two inputs their texts stand left and right of `→` or `=>`.

        Raises:
            ValueError: It is empty, too long, or holds what the model does not know.
        """
        if self.reads != "text":
            raise ValueError(
                f"text: this model takes {self._takes()}, no words; take a sample"
                + (", a drawing or a picture" if self.reads == "picture" else "")
            )
        parts = text.replace("=>", "→").split("→") if len(self.inputs) > 1 else [text]
        if len(parts) != len(self.inputs):
            raise ValueError("text: this model takes two texts; write them as: source → target")
        made = [
            self._tokens(part.strip() if len(parts) > 1 else part, stream)
            for stream, part in enumerate(parts)
        ]
        return self.of(tuple(made), self._next(made), "What you typed")

    def drawn(self, drawing: Sequence[float]) -> Subject:
        """What somebody drew, brought to the size the model takes."""
        if self.reads != "picture":
            raise ValueError(f"drawing: this model takes {self._takes()}, no pictures")
        if not len(drawing):
            raise ValueError("drawing: nothing is drawn yet; draw on the pad, or take a sample")
        return self.of((resample(drawing, _shape(self.inputs[0])),), None, "your drawing")

    def brought(self, line: str) -> Subject:
        """A picture that somebody uploaded or took, as `engine.explain.own` writes it down."""
        if not line:
            raise ValueError("yours: nothing has been brought yet; open Your own picture")
        given = read(line, _shape(self.inputs[0]), self.words)
        return self.of((given.x,), None, given.words)

    def of(
        self, inputs: tuple[torch.Tensor, ...], truth: torch.Tensor | None, about: str
    ) -> Subject:
        """A subject of tensors, one for each input, with a batch of one."""
        roles = ROLES if len(inputs) == 2 else ("tokens",) * len(inputs)
        streams = tuple(self._stream(x, role) for x, role in zip(inputs, roles, strict=True))
        picture = as_picture(inputs[0][0]) if inputs[0].ndim == 4 else None
        return Subject(
            self.kept.module, inputs, streams, self.kept.classes, truth, picture, about=about
        )

    def _next(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor | None:
        """For a model that says what comes next, a text is its own truth, one token later."""
        if len(inputs) != 1 or not self.words or self.kept.classes != self.words:
            return None
        return torch.cat([inputs[0][:, 1:], torch.tensor([[IGNORED]])], 1)

    def _known(self) -> DataSet | None:
        if self._data is None and self.kept.data:
            data = load(self.kept.data)
            wanted = tuple(_shape(node) for node in self.inputs)
            if data.shapes != wanted:
                raise ValueError(
                    f"the model takes {self._takes()}; {data.name} has samples of shape "
                    f"{[list(shape) for shape in data.shapes]}"
                )
            self._data, self.words = data, data.vocabulary
        return self._data

    def _noise(self, number: int) -> Subject:
        generator = torch.Generator().manual_seed(number)
        made = []
        for node in self.inputs:
            shape = (1, *_shape(node))
            if node.params.get("dtype") == "token":
                most = vocabulary_of(self.kept.spec, node)
                made.append(torch.randint(most, shape, generator=generator))
            else:
                made.append(torch.rand(shape, generator=generator))
        return self.of(tuple(made), None, f"noise {number}: no data here fits this model")

    def numbers(self, text: str, stream: int = 0) -> list[int]:
        """A text as the tokens of one of the inputs.

        Raises:
            ValueError: It holds something the model does not know.
        """
        self._known()
        if self.words:
            return encode(text, self.words)
        return _whole(text, vocabulary_of(self.kept.spec, self.inputs[stream]))

    def _tokens(self, text: str, stream: int) -> torch.Tensor:
        """A text as `(1, n)` tokens, as long as the model can read."""
        if not text.strip():
            raise ValueError("text: is empty; type some words the model knows")
        numbers = self.numbers(text, stream)
        longest = min(MOST_TOKENS, _shape(self.inputs[stream])[0])
        if len(numbers) > longest:
            raise ValueError(
                f"text: the model reads at most {longest} tokens; this has {len(numbers)}"
            )
        return torch.tensor([numbers])

    def _stream(self, x: torch.Tensor, role: str) -> Stream:
        if x.ndim == 2 and not x.is_floating_point():
            ids = x[0].numpy()
            known = self.words
            words = tuple(shown(known[i]) if i < len(known) else str(i) for i in ids.tolist())
            return Stream(words, ids, role)
        count = x.shape[1] if x.ndim == 3 else 0
        return Stream(tuple(str(i) for i in range(count)), np.zeros(0, dtype=np.int64), role)

    def _takes(self) -> str:
        shapes = " and ".join(" × ".join(map(str, _shape(node))) for node in self.inputs)
        kind = {"text": "tokens", "picture": "pictures", "numbers": "numbers"}[self.reads]
        return f"{kind} of {shapes}"


def vocabulary_of(spec: NetworkSpec, node: Node) -> int:
    """How many different tokens an input may hold."""
    given = node.params.get("vocabulary")
    if isinstance(given, int):
        return given
    sizes = [one.params.get("num_embeddings") for one in spec.nodes if one.type == "Embedding"]
    return min((size for size in sizes if isinstance(size, int)), default=2)


def as_picture(x: torch.Tensor) -> Array:
    """`(channels, rows, columns)` as a picture, its values brought to [0, 1]."""
    plain = x.detach().float()
    image = plain[:3].permute(1, 2, 0) if len(plain) >= 3 else plain.mean(0)
    low, high = float(image.min()), float(image.max())
    if low < 0 or high > 1:
        image = (image - low) / max(high - low, 1e-9)
    return np.asarray(image.numpy(), dtype=np.float32)


def _shape(node: Node) -> tuple[int, ...]:
    return tuple(node.params.get("shape", ()))


def _whole(text: str, most: int) -> list[int]:
    """Tokens written as numbers, for a model whose words nobody knows."""
    pieces = text.replace(",", " ").split()
    wrong = next((p for p in pieces if not (p.isdecimal() and int(p) < most)), None)
    if wrong is not None:
        raise ValueError(
            f"text: nobody knows this model's words; type its tokens as whole numbers from 0 to "
            f"{most - 1}, for instance: 1 2 3. Got {wrong!r:.40}"
        )
    return [int(piece) for piece in pieces]
