"""A run's memory on disk: weights, optimizer and place, in safetensors and JSON only.

`checkpoint.safetensors` is complete in itself (place, curves and settings stand in its header),
so one rename makes it valid: a process killed at any moment leaves the last good one.
`checkpoint.json` says in a few words what it holds, for people and pages.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from engine.store.files import write_json

State = dict[str, Any]  # plain JSON data


def write(
    folder: Path,
    module: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    state: State,
    vocabulary: Sequence[str] = (),
) -> None:
    """Keep everything needed to go on exactly from here; the weights say what the tokens are."""
    write_state(folder / "checkpoint.safetensors", module, optimizer, state)
    write_weights(folder, module, vocabulary)
    write_json(folder / "checkpoint.json", {name: state[name] for name in ("step", "epoch")})


def write_weights(folder: Path, module: torch.nn.Module, vocabulary: Sequence[str] = ()) -> None:
    """Keep the weights alone, all that other pages need, and what the tokens are called."""
    words = {"vocabulary": json.dumps(list(vocabulary))} if vocabulary else {}
    path = folder / "weights.safetensors"
    _replace(path, _plain(module.state_dict()), {"format": "pt", **words})


def vocabulary_in(path: Path) -> tuple[str, ...]:
    """What the tokens of a model's weights file are called; empty where it does not say.

    Raises:
        ValueError: It is no safetensors file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            found = json.loads((file.metadata() or {}).get("vocabulary", "[]"))
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        raise ValueError(f"{path.name}: is no safetensors file of a text model: {error}") from error
    plain = isinstance(found, list) and all(isinstance(word, str) for word in found)
    return tuple(found) if plain else ()


def write_state(
    path: Path, module: torch.nn.Module, optimizer: torch.optim.Optimizer, state: State
) -> None:
    """Keep weights, optimizer and place in one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {f"model.{name}": tensor for name, tensor in _plain(module.state_dict()).items()}
    for index, memory in optimizer.state_dict()["state"].items():
        for name, value in memory.items():
            if value is not None:
                kept[f"optimizer.{index}.{name}"] = torch.as_tensor(value).contiguous()
    _replace(path, kept, {"state": json.dumps(state)})


def read(path: Path, module: torch.nn.Module, optimizer: torch.optim.Optimizer) -> State | None:
    """Restore weights and optimizer from a checkpoint, or from the folder that holds one.

    Returns:
        The state, or None if there is no such file.

    Raises:
        ValueError: The checkpoint is corrupt or of another network.
    """
    path = path / "checkpoint.safetensors" if path.is_dir() else path
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            state: State = json.loads(file.metadata()["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path.name}: is no checkpoint of a training: {error}") from error
    fit(module, _part(tensors, "model."), path.name)
    saved = optimizer.state_dict()
    memory: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in _part(tensors, "optimizer.").items():
        index, _, key = name.partition(".")
        memory.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": memory, "param_groups": saved["param_groups"]})
    _align(optimizer)
    return state


def fit(module: torch.nn.Module, weights: Mapping[str, torch.Tensor], who: str) -> None:
    """Put weights into a network of the same shape.

    Raises:
        ValueError: A tensor is missing, left over, of another shape or not finite; names it.
    """
    own = module.state_dict()
    for name in [*own, *weights]:
        if name not in weights:
            raise ValueError(f"{who}: has no tensor {name!r}, which the network needs")
        if name not in own:
            raise ValueError(f"{who}: has a tensor {name!r}, for which the network has no place")
        if own[name].shape != weights[name].shape:
            raise ValueError(
                f"{who}: {name} must have shape {tuple(own[name].shape)} to fit the network; "
                f"got {tuple(weights[name].shape)}"
            )
        if weights[name].is_floating_point() and not bool(weights[name].isfinite().all()):
            raise ValueError(f"{who}: {name} must be finite; it holds NaN or infinity")
    module.load_state_dict(dict(weights))


def finite(value: float) -> float | None:
    """A number as JSON can say it: None where it is not finite."""
    return value if math.isfinite(value) else None


def _plain(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Copies in row order: safetensors knows neither channels_last nor tied storage."""
    return {
        name: tensor.detach().clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }


def _replace(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> None:
    draft = path.with_suffix(".part")
    save_file(dict(tensors), draft, dict(metadata))
    draft.replace(path)


def _align(optimizer: torch.optim.Optimizer) -> None:
    """Lay the optimizer's memory out as its parameters: the fused kernels rely on it."""
    for parameter, memory in optimizer.state.items():
        for name, value in memory.items():
            if value.shape == parameter.shape:
                memory[name] = torch.empty_like(parameter).copy_(value)


def _part(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
