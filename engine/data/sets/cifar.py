"""CIFAR-10: small photographs in colour, from the archive without pickles."""

from __future__ import annotations

import os
import re
import tarfile
import zlib
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt

from engine.data.dataset import DataSet, datasets
from engine.data.download import fetch
from engine.forms import Slider
from engine.store.home import home

NAME = "cifar-10-binary.tar.gz"
SOURCES = (f"https://www.cs.toronto.edu/~kriz/{NAME}",)
CHECKSUM = "md5:c32a1d4ab5d03f1284b67883e8d87530"  # as the data set's page lists it
BYTES = 171_000_000
RECORD = 1 + 3 * 32 * 32  # a label, then the red, the green and the blue pixels
MOST_RECORDS = 10_000  # of one file
CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)


@datasets.add("cifar10", shape=[3, 32, 32], classes=list(CLASSES), kind="image", download=True)
def cifar10(
    size: Annotated[int, Slider(500, 30_000, log=True, help="More training images")] = 10_000,
    seed: Annotated[int, Slider(0, 999, help="Another draw of training images")] = 0,
) -> DataSet:
    """Photographs of ten kinds of things, 32 x 32 pixels in colour; 162 MB, downloaded once.

    Source: Krizhevsky (2009), Learning multiple layers of features from tiny images.
    """
    import torch

    files = records(_path(), 1 + (size - 1) // MOST_RECORDS)
    learnt = np.concatenate([file for name, file in files.items() if name.startswith("data")])
    judged = files["test_batch.bin"]
    random = np.random.default_rng(seed)
    learnt = learnt[random.permutation(len(learnt))[:size]]
    judged = judged[random.permutation(len(judged))[:2_000]]
    (x, y), (valid_x, valid_y) = (
        (torch.from_numpy(pixels(one)), torch.from_numpy(one[:, 0].astype(np.int64)))
        for one in (learnt, judged)
    )
    return DataSet(
        name="cifar10",
        task="classification",
        train_x=x,
        train_y=y,
        valid_x=valid_x,
        valid_y=valid_y,
        classes=CLASSES,
        shape=(3, 32, 32),
        note=f"CIFAR-10, {len(x):,} training images, {len(valid_x):,} of its test images",
    )


def records(path: Path, batches: int) -> dict[str, npt.NDArray[np.uint8]]:
    """File -> its records, `(n, RECORD)`: the first `batches` of training, and the test.

    Nothing is unpacked to the disk: of the archive only plain files with the six known names are
    read, and none that is larger than it may be.

    Raises:
        ValueError: It is another archive, or a corrupt one; says which file.
    """
    wanted = {f"data_batch_{n + 1}.bin" for n in range(batches)} | {"test_batch.bin"}
    found: dict[str, npt.NDArray[np.uint8]] = {}
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                name = member.name.rpartition("/")[2]
                if name not in wanted or not member.isfile():
                    continue
                found[name] = _records(archive, member, name)
                if len(found) == len(wanted):
                    break
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path.name}: must be a tar archive packed with gzip; {error}") from error
    missing = sorted(wanted - set(found))
    if missing:
        raise ValueError(f"{path.name}: must hold {', '.join(missing)}; is it another archive?")
    return found


def _records(archive: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> npt.NDArray[np.uint8]:
    if member.size % RECORD or not 0 < member.size <= MOST_RECORDS * RECORD:
        raise ValueError(
            f"{name}: must have 1 to {MOST_RECORDS:,} records of {RECORD} bytes; "
            f"got {member.size:,} bytes"
        )
    file = archive.extractfile(member)
    content = b"" if file is None else file.read(member.size)
    rows = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    wrong = np.flatnonzero(rows[:, 0] >= len(CLASSES))
    if len(wrong):
        place = int(wrong[0])
        raise ValueError(
            f"{name}: record {place + 1} (byte {place * RECORD}): the label must be 0 to 9; "
            f"got {rows[place, 0]}"
        )
    return rows


def pixels(rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Records as pictures, `(n, 3, 32, 32)` in [0, 1]."""
    return rows[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / np.float32(255)


def _path() -> Path:
    folder = os.environ.get("PLAYGROUND_DATA")
    found = sorted(Path(folder).glob(f"**/{re.escape(NAME)}")) if folder else []
    if found:
        return found[0]
    try:
        return fetch(SOURCES, home() / "data" / NAME, checksum=CHECKSUM, largest=BYTES)
    except LookupError as error:
        raise LookupError(
            f"CIFAR-10 is not here: {error}. Set PLAYGROUND_DATA to a folder with {NAME}, or take "
            "the data set 'photographs', which needs no download"
        ) from None
