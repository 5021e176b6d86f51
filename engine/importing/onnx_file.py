"""An ONNX file as a network: its graph and its stored numbers, read and never run."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.importing.calls import Parameter, Scribe
from engine.importing.found import Found, folded
from engine.importing.onnx.call import Call, operators
from engine.importing.onnx.constants import sizes_only
from engine.importing.tape import Ref, Tape
from engine.network.spec import NetworkSpec
from engine.network.words import nearest
from engine.optional import need

MOST_NODES = 20_000
SPEC = "orrery.spec"  # where our own files say what they were made from

_TYPES = {1: np.float32, 6: np.int32, 7: np.int64, 9: np.bool_, 10: np.float16, 11: np.float64}


def read_onnx(content: bytes, shape: tuple[int, ...] | None = None) -> Found:
    """The network in an ONNX file.

    Args:
        content: The file.
        shape: Of one sample, where the file leaves the sizes of its input open.

    Raises:
        ValueError: It is no ONNX file, or holds what no layer does; names the node and the cause.
    """
    onnx = need("onnx", "ONNX")
    try:
        model = onnx.load_model_from_string(content)
    except Exception:  # noqa: BLE001 - whatever protobuf says, it is no such file
        raise ValueError("this is no ONNX file: its bytes cannot be read") from None
    if not model.graph.node:
        raise ValueError("this is no ONNX file: there is no node in its graph")
    if len(model.graph.node) > MOST_NODES:
        raise ValueError(f"the graph has {len(model.graph.node):,} nodes; at most {MOST_NODES:,}")
    told = {one.key: one.value for one in model.metadata_props}
    try:
        return _Reader(onnx, model, shape).read()
    except (TypeError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"this ONNX file is damaged ({error!r:.100})") from None
    except ValueError as error:
        if SPEC not in told:
            raise
        return _on_trust(told[SPEC], _stored(model), str(error))


def _on_trust(text: str, stored: Mapping[str, np.ndarray], why: str) -> Found:
    """The network that the file says it was made from."""
    from engine.importing.weights import fitting

    spec = NetworkSpec.parse(text)
    weights, missing = fitting(spec, stored)
    notes = [f"Read from the spec in the file's header, not from its graph: {why}"]
    if weights is None:
        notes.append(f"Its weights stay behind: {missing}")
    return Found(spec, weights, notes)


class _Reader:
    def __init__(self, onnx: Any, model: Any, shape: tuple[int, ...] | None) -> None:
        self._onnx, self._graph, self._shape = onnx, model.graph, shape
        self._values: dict[str, Any] = {"": None}
        self._tape = Tape()
        self._batch: int | None = None
        self._uses: dict[str, int] = {}
        for node in self._graph.node:
            for name in node.input:
                self._uses[name] = self._uses.get(name, 0) + 1
        for one in self._graph.output:
            self._uses[one.name] = self._uses.get(one.name, 0) + 1

    def read(self) -> Found:
        for tensor in self._graph.initializer:
            self._values[tensor.name] = Parameter(tensor.name, array_of(tensor))
        if self._graph.sparse_initializer:
            raise ValueError("sparse weights cannot be read")
        for one in self._graph.input:
            if one.name not in self._values:
                self._values[one.name] = self._input(one)
        for node in self._graph.node:
            self._node(node)
        for one in self._graph.output:
            value = self._values.get(one.name)
            if not isinstance(value, Ref):
                raise ValueError(f"output {one.name!r:.60}: no layer gives it")
            self._tape.outputs.append(value)
        self._tape.title = str(self._graph.name)[:100] if self._graph.name != "main_graph" else ""
        return folded(self._tape)

    def _input(self, one: Any) -> Ref:
        sizes = [
            dim.dim_value if dim.HasField("dim_value") else None
            for dim in one.type.tensor_type.shape.dim
        ]
        if len(sizes) < 1:
            raise ValueError(f"input {one.name!r:.60}: has no axes; the first must be the batch")
        self._batch = sizes[0]
        shape = self._shape or tuple(size or 0 for size in sizes[1:])
        if len(shape) != len(sizes) - 1 or any(size < 1 for size in shape):
            raise ValueError(
                f"input {one.name!r:.60}: leaves sizes open ({sizes!r:.80}); import it onto a "
                "network whose input has the shape it should get"
            )
        kind = "token" if one.type.tensor_type.elem_type in (6, 7) else "float"
        return self._tape.input(self._tape.name(one.name), shape, kind)  # type: ignore[arg-type]

    def _node(self, node: Any) -> None:
        name = f"node {node.name or node.output[0] if node.output else node.op_type!r:.60}"
        where = f"{name[:80]} ({node.op_type:.40})"
        if node.domain not in ("", "ai.onnx"):
            raise ValueError(f"{where}: operators of {node.domain:.60} cannot be read")
        made = operators().get(node.op_type)
        if made is None:
            near = nearest(node.op_type, operators())
            raise ValueError(f"{where}: no layer does what {node.op_type:.40} does{near}")
        missing = [one for one in node.input if one not in self._values]
        if missing:
            raise ValueError(f"{where}: its input {missing[0]!r:.60} comes from nowhere before it")
        scribe = Scribe(self._tape, where, path=_path(node))
        scribe.batch = self._batch
        inputs = [self._values[one] for one in node.input]
        self._tape.shared = {
            value
            for one, value in zip(node.input, inputs, strict=True)
            if isinstance(value, Ref) and self._uses[one] > 1
        }
        attributes = {one.name: self._attribute(one, where) for one in node.attribute}
        call = Call(node.op_type, inputs, attributes, list(node.output), scribe)
        try:
            found = sizes_only(call)
            found = made(call) if found is None else found
        except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
            raise ValueError(f"{where}: is not as ONNX wants it ({error!r:.100})") from None
        results = found if isinstance(found, tuple) and not isinstance(found, Ref) else (found,)
        self._values.update(zip(node.output, results, strict=False))

    def _attribute(self, one: Any, where: str) -> Any:
        if one.HasField("g") or len(one.graphs):
            raise ValueError(f"{where}: graphs inside of nodes cannot be read")
        if one.HasField("t"):
            return array_of(one.t)
        value = self._onnx.helper.get_attribute_value(one)
        return list(value) if not isinstance(value, bytes | int | float | str) else value


def array_of(tensor: Any) -> np.ndarray:
    """A stored tensor; what it declares is held against what is there before any is made.

    Raises:
        ValueError: It lies in another file, is of another kind, or not as large as it says.
    """
    from onnx import numpy_helper

    who = f"tensor {tensor.name!r:.60}"
    if tensor.data_location == 1 or tensor.external_data:
        raise ValueError(f"{who}: lies in another file; import one that holds its numbers itself")
    if tensor.data_type not in _TYPES:
        raise ValueError(f"{who}: numbers of this kind ({tensor.data_type}) cannot be read")
    dims = list(tensor.dims)
    count = math.prod(dims)
    if any(size < 0 for size in dims) or len(dims) > 8 or count > 1_000_000_000:
        raise ValueError(f"{who}: its shape {dims!r:.60} cannot be read")
    fields = (tensor.float_data, tensor.int32_data, tensor.int64_data, tensor.double_data)
    there = len(tensor.raw_data) // np.dtype(_TYPES[tensor.data_type]).itemsize
    there = there if tensor.HasField("raw_data") else max(map(len, fields))
    if there != count:
        raise ValueError(f"{who}: says it has {count:,} numbers and holds {there:,}")
    array: np.ndarray = numpy_helper.to_array(tensor)
    if array.dtype.kind == "f":
        array = array.astype(np.float32, copy=False)
    if array.dtype.kind == "f" and not bool(np.isfinite(array).all()) and array.size > 1:
        raise ValueError(f"{who}: must hold finite numbers only")
    return array


def _stored(model: Any) -> dict[str, np.ndarray]:
    return {one.name: array_of(one) for one in model.graph.initializer}


def _path(node: Any) -> str:
    """Where in its author's tree of modules a node is, as far as its name tells."""
    scopes = next(
        (one.value for one in node.metadata_props if one.key == "pkg.torch.onnx.name_scopes"), ""
    )
    if scopes:
        try:
            listed = ast.literal_eval(scopes[:5_000])
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            listed = []
        if isinstance(listed, list) and len(listed) > 1 and isinstance(listed[-2], str):
            return listed[-2] or str(listed[-1])
    parts = [part for part in node.name[:400].split("/") if part]
    if len(parts) < 2:
        return str(parts[0] if parts else node.op_type)
    found: str = parts[0]
    for before, part in itertools.pairwise(parts[:-1]):
        found += part[len(before) :] if part.startswith(f"{before}.") else f".{part}"
    return found
