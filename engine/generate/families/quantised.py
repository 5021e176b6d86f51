"""VQ-VAE: codes are words of a book, and a second model learns how words follow each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import torch
from torch import nn
from torch.nn import functional

from engine.forms import Slider
from engine.generate.families import Networks, families
from engine.generate.families.autoencoder import Width
from engine.generate.model import Generative, Labels, Outline
from engine.generate.parts.masked import GatedStack

IDLE = 50  # steps without use after which an entry is put where it is needed


class Codebook(nn.Module):
    """A book of vectors; every vector that comes in is replaced by its nearest one.

    Choosing the nearest has no slope, so the gradient of what goes out is handed on unchanged to
    what came in (straight through).

    Source: van den Oord, Vinyals & Kavukcuoglu (2017), Neural Discrete Representation Learning.
    """

    def __init__(self, entries: int, size: int) -> None:
        super().__init__()
        self.entries = nn.Parameter(torch.randn(entries, size))
        self.idle: torch.Tensor
        self.register_buffer("idle", torch.zeros(entries, dtype=torch.int64))

    def nearest(self, vectors: torch.Tensor) -> torch.Tensor:
        """Numbers of the nearest entries, `(...)` for vectors `(..., size)`."""
        return torch.cdist(vectors.flatten(0, -2), self.entries).argmin(1).view(vectors.shape[:-1])

    def forward(self, vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The nearest entries, straight through, like `vectors`; and their numbers."""
        words = self.nearest(vectors)
        chosen = self.entries[words]
        return vectors + (chosen - vectors).detach(), words

    @torch.no_grad()
    def revive(self, vectors: torch.Tensor, words: torch.Tensor, draw: torch.Generator) -> None:
        """Put entries that were long unused at vectors that came in, drawn at random."""
        self.idle += 1
        self.idle[words.flatten().unique()] = 0
        gone = (self.idle >= IDLE).nonzero()[:, 0]
        flat = vectors.detach().flatten(0, -2)
        picked = torch.randint(len(flat), (len(gone),), generator=draw)
        self.entries[gone] = flat[picked]
        self.idle[gone] = 0


class Quantised(Generative):
    """Encoder -> grid of words -> decoder, and a prior that writes grids word by word.

    Makes |x' - x|² + |sg(e) - v|² + β |e - sg(v)|² small, v the encoder's vector, e its entry, sg
    without slope; all summed over an image. The prior learns the grids at the same time.

    Attributes:
        grid: Rows and columns of words.
        commitment: β: how strongly vectors are drawn to the entries they chose.
    """

    def __init__(
        self, outline: Outline, *, width: int, entries: int, size: int, commitment: float
    ) -> None:
        super().__init__(outline)
        halved = _halved(outline)
        self.grid = halved[-1]
        self.commitment = commitment
        self.encoder = _encoder(outline.shape[0], size, width, len(halved) - 1)
        self.decoder = _decoder(size, outline.shape[0], width, halved)
        self.book = Codebook(entries, size)
        self.prior = GatedStack(1, entries, width=32, depth=3, first=3, takes=size)
        self.latent = size * self.grid[0] * self.grid[1]

    def players(self) -> dict[str, Iterable[nn.Parameter]]:
        """The coder, and the prior that learns its words."""
        coder = [*self.encoder.parameters(), *self.decoder.parameters(), *self.book.parameters()]
        return {"coder": coder, "prior": self.prior.parameters()}

    def learn(self, x: torch.Tensor, labels: Labels, draw: torch.Generator) -> dict[str, float]:
        """One step of the coder, one of the prior on the words that came of it."""
        del labels
        vectors = self.vectors(x)
        passed, words = self.book(vectors)
        chosen = self.book.entries[words]
        rebuilt = (self._decoded(passed) - x).square().flatten(1).sum(1).mean()
        follow = (chosen - vectors.detach()).square().sum((1, 2, 3)).mean()
        commit = (vectors - chosen.detach()).square().sum((1, 2, 3)).mean()
        lost = self.descend("coder", rebuilt + follow + self.commitment * commit)
        self.book.revive(vectors, words, draw)
        odds = self.prior(self._shown(words))  # (n, entries, rows, columns)
        surprise = self.descend("prior", functional.cross_entropy(odds, words))
        used = words.unique().numel() / len(self.book.entries)
        return {
            "loss": lost,
            "loss prior": surprise,
            "squared error": rebuilt.item() / self.outline.size,
            "entries used": used,
        }

    def vectors(self, x: torch.Tensor) -> torch.Tensor:
        """What the encoder gives, `(n, rows, columns, size)`."""
        given: torch.Tensor = self.encoder(x)
        return given.permute(0, 2, 3, 1)

    def words(self, x: torch.Tensor) -> torch.Tensor:
        """Samples as grids of numbers of entries, `(n, rows, columns)`."""
        return self.book.nearest(self.vectors(x))

    def read(self, words: torch.Tensor) -> torch.Tensor:
        """What the decoder makes of grids of words."""
        return self._decoded(self.book.entries[words])

    @torch.no_grad()
    def write(self, count: int, draw: torch.Generator) -> torch.Tensor:
        """Grids drawn from the prior, word by word, `(count, rows, columns)`."""
        words = torch.zeros(count, *self.grid, dtype=torch.int64)
        for place in range(self.grid[0] * self.grid[1]):
            row, column = divmod(place, self.grid[1])
            odds = self.prior(self._shown(words))[:, :, row, column].softmax(1)
            words[:, row, column] = torch.multinomial(odds, 1, generator=draw)[:, 0]
        return words

    @torch.no_grad()
    def sample(self, count: int, draw: torch.Generator, labels: Labels = None) -> torch.Tensor:
        """Decoded grids from the prior."""
        del labels
        return self.read(self.write(count, draw))

    @torch.no_grad()
    def codes(self, count: int, draw: torch.Generator) -> torch.Tensor:
        """Grids drawn from the prior, as entries one behind the other, `(count, latent)`."""
        return self.book.entries[self.write(count, draw)].flatten(1)

    @torch.no_grad()
    def decode(self, z: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """What is made of codes, each vector replaced by its nearest entry before."""
        del labels
        return self._decoded(self.book(z.view(len(z), *self.grid, -1))[0])

    def encode(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """The chosen entries, one behind the other, `(n, latent)`."""
        del labels
        return self.book.entries[self.words(x)].flatten(1)

    def networks_out(self) -> dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]]:
        """Encoder, decoder and prior, each with an example of what it takes."""
        rows, columns = self.grid
        size = self.book.entries.shape[1]
        return {
            "encoder": (self.encoder, (torch.zeros(1, *self.outline.shape),)),
            "decoder": (self.decoder, (torch.zeros(1, size, rows, columns),)),
            "prior": (self.prior, (torch.zeros(1, size, rows, columns),)),
        }

    def _decoded(self, vectors: torch.Tensor) -> torch.Tensor:
        decoded: torch.Tensor = self.decoder(vectors.permute(0, 3, 1, 2))
        return decoded

    def _shown(self, words: torch.Tensor) -> torch.Tensor:
        """Words as the prior reads them: their entries, `(n, size, rows, columns)`."""
        return self.book.entries[words].detach().permute(0, 3, 1, 2)


def _halved(outline: Outline) -> list[tuple[int, int]]:
    """Rows and columns of every scale: halved once, and again while more than 8 are left."""
    sizes = [(outline.shape[1], outline.shape[2])]
    while len(sizes) == 1 or max(sizes[-1]) > 8:
        rows, columns = sizes[-1]
        sizes.append((-(-rows // 2), -(-columns // 2)))
    return sizes


def _encoder(takes: int, gives: int, width: int, halvings: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(takes, width, 3, padding=1), nn.SiLU()]
    for _ in range(halvings):
        layers += [nn.Conv2d(width, width, 3, stride=2, padding=1), nn.SiLU()]
    return nn.Sequential(*layers, nn.Conv2d(width, gives, 1))


def _decoder(takes: int, gives: int, width: int, sizes: list[tuple[int, int]]) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(takes, width, 3, padding=1), nn.SiLU()]
    for size in reversed(sizes[:-1]):
        layers += [nn.Upsample(size=size), nn.Conv2d(width, width, 3, padding=1), nn.SiLU()]
    return nn.Sequential(*layers, nn.Conv2d(width, gives, 3, padding=1))


@families.add(
    "vq-vae",
    title="VQ-VAE",
    kind="latent",
    plane=False,
    images=True,
    labelled=False,
    parts=[],
)
def vq_vae(
    outline: Outline,
    networks: Networks,
    *,
    entries: Annotated[int, Slider(2, 256, log=True, help="A larger book of words")] = 32,
    size: Annotated[int, Slider(1, 32, log=True, help="More numbers in a word")] = 8,
    width: Width = 32,
    commitment: Annotated[
        float, Slider(0.05, 2.0, log=True, help="Codes stay closer to the words they chose")
    ] = 0.25,
) -> Generative:
    """Writes an image as a small grid of words from a learnt book, and learns to write such grids.

    Source: van den Oord, Vinyals & Kavukcuoglu (2017), Neural Discrete Representation Learning.
    """
    del networks
    return Quantised(outline, width=width, entries=entries, size=size, commitment=commitment)
