"""Data sets of small grey pictures in four IDX files, as MNIST came and others after it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.data import idx
from engine.data.dataset import DataSet, split
from engine.data.download import fetch
from engine.store.home import home

VALID = 1000  # how many are set aside where only one pair of files is there
PARTS = ("train", "t10k")

Pair = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


@dataclass(frozen=True)
class Archive:
    """Where four files of pictures and labels are, and what they are.

    Attributes:
        name: Of the data set, and of its folder in the cache and in `PLAYGROUND_DATA`.
        title: What people call it.
        sources: Addresses that the files' names are put behind, tried in turn.
        files: Name of a file -> its checksum with its kind, and how many bytes it has at most.
        classes: What the labels mean.
        alone: Whether `PLAYGROUND_DATA` may be its folder itself.
    """

    name: str
    title: str
    sources: Sequence[str]
    files: Mapping[str, tuple[str, int]]
    classes: tuple[str, ...]
    alone: bool = False

    def read(self, size: int, seed: int) -> DataSet:
        """`size` training pictures, drawn by `seed`, and all that judge; grey in [0, 1].

        Raises:
            LookupError: The files are not here and cannot be downloaded; says what was tried.
            ValueError: A file is corrupt; says where.
        """
        pairs = self._local() or self._downloaded()
        if len(pairs) == 1:
            ((x, y),) = pairs.values()
            (name,) = pairs
            note = (
                f"{self.title}, the {len(x):,} images of its {name} files, {VALID:,} of them set "
                "aside"
            )
            order = np.random.default_rng(seed).permutation(len(x))
            chosen = order[: min(size + VALID, len(x))]
            return self._images(x[chosen], y[chosen], VALID, seed, note)
        (x, y), (test_x, test_y) = pairs["train"], pairs["t10k"]
        chosen = np.random.default_rng(seed).permutation(len(x))[:size]
        note = (
            f"{self.title}, {len(chosen):,} of {len(x):,} training images, all {len(test_x):,} "
            "test images"
        )
        learn = self._images(x[chosen], y[chosen], 0, seed, note)
        judge = self._images(test_x, test_y, len(test_x), seed, note)
        return replace(learn, valid_x=judge.valid_x, valid_y=judge.valid_y)

    def at_hand(self) -> bool:
        """Whether it can be read without the internet: from its folder or the cache."""
        if any(self._find(f"{part}-images", "idx3-ubyte") for part in PARTS):
            return True
        return all((self._cache / name).exists() for name in self.files)

    @property
    def _cache(self) -> Path:
        return home() / "data" / self.name

    def _images(
        self, x: npt.NDArray[np.uint8], y: npt.NDArray[np.uint8], valid: int, seed: int, note: str
    ) -> DataSet:
        """Bytes `(n, 28, 28)` as a data set with values in [0, 1]."""
        scaled = x[:, None].astype(np.float32) / 255
        return split(self.name, scaled, y, self.classes, seed=seed, valid=valid, note=note)

    def _local(self) -> dict[str, Pair]:
        """The pairs of files below `PLAYGROUND_DATA`, by `train` and `t10k`; maybe none."""
        found: dict[str, Pair] = {}
        for part in PARTS:
            images = self._find(f"{part}-images", "idx3-ubyte")
            labels = self._find(f"{part}-labels", "idx1-ubyte")
            if images and labels:
                found[part] = self._pair(images, labels)
        return found

    def _find(self, stem: str, kind: str) -> Path | None:
        """A file by the names it goes by, in its folder."""
        root = os.environ.get("PLAYGROUND_DATA")
        if not root:
            return None
        folders = [Path(root)] * self.alone + [Path(root) / self.name]
        names = [f"{stem}{joint}{kind}{end}" for joint in "-." for end in ("", ".gz")]
        places = [place / name for place in folders for name in names]
        return next((place for place in places if place.is_file()), None)

    def _downloaded(self) -> dict[str, Pair]:
        """Both pairs from the cache, downloaded if need be."""
        paths = {}
        try:
            for name, (checksum, largest) in self.files.items():
                sources = [source + name for source in self.sources]
                target = self._cache / name
                paths[name] = fetch(sources, target, checksum=checksum, largest=largest)
        except LookupError as error:
            place = "MNIST's IDX files" if self.alone else f"a folder {self.name} of its IDX files"
            raise LookupError(
                f"{self.title} is not here: PLAYGROUND_DATA is "
                f"{os.environ.get('PLAYGROUND_DATA')!r} and {error}. Set PLAYGROUND_DATA to a "
                f"folder with {place}, or take the data set 'digits', which needs no download"
            ) from error
        return {
            part: self._pair(
                paths[f"{part}-images-idx3-ubyte.gz"], paths[f"{part}-labels-idx1-ubyte.gz"]
            )
            for part in PARTS
        }

    def _pair(self, images: Path, labels: Path) -> Pair:
        """Images `(n, 28, 28)` and labels `(n,)` that fit each other."""
        x, y = idx.read(images), idx.read(labels)
        if x.ndim != 3 or x.shape[1:] != (28, 28):
            raise ValueError(f"{images.name}: must hold images of 28 x 28; got shape {x.shape}")
        if y.shape != x.shape[:1]:
            raise ValueError(f"{labels.name}: must hold {len(x)} labels; got shape {y.shape}")
        if len(y) <= VALID:
            raise ValueError(f"{images.name}: must hold more than {VALID} images; got {len(y)}")
        if y.max() > 9:
            place = 8 + int(np.argmax(y > 9))
            raise ValueError(f"{labels.name}: byte {place} must be a digit 0 to 9; got {y.max()}")
        return x, y
