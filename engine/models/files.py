"""A model, its inputs and its answers as files: what the command line reads and writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from engine.models.kept import Kept, open_weights
from engine.network.spec import NetworkSpec

MOST_NUMBERS = 50_000_000  # in one file of inputs


def open_model(spec: Path, weights: Path) -> Kept:
    """The network of a spec's file with the weights of a safetensors file.

    Raises:
        ValueError: A file is corrupt, or the two do not fit each other.
    """
    parsed = NetworkSpec.parse(spec.read_bytes())
    return Kept(parsed, open_weights(parsed, weights))


def read_input(path: Path, shape: tuple[int, ...], vocabulary: int = 0) -> torch.Tensor:
    """Samples from a .npy file, `(batch, *shape)`; one sample alone becomes a batch of one.

    With a `vocabulary`, the number of different tokens, they are whole numbers below it.

    Raises:
        ValueError: The file is no array of finite numbers of that shape.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError):  # numpy's own words advise to unpickle: never
        raise ValueError(f"{path.name}: is no .npy file of numbers") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        raise ValueError(f"{path.name}: must hold one array of numbers")
    batch = array[None] if array.shape == shape else array
    if batch.shape[1:] != shape or not len(batch):
        raise ValueError(
            f"{path.name}: must hold samples of shape {list(shape)}, alone or in a batch; got "
            f"{list(array.shape)}"
        )
    if batch.size > MOST_NUMBERS:
        raise ValueError(f"{path.name}: must hold at most {MOST_NUMBERS:,} numbers")
    if vocabulary:
        return _tokens(path, np.array(batch), vocabulary)
    x = torch.from_numpy(np.array(batch, dtype=np.float32))
    if not bool(x.isfinite().all()):
        raise ValueError(f"{path.name}: must be finite; it holds NaN or infinity")
    return x


def _tokens(path: Path, batch: np.ndarray, vocabulary: int) -> torch.Tensor:
    wrong = (batch < 0) | (batch >= vocabulary) | (batch != np.floor(batch))
    if wrong.any():
        raise ValueError(
            f"{path.name}: must hold tokens, whole numbers from 0 to {vocabulary - 1}; got "
            f"{batch[wrong][0]}"
        )
    return torch.from_numpy(batch.astype(np.int64))


def write_arrays(path: Path, arrays: Mapping[str, object]) -> None:
    """Arrays and numbers as an .npz file, whatever the name ends in."""
    with path.open("wb") as file:
        np.savez(
            file, allow_pickle=False, **{name: np.asarray(value) for name, value in arrays.items()}
        )
