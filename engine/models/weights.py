"""The numbers of one layer: as a matrix to be looked at, and changed one at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.network.build import build
from engine.network.graph import Step
from engine.network.modules.cuts import begin, cut, places
from engine.network.registry import factory, find, words
from engine.network.spec import NetworkSpec
from engine.network.trace import Trace, trace
from engine.network.words import nearest

SIDE = 128  # cells shown at once, either way
MOST_BUILT = 5_000_000  # parameters of a network that is built whole to see one of its layers
MOST_CUT = 4_096  # cut cells that are told
LARGEST = 1e6  # of a value set by hand

_FILES = (("weights.safetensors", ""), ("checkpoint.safetensors", "model."))


@dataclass(frozen=True)
class _Found:
    """A layer, its parameters by name, and whether they are the first ones."""

    step: Step
    tensors: Mapping[str, Tensor]
    first: bool


def look(
    node: str,
    *,
    spec: Mapping[str, Any] | None = None,
    folder: str = "",
    name: str = "weight",
    seed: int = 0,
    window: Sequence[int] | None = None,
) -> dict[str, Any]:
    """One parameter of a layer as a matrix of at most `SIDE` × `SIDE` cells.

    A Linear is drawn as `(outputs, inputs)`, a convolution as tiles of its kernels.

    Args:
        node: Path of the layer, such as `conv1` or `layer2.0.conv1`.
        spec: The network, whose first weights are shown; or else
        folder: Where a training kept one.
        name: Which parameter; the layer's first where it has no `weight`.
        seed: Of the first weights.
        window: Row, column, rows and columns of the part to show; all if None.

    Raises:
        ValueError: There is no such layer or parameter; says what there is.
    """
    found = _kept(Path(folder), node) if folder else _first(NetworkSpec.parse(spec), node, seed)
    if name == "weight" and name not in found.tensors:
        name = next(iter(found.tensors), name)
    tensor = _choose(found, name)
    matrix, tile = _matrix(tensor)
    top, left, rows, columns = _window(window, matrix.shape)
    gone = places(tensor.shape, found.step.cut if name == "weight" else ())
    part = matrix[top : top + rows, left : left + columns]
    hidden = _matrix(gone)[0][top : top + rows, left : left + columns]
    step = [math.ceil(rows / SIDE), math.ceil(columns / SIDE)]
    shown, cells = _coarse(part, step), _coarse(hidden.float(), step)
    return {
        "node": node,
        "type": found.step.type,
        "name": name,
        "names": {key: list(value.shape) for key, value in found.tensors.items()},
        "shape": list(tensor.shape),
        "axes": tensor.ndim,
        "tile": tile,
        "top": top,
        "left": left,
        "rows": shown.shape[0],
        "columns": shown.shape[1],
        "step": step,
        "grid": list(matrix.shape),
        "values": [[float(f"{value:.5g}") for value in row] for row in shown.tolist()],
        "low": float(tensor.min()),
        "high": float(tensor.max()),
        "frozen": found.step.frozen,
        "cut": cells.nonzero()[:MOST_CUT].tolist(),
        "first": found.first,
    }


def edit(
    folder: str, node: str, index: Sequence[int], value: float, name: str = "weight"
) -> dict[str, float]:
    """Change one number of a kept network, in its weights and in its checkpoint.

    Args:
        folder: Where a training, which has ended, kept it.
        node: Path of the layer.
        index: Which number of the parameter.
        value: What it becomes.
        name: Which parameter.

    Raises:
        ValueError: There is no such number, or it is cut and has to stay zero.
    """
    found = _kept(Path(folder), node)
    tensor = _choose(found, name)
    place = tuple(index)
    inside = all(0 <= i < n for i, n in zip(place, tensor.shape, strict=False))
    if len(place) != tensor.ndim or not inside:
        raise ValueError(f"{node}: index {list(place)} must lie in {name} of {words(tensor.shape)}")
    if not (math.isfinite(value) and abs(value) <= LARGEST):
        raise ValueError(f"{node}: a weight must lie between -{LARGEST:g} and {LARGEST:g}")
    if name == "weight" and bool(places(tensor.shape, found.step.cut)[place]):
        raise ValueError(f"{node}: connection {list(place)} is cut; it has to stay zero")
    before = float(tensor[place])
    alike = _alike(folder, found.step)
    for file, prefix in _FILES:
        names = [f"{prefix}{path}.{name}" for path in alike]
        _set(Path(folder) / file, names, place, value)
    return {"before": before, "after": float(torch.tensor(value))}


def _alike(folder: str, step: Step) -> list[str]:
    """The layer, and all that share its weight."""
    plan = trace(_spec(Path(folder))).plan
    owner = step.tied or step.path
    return [one.path for one in plan.steps if owner in (one.path, one.tied)]


def _set(path: Path, names: Sequence[str], place: tuple[int, ...], value: float) -> None:
    if not path.is_file():
        return
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    for name in names:
        if name in tensors:
            tensors[name][place] = value
    draft = path.with_suffix(".part")
    save_file(tensors, draft, metadata)
    draft.replace(path)


def _spec(folder: Path) -> NetworkSpec:
    try:
        return NetworkSpec.parse((folder / "spec.json").read_bytes())
    except FileNotFoundError:
        raise LookupError("no trained model there: train it first, for some seconds") from None


def _step(traced: Trace, node: str) -> Step:
    steps = {step.path: step for step in traced.plan.steps if step.type != "Input"}
    if node not in steps:
        raise ValueError(f"there is no layer {node!r:.120}{nearest(node, steps)}")
    return steps[node]


def _kept(folder: Path, node: str) -> _Found:
    step = _step(trace(_spec(folder)), node)
    try:
        with safe_open(folder / "weights.safetensors", framework="pt") as file:
            names = [key for key in file.keys() if key.startswith(f"{node}.")]  # noqa: SIM118
            tensors = {key.removeprefix(f"{node}."): file.get_tensor(key) for key in names}
    except (OSError, SafetensorError):
        raise LookupError("no weights there yet: train the network for some seconds") from None
    return _Found(step, _drawable(tensors), first=False)


def _first(spec: NetworkSpec, node: str, seed: int) -> _Found:
    """The layer with the weights that a training with that seed begins with.

    Of a network that is large, or not finished, the layer alone is made.
    """
    traced = trace(spec)
    step = _step(traced, node)
    if node not in traced.measured:
        raise ValueError(f"{node} ({step.type}): does not work yet, so it has no weights")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if not traced.errors and traced.parameters <= MOST_BUILT:
            module = build(spec).get_submodule(node)
        else:
            module = _alone(step, traced)
    return _Found(step, _drawable(module.state_dict()), first=True)


def _alone(step: Step, traced: Trace) -> nn.Module:
    measured = traced.measured[step.path]
    if measured.parameters > 20 * MOST_BUILT:
        raise ValueError(
            f"{step.path} ({step.type}): has {measured.parameters:,} parameters; at most "
            f"{20 * MOST_BUILT:,} of one layer are shown"
        )
    module: nn.Module = factory(find(step.type))(**measured.arguments)
    if step.path not in {trouble.path for trouble in traced.strays}:
        for index, value, name in step.start:
            begin(module, name, (index, value))
        if step.cut:
            cut(module, *step.cut)
    return module


def _drawable(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name: tensor.detach()
        for name, tensor in tensors.items()
        if tensor.is_floating_point() and 1 <= tensor.ndim <= 5 and tensor.numel()
    }


def _choose(found: _Found, name: str) -> Tensor:
    if not found.tensors:
        raise ValueError(f"{found.step.path} ({found.step.type}): has no weights")
    if name not in found.tensors:
        known = ", ".join(list(found.tensors)[:8])
        raise ValueError(f"{found.step.path}: has no parameter {name!r:.80}; it has {known}")
    return found.tensors[name]


def _matrix(tensor: Tensor) -> tuple[Tensor, list[int]]:
    """A parameter as a matrix, and rows and columns of the tiles it is made of."""
    if tensor.ndim < 3:
        return torch.atleast_2d(tensor), [1, 1]
    tiles = tensor.reshape(*tensor.shape[:2], -1, tensor.shape[-1])  # (out, in, rows, columns)
    out, inputs, rows, columns = tiles.shape
    return tiles.transpose(1, 2).reshape(out * rows, inputs * columns), [rows, columns]


def _window(window: Sequence[int] | None, shape: Sequence[int]) -> tuple[int, int, int, int]:
    if window is None:
        return 0, 0, shape[0], shape[1]
    if len(window) != 4 or min(window[:2]) < 0 or min(window[2:]) < 1:
        raise ValueError(f"a window must be row, column, rows and columns; got {list(window)[:8]}")
    top, left = min(window[0], shape[0] - 1), min(window[1], shape[1] - 1)
    return top, left, min(window[2], shape[0] - top), min(window[3], shape[1] - left)


def _coarse(matrix: Tensor, step: Sequence[int]) -> Tensor:
    """Of each `step` rows and columns the number of largest magnitude."""
    if max(step) == 1:
        return matrix
    down, right = step
    rows, columns = matrix.shape
    padded = nn.functional.pad(matrix, (0, -columns % right, 0, -rows % down))
    cells = padded.unflatten(1, (-1, right)).unflatten(0, (-1, down)).transpose(1, 2).flatten(2)
    largest: Tensor = cells.gather(2, cells.abs().argmax(2, keepdim=True))
    return largest.squeeze(2)
