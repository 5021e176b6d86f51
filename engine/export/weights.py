"""A network's weights in a file of their own: safetensors with the spec in its header."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from engine.network.build import Network
from engine.network.spec import NetworkSpec


def dump(network: Network) -> bytes:
    """The content of a file with the weights `ID.weight`, ..., and the spec as metadata."""
    weights: dict[str, torch.Tensor] = {}
    for name, tensor in network.state_dict().items():
        weights[name] = tensor.detach().clone(memory_format=torch.contiguous_format)
    spec = network.spec
    return save(weights, {"format": "pt", "title": spec.title, "spec": json.dumps(spec.to_json())})


def load(network: torch.nn.Module, path: Path) -> None:
    """Fill a network with the weights in a file.

    Raises:
        ValueError: The file is no safetensors file, or of another network; says what differs.
    """
    wanted = network.state_dict()
    try:
        with safe_open(path, framework="pt") as file:
            held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path.name}: is no safetensors file: {error}") from error
    missing, strange = sorted(wanted.keys() - held.keys()), sorted(held.keys() - wanted.keys())
    if missing or strange:
        raise ValueError(
            f"{path.name}: holds the weights of another network; it lacks "
            f"{', '.join(missing[:3]) or 'none'} and has {', '.join(strange[:3]) or 'none'} besides"
        )
    for name, tensor in wanted.items():
        if held[name].shape != tensor.shape:
            raise ValueError(
                f"{path.name}: {name} must have shape {tuple(tensor.shape)}; "
                f"got {tuple(held[name].shape)}"
            )
    network.load_state_dict(held)


def spec_in(path: Path) -> NetworkSpec | None:
    """The network that a weights file says it is of, or None where it says nothing.

    Raises:
        ValueError: The file is no safetensors file, or what it says is no network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            told = (file.metadata() or {}).get("spec")
    except SafetensorError as error:
        raise ValueError(f"{path.name}: is no safetensors file: {error}") from error
    return NetworkSpec.parse(told) if told else None
