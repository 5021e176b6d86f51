"""Which file is read how: by how its name ends, or by what it begins with."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.export.link import decode
from engine.importing.found import Found
from engine.importing.onnx_file import read_onnx
from engine.importing.program import read_program
from engine.importing.source import read_source
from engine.importing.tensors import read_tensors
from engine.importing.weights import fitting
from engine.network.spec import NetworkSpec

MOST_BYTES = 1_000_000_000  # of a file on the command line
MOST_SENT = 40_000_000  # of one that is sent to a server


@dataclass(frozen=True)
class Reading:
    """A kind of file.

    Attributes:
        title: What people call it.
        endings: How its name may end.
        read: Content and the network on stage, if any, to what is in it.
    """

    title: str
    endings: tuple[str, ...]
    read: Callable[[bytes, NetworkSpec | None], Found]


def _json(content: bytes, _stage: NetworkSpec | None) -> Found:
    return Found(NetworkSpec.parse(content))


def _link(content: bytes, _stage: NetworkSpec | None) -> Found:
    return Found(decode(_text(content)))


def _source(content: bytes, stage: NetworkSpec | None) -> Found:
    return Found(read_source(_text(content), None if stage is None else stage.to_json()))


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("this is no text in UTF-8") from None


def _onnx(content: bytes, stage: NetworkSpec | None) -> Found:
    inputs = [n.params.get("shape") for n in (stage.nodes if stage else ()) if n.type == "Input"]
    try:
        return read_onnx(content)
    except ValueError as error:
        if "leaves sizes open" not in str(error) or len(inputs) != 1 or not inputs[0]:
            raise
    return read_onnx(content, tuple(inputs[0]))


def _program(content: bytes, _stage: NetworkSpec | None) -> Found:
    return read_program(content)


def _weights(content: bytes, stage: NetworkSpec | None) -> Found:
    """Weights for the network in the file's own header, or for the one on stage."""
    stored, own = read_tensors(content)
    spec = own or stage
    if spec is None:
        raise ValueError("weights alone say nothing of their network: open that one first")
    weights, missing = fitting(spec, stored)
    if weights is None and own is not None and stage is not None:
        spec = stage
        weights, missing = fitting(spec, stored)
    if weights is None:
        raise ValueError(f"the weights do not fit the network: {missing}")
    return Found(spec, weights)


READINGS = (
    Reading("network (JSON)", (".json",), _json),
    Reading("ONNX", (".onnx",), _onnx),
    Reading("torch.export program", (".pt2",), _program),
    Reading("PyTorch source", (".py",), _source),
    Reading("weights", (".safetensors",), _weights),
    Reading("link", (".txt", ".link", ".url"), _link),
)
_PICKLED = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".h5", ".keras", ".npy", ".npz")


def import_file(name: str, content: bytes, stage: NetworkSpec | None = None) -> Found:
    """The network in a file.

    Args:
        name: The file's name; its ending tells how to read it.
        content: What is in it.
        stage: The network on stage: weights are for it, and open shapes are taken from it.

    Raises:
        ValueError: It cannot be read; says who, what and why.
    """
    ending = name.lower()[-40:]
    for one in READINGS:
        if ending.endswith(one.endings):
            return one.read(content, stage)
    if ending.endswith(_PICKLED):
        raise ValueError(
            f"{name[-60:]!r}: such files hold pickled or foreign objects and are never opened "
            "here; save the model with torch.export.save (.pt2), as ONNX or as safetensors"
        )
    known = ", ".join(end for one in READINGS for end in one.endings)
    raise ValueError(f"{name[-60:]!r}: must end in one of {known}")


def take(
    name: str, content: str, spec: Mapping[str, Any] | None = None, data: str = ""
) -> dict[str, Any]:
    """A file that was sent, as pages and the API ask for it.

    Args:
        name: The file's name.
        content: What is in it, base64.
        spec: The network on stage.
        data: The data set on stage; the model is kept with it where it fits.

    Returns:
        `spec`, `notes` and, where weights came along, `run`: the id of the kept model.

    Raises:
        ValueError: It cannot be read; says why.
    """
    from engine.models.adopt import adopt

    if len(content) > MOST_SENT * 4 // 3 + 4:
        raise ValueError(f"a file that is sent may have {MOST_SENT // 10**6} MB; use `import`")
    try:
        plain = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("content must be base64") from None
    stage = None if spec is None else NetworkSpec.parse(spec)
    found = import_file(name, plain, stage)
    told: dict[str, Any] = {"spec": found.spec.to_json(), "notes": list(found.notes)}
    if found.weights is not None:
        told["run"] = adopt(found.spec, found.weights, data)
    return told


def state(weights: Mapping[str, np.ndarray]) -> bytes:
    """Weights as the content of a safetensors file."""
    from safetensors.numpy import save

    return save({name: np.ascontiguousarray(array) for name, array in weights.items()})
