"""A trained network as its run left it: spec, weights and what is known of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from engine.models.layout import lay_out
from engine.network.build import build
from engine.network.spec import NetworkSpec
from engine.training.checkpoint import fit


@dataclass(frozen=True)
class Kept:
    """A network ready to be asked.

    Attributes:
        spec: How it is built.
        module: The network itself, in eval mode.
        data: Name of the data set it was trained on, with its settings; empty if unknown.
        classes: What its outputs are called; empty if unknown.
        summary: What its training said of it.
        settings: What its training was asked for; empty if unknown.
    """

    spec: NetworkSpec
    module: nn.Module
    data: str = ""
    classes: tuple[str, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample it takes."""
        entry = next(node for node in self.spec.nodes if node.type == "Input")
        return tuple(entry.params.get("shape", ()))

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """What the tokens it reads are called; empty if it reads numbers, or if unknown."""
        return tuple(self.summary.get("vocabulary", ()))

    def name(self, output: int) -> str:
        """What an output is called."""
        return self.classes[output] if output < len(self.classes) else str(output)


def load(folder: Path | str) -> Kept:
    """The network that a training kept in a folder.

    Raises:
        LookupError: There is no finished checkpoint in the folder.
        ValueError: Its files are corrupt, or the weights do not fit the spec; says where.
    """
    folder = Path(folder)
    if not (folder / "weights.safetensors").is_file():
        raise LookupError(
            f"no trained model in {folder.name!r:.80}: train it first, for some seconds at least"
        )
    summary = read_json(folder / "summary.json")
    settings = read_json(folder / "settings.json")
    spec = NetworkSpec.parse(read_json(folder / "spec.json"))
    return Kept(
        spec=spec,
        module=open_weights(spec, folder / "weights.safetensors"),
        data=str(settings.get("data", "")),
        classes=tuple(summary.get("classes", ())),
        summary=summary,
        settings=settings,
    )


def open_weights(spec: NetworkSpec, weights: Path) -> nn.Module:
    """The network of a spec with weights from a safetensors file, in eval mode.

    Raises:
        ValueError: The file is no safetensors file, or its tensors do not fit; names the first.
    """
    module: nn.Module = build(spec)
    fit(module, _tensors(weights), weights.name)
    return lay_out(module).eval()


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        tensors: dict[str, torch.Tensor] = load_file(path)
    except FileNotFoundError:
        raise LookupError(f"no file {path.name!r:.80}") from None
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path.name}: is no safetensors file: {error}") from error
    return tensors


def read_json(path: Path) -> dict[str, Any]:
    """A file of a kept model; empty where there is none.

    Raises:
        ValueError: It is no JSON.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name}: is no JSON: {error}") from error
    return content
