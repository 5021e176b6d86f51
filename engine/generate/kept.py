"""A generative model as a file: weights, and in the header all that is needed to build it again.

One safetensors file is a whole model, ready to be sampled: a run's `weights.safetensors`, or one
of the ready models that come with the playground (`engine/generate/zoo`). Nothing is unpickled.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from engine.generate.families import families
from engine.generate.model import Generative, Outline
from engine.store.files import write_json
from engine.store.home import run_folder
from engine.training.checkpoint import fit

ZOO = Path(__file__).parent / "zoo"
FILE = "weights.safetensors"
_HEADER = "generative"


@dataclass(frozen=True)
class Recipe:
    """How a model was made.

    Attributes:
        family: Name of its family.
        data: Name of what it learnt from.
        own: The family's settings.
        networks: Parts that are the visitor's own, as NetworkSpec in JSON.
        outline: What a sample looks like.
        training: The settings of the training.
        step: Steps it has learnt.
        scores: Measure -> value at the end.
        title: What it is called.
        ink: What was drawn, where the data are a drawing.
        conditional: Whether it makes the class that it is asked for; noted when it is kept.
    """

    family: str
    data: str
    outline: Outline
    own: Mapping[str, Any] = field(default_factory=dict)
    networks: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    step: int = 0
    scores: Mapping[str, float] = field(default_factory=dict)
    title: str = ""
    ink: tuple[float, ...] = ()
    conditional: bool = False

    @property
    def kind(self) -> str:
        """What page of the studio shows it."""
        return str(families.find(self.family).facts["kind"])

    def build(self) -> Generative:
        """The model with first weights."""
        own = {**families.find(self.family).form.fill(self.own)}
        made: Generative = families.find(self.family).function(self.outline, self.networks, **own)
        return made

    def to_json(self) -> dict[str, Any]:
        """The recipe as plain data."""
        return {**vars(self), "outline": self.outline.to_json(), "ink": list(self.ink)}

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Recipe:
        """The recipe that plain data describe."""
        known = {name: content[name] for name in cls.__dataclass_fields__ if name in content}
        known["outline"] = Outline.parse(content["outline"])
        known["ink"] = tuple(content.get("ink", ()))
        return cls(**known)


def keep(path: Path, model: Generative, recipe: Recipe, *, half: bool = False) -> None:
    """Write a model; with `half`, numbers of 16 bits, which a sample does not show."""
    spare = model.spare()
    tensors = {
        name: one.detach().contiguous().clone()
        for name, one in model.state_dict().items()
        if not name.startswith(spare)
    }
    if half:
        tensors = {
            name: one.half() if one.is_floating_point() else one for name, one in tensors.items()
        }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    header = {**recipe.to_json(), "conditional": model.conditional}
    save_file(tensors, draft, {"format": "pt", _HEADER: json.dumps(header)})
    draft.replace(path)


def read_recipe(path: Path) -> Recipe:
    """How the model of a file was made.

    Raises:
        LookupError: There is no such file.
        ValueError: It is no generative model's file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return Recipe.parse(json.loads((file.metadata() or {})[_HEADER]))
    except FileNotFoundError:
        raise LookupError(f"no generative model {path.name!r:.80}") from None
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise ValueError(f"{path.name}: is no file of a generative model") from error


def open_kept(place: Path | str) -> tuple[Generative, Recipe]:
    """The model of a file, of a run's folder, or of a ready model's name; in eval mode.

    Raises:
        LookupError: There is no such model.
        ValueError: The file is corrupt or the weights do not fit; says where.
    """
    path = find(place)
    recipe = read_recipe(path)
    model = recipe.build()
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    own = model.state_dict()
    whole = {name: one.to(own[name].dtype) if name in own else one for name, one in tensors.items()}
    spare = {name: one for name, one in own.items() if name.startswith(model.spare())}
    fit(model, {**spare, **whole}, path.name)
    return model.eval(), recipe


MOST = 10_000  # samples at once


def draw_samples(
    model: Generative, recipe: Recipe, count: int, seed: int = 0, label: int | None = None
) -> tuple[torch.Tensor, list[int]]:
    """New samples `(count, *shape)` and the classes that were asked for, one after the other.

    Raises:
        ValueError: The count is out of range, or the model knows no such class.
    """
    if not 1 <= count <= MOST:
        raise ValueError(f"count: must lie in [1, {MOST:,}]; got {count}")
    classes = len(recipe.outline.classes)
    if label is not None and not 0 <= label < classes:
        known = f"0 to {classes - 1}" if classes else "none"
        raise ValueError(f"label: the model's classes are {known}; got {label}")
    chosen = (
        [label] * count
        if label is not None
        else [n % classes for n in range(count * bool(classes))]
    )
    labels = torch.tensor(chosen) if chosen else None
    with torch.no_grad():
        return model.sample(count, torch.Generator().manual_seed(seed), labels), chosen


def find(place: Path | str) -> Path:
    """Where the file of a model is: itself, in a folder, or among the ready ones.

    Raises:
        LookupError: There is none.
    """
    path = Path(place)
    ready = ZOO / f"{place}.safetensors"
    for one in (path / FILE, path, ready):
        if one.is_file():
            return one
    near = ", ".join(sorted(one.stem for one in ZOO.glob("*.safetensors")))
    raise LookupError(f"no generative model {str(place)!r:.80}; ready ones: {near or 'none'}")


def ready_models() -> dict[str, Recipe]:
    """Name -> recipe of every ready model."""
    return {one.stem: read_recipe(one) for one in sorted(ZOO.glob("*.safetensors"))}


def listing() -> list[dict[str, Any]]:
    """The ready models as plain data, for pages."""
    return [
        {"name": name, "kind": recipe.kind, **recipe.to_json()}
        for name, recipe in ready_models().items()
    ]


def writers() -> list[dict[str, Any]]:
    """The ready text models as plain data: each is a folder as a training leaves it."""
    found = []
    for path in sorted(ZOO.glob("*/summary.json")):
        summary = json.loads(path.read_text(encoding="utf-8"))
        settings = json.loads((path.parent / "settings.json").read_text(encoding="utf-8"))
        found.append(
            {
                "name": path.parent.name,
                "place": str(path.parent),
                "title": summary["title"],
                "data": settings["data"],
                "accuracy": summary.get("accuracy"),
            }
        )
    return found


def kept_recipe(folder: str) -> dict[str, Any] | None:
    """The recipe of a run's model as plain data; None before its first weights."""
    path = Path(folder) / FILE
    if not path.is_file():
        return None
    recipe = read_recipe(path)
    return {"kind": recipe.kind, **recipe.to_json()}


def adopt(content: bytes) -> str:
    """Keep a model's file like a training does; the id of the run it then has.

    Raises:
        ValueError: It is no file of a generative model; says why.
    """
    id = secrets.token_urlsafe(16)
    folder = run_folder(id)
    folder.mkdir(parents=True)
    path = folder / FILE
    path.write_bytes(content)
    try:
        _, recipe = open_kept(path)
    except (ValueError, LookupError, TypeError) as error:
        shutil.rmtree(folder)
        raise ValueError(f"the file cannot be opened: {error}") from error
    write_json(folder / "settings.json", {"family": recipe.family, "data": recipe.data})
    return id


def state_of(model: Generative) -> dict[str, torch.Tensor]:
    """Weights and optimizers of all parts, to go on exactly from here."""
    kept = {f"model.{name}": one for name, one in model.state_dict().items()}
    for part, optimizer in model.optimizers.items():
        for index, memory in optimizer.state_dict()["state"].items():
            for name, value in memory.items():
                kept[f"optimizer.{part}.{index}.{name}"] = torch.as_tensor(value)
    return {name: one.detach().contiguous().clone() for name, one in kept.items()}


def restore(model: Generative, tensors: Mapping[str, torch.Tensor], who: str) -> None:
    """Put back what `state_of` gave.

    Raises:
        ValueError: It is of another model.
    """
    weights = {n.removeprefix("model."): t for n, t in tensors.items() if n.startswith("model.")}
    fit(model, weights, who)
    for part, optimizer in model.optimizers.items():
        memory: dict[int, dict[str, torch.Tensor]] = {}
        begin = f"optimizer.{part}."
        for name, tensor in tensors.items():
            if name.startswith(begin):
                index, _, key = name.removeprefix(begin).partition(".")
                memory.setdefault(int(index), {})[key] = tensor
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": memory, "param_groups": groups})
