"""The model itself: its file, a folder of code that runs alone, and ONNX for other runtimes."""

from __future__ import annotations

import ast
import io
import json
import warnings
import zipfile
from pathlib import Path

import torch
from torch import nn

import engine
from engine.generate.families import families
from engine.generate.takings import Taken, takings
from engine.optional import need

HOUSE = Path(engine.__file__).parent.parent
OPSET = 20

_SAMPLE = '''"""Sample the model beside this file: `python sample.py --count 16 -o samples.npz`.

Needs torch, numpy and safetensors. Images are in [-1, 1]; points in the units of the plane.
"""

import argparse
from pathlib import Path

import numpy as np

from engine.generate.kept import draw_samples, open_kept

HERE = Path(__file__).resolve().parent

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--count", type=int, default=16)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--label", type=int, help="class of all samples, for models that take one")
parser.add_argument("-o", "--output", type=Path, default=Path("samples.npz"))
options = parser.parse_args()

model, recipe = open_kept(HERE / "model.safetensors")
samples, labels = draw_samples(model, recipe, options.count, options.seed, options.label)
np.savez(options.output, samples=samples.numpy(), labels=np.array(labels))
print(f"{recipe.title}: {tuple(samples.shape)} written to {options.output}")
'''


@takings.add(
    "weights", title="Weights", file="model.safetensors", media="application/octet-stream", place=1
)
def weights(taken: Taken) -> bytes:
    """One safetensors file: the weights, and in its header how the model is built again."""
    return taken.path.read_bytes()


@takings.add(
    "code", title="Code that runs alone", file="model.zip", media="application/zip", place=2
)
def code(taken: Taken) -> bytes:
    """A folder with `sample.py`, the model, and only those of our files that it needs."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr("sample.py", _SAMPLE)
        folder.writestr("requirements.txt", "torch>=2.8\nnumpy>=2\nsafetensors>=0.5\n")
        folder.writestr("recipe.json", json.dumps(taken.recipe.to_json(), indent=2))
        folder.writestr("model.safetensors", taken.path.read_bytes())
        for path in needed(taken):
            folder.write(path, str(path.relative_to(HOUSE)))
    return file.getvalue()


@takings.add("onnx", title="ONNX", file="model-onnx.zip", media="application/zip", place=3)
def onnx(taken: Taken) -> bytes:
    """Each network of the model as an ONNX file: generator, denoiser, decoder, ...

    Raises:
        ValueError: The model has no network that stands alone.
    """
    need("onnx", "ONNX")
    parts = taken.model.networks_out()
    if not parts:
        raise ValueError(
            f"{taken.recipe.family}: has no network that would be of use alone; take its code"
        )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as folder:
        for name, (network, inputs) in parts.items():
            folder.writestr(f"{name}.onnx", _traced(name, network, inputs))
    return file.getvalue()


def _traced(name: str, network: nn.Module, inputs: tuple[torch.Tensor, ...]) -> bytes:
    names = [f"input{place}" for place in range(len(inputs))]
    axes = {one: {0: "batch"} for one in [*names, "output"]}
    file = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of the exporter's age, and of shapes kept as they are
            torch.onnx.export(
                network.eval(),
                inputs,
                file,  # type: ignore[arg-type] # a file object is fine without dynamo
                dynamo=False,  # see ADR 0016
                input_names=names,
                output_names=["output"],
                dynamic_axes=axes,
                opset_version=OPSET,
            )
    except Exception as error:  # noqa: BLE001 - whatever the exporter says is told
        cause = str(error).strip().splitlines()[0][:200] if str(error).strip() else "no reason"
        raise ValueError(f"ONNX: {name} has no counterpart there: {cause}") from None
    return file.getvalue()


def needed(taken: Taken) -> list[Path]:
    """Our files that the model is built and sampled with, found by following their imports."""
    family = families.find(taken.recipe.family).function.__module__
    found: dict[str, Path] = {}
    waiting = ["engine.generate.kept", family]
    if taken.recipe.networks:
        waiting.append("engine.generate.parts.own")
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if name in found or path is None:
            continue
        found[name] = path
        waiting += [name.rpartition(".")[0], *_imports(path)]
    return sorted(found.values())


def _imports(path: Path) -> list[str]:
    """The modules of ours that a file imports when it is read."""
    names: list[str] = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.ImportFrom(module=str(module)) if module.startswith("engine"):
                names += [module, *(f"{module}.{one.name}" for one in node.names)]
            case ast.Import():
                names += [one.name for one in node.names if one.name.startswith("engine")]
            case _:
                pass
    return names


def _file(name: str) -> Path | None:
    """Where a module's text is; None for a name that is no module."""
    path = HOUSE.joinpath(*name.split("."))
    for one in (path.with_suffix(".py"), path / "__init__.py"):
        if one.is_file():
            return one
    return None
