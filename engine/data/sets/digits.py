"""Handwritten digits: scikit-learn's small ones, and MNIST."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from engine.data import idx
from engine.data.dataset import DataSet, datasets, split
from engine.data.download import fetch
from engine.forms import Slider
from engine.store.home import home

CLASSES = tuple("0123456789")
VALID = 1000  # how many of MNIST are set aside where only one pair of files is there

SOURCES = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
FILES = {  # name -> (SHA-256, bytes)
    "train-images-idx3-ubyte.gz": (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        9_912_422,
    ),
    "train-labels-idx1-ubyte.gz": (
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        28_881,
    ),
    "t10k-images-idx3-ubyte.gz": (
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        1_648_877,
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        4_542,
    ),
}

Pair = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


@datasets.add("digits", shape=[1, 8, 8], classes=list(CLASSES), kind="image")
def digits(
    seed: Annotated[int, Slider(0, 999, help="Another split into training and validation")] = 0,
) -> DataSet:
    """1,797 handwritten digits of 8 x 8 pixels, always at hand.

    Source: Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits, UCI.
    """
    from sklearn.datasets import load_digits  # here: takes a second to import

    bunch: Any = load_digits()  # scikit-learn has no types
    x = bunch.images[:, None] / 16  # 17 levels of grey, (1797, 1, 8, 8)
    note = "UCI digits, grey levels scaled to [0, 1]; 360 are set aside for validation"
    return split("digits", x, bunch.target, CLASSES, seed=seed, valid=360, note=note)


@datasets.add("mnist", shape=[1, 28, 28], classes=list(CLASSES), kind="image")
def mnist(
    size: Annotated[int, Slider(500, 60_000, log=True, help="More training images")] = 10_000,
    seed: Annotated[int, Slider(0, 999, help="Another draw of training images")] = 0,
) -> DataSet:
    """Handwritten digits of 28 x 28 pixels, from your folder of IDX files or downloaded once.

    Source: LeCun, Cortes & Burges (1998), The MNIST database of handwritten digits.
    """
    pairs = _local() or _downloaded()
    if len(pairs) == 1:
        ((x, y),) = pairs.values()
        (name,) = pairs
        note = f"MNIST, the {len(x):,} images of its {name} files, {VALID:,} of them set aside"
        order = np.random.default_rng(seed).permutation(len(x))
        chosen = order[: min(size + VALID, len(x))]
        return _images(x[chosen], y[chosen], VALID, seed, note)
    (x, y), (test_x, test_y) = pairs["train"], pairs["t10k"]
    chosen = np.random.default_rng(seed).permutation(len(x))[:size]
    note = f"MNIST, {len(chosen):,} of {len(x):,} training images, all {len(test_x):,} test images"
    learn = _images(x[chosen], y[chosen], 0, seed, note)
    judge = _images(test_x, test_y, len(test_x), seed, note)
    return DataSet(
        name="mnist",
        task="classification",
        train_x=learn.train_x,
        train_y=learn.train_y,
        valid_x=judge.valid_x,
        valid_y=judge.valid_y,
        classes=CLASSES,
        shape=learn.shape,
        note=note,
    )


def at_hand() -> bool:
    """Whether MNIST can be read without the internet: from its folder or the cache."""
    folder = os.environ.get("PLAYGROUND_DATA")
    if folder and any(
        _find(Path(folder), f"{part}-images", "idx3-ubyte") for part in ("train", "t10k")
    ):
        return True
    return all((home() / "data" / "mnist" / name).exists() for name in FILES)


def _images(
    x: npt.NDArray[np.uint8], y: npt.NDArray[np.uint8], valid: int, seed: int, note: str
) -> DataSet:
    """Bytes `(n, 28, 28)` as a data set with values in [0, 1]."""
    scaled = x[:, None].astype(np.float32) / 255
    return split("mnist", scaled, y, CLASSES, seed=seed, valid=valid, note=note)


def _local() -> dict[str, Pair]:
    """The pairs of files in the folder `PLAYGROUND_DATA`, by `train` and `t10k`; maybe none."""
    folder = os.environ.get("PLAYGROUND_DATA")
    if not folder:
        return {}
    found: dict[str, Pair] = {}
    for part in ("train", "t10k"):
        images = _find(Path(folder), f"{part}-images", "idx3-ubyte")
        labels = _find(Path(folder), f"{part}-labels", "idx1-ubyte")
        if images and labels:
            found[part] = _pair(images, labels)
    return found


def _find(folder: Path, stem: str, kind: str) -> Path | None:
    """A file by the names it goes by, in the folder or in its folder `mnist`."""
    names = [f"{stem}{joint}{kind}{end}" for joint in "-." for end in ("", ".gz")]
    places = [place / name for place in (folder, folder / "mnist") for name in names]
    return next((place for place in places if place.is_file()), None)


def _downloaded() -> dict[str, Pair]:
    """Both pairs from the cache, downloaded if need be."""
    paths = {}
    try:
        for name, (sha256, largest) in FILES.items():
            sources = [source + name for source in SOURCES]
            target = home() / "data" / "mnist" / name
            paths[name] = fetch(sources, target, sha256=sha256, largest=largest)
    except LookupError as error:
        raise LookupError(
            f"MNIST is not here: PLAYGROUND_DATA is {os.environ.get('PLAYGROUND_DATA')!r} and "
            f"{error}. Set PLAYGROUND_DATA to a folder with MNIST's IDX files, or take the data "
            f"set 'digits', which needs no download"
        ) from error
    return {
        part: _pair(paths[f"{part}-images-idx3-ubyte.gz"], paths[f"{part}-labels-idx1-ubyte.gz"])
        for part in ("train", "t10k")
    }


def _pair(images: Path, labels: Path) -> Pair:
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
