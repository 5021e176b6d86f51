"""A `torch.export` program (.pt2) as a network: the JSON and the raw numbers in its archive.

`torch.export.load` would unpickle what the archive says is pickled (sample inputs, constants);
here only JSON and raw bytes are read, and each is held against what it declares first. ADR 0017.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.importing.archive import Archive
from engine.importing.calls import Parameter, Scribe, perform
from engine.importing.found import Found, folded
from engine.importing.tape import Ref, Tape
from engine.network.spec import NetworkSpec

MOST_NODES = 20_000
SPEC = "orrery.json"  # where our own files say what they were made from

# torch._export.serde.schema.ScalarType of version 8 -> numbers in the file
_TYPES = {5: np.int64, 6: np.float16, 7: np.float32, 8: np.float64, 12: np.bool_, 4: np.int32}


def read_program(content: bytes) -> Found:
    """The network in a `torch.export` program.

    Raises:
        ValueError: It is none, or holds what no layer does; names the node and the cause.
    """
    archive = Archive(content, "a torch.export program")
    try:
        model = json.loads(archive.read("models/model.json", 50_000_000))
        graph = model["graph_module"]["graph"]
        signature = model["graph_module"]["signature"]
        nodes = graph["nodes"]
    except (KeyError, TypeError, RecursionError, UnicodeDecodeError, json.JSONDecodeError):
        raise ValueError("this torch.export program has no graph that can be read") from None
    if not isinstance(nodes, list) or len(nodes) > MOST_NODES:
        raise ValueError(f"the program may have at most {MOST_NODES:,} nodes")
    stored = _stored(archive)
    try:
        return _Reader(graph, signature, stored).read()
    except (LookupError, TypeError, AttributeError, ArithmeticError, StopIteration) as error:
        raise ValueError(f"the program is not as torch writes it: {error!r:.100}") from None
    except ValueError as error:
        own = archive.find(SPEC)
        if own is None:
            raise
        return _on_trust(archive.read(SPEC, 4_000_000), stored, str(error))


def _on_trust(text: bytes, stored: Mapping[str, np.ndarray], why: str) -> Found:
    from engine.importing.weights import fitting

    spec = NetworkSpec.parse(text)
    weights, missing = fitting(spec, stored)
    notes = [f"Read from the spec in the file, not from its graph: {why}"]
    if weights is None:
        notes.append(f"Its weights stay behind: {missing}")
    return Found(spec, weights, notes)


def _stored(archive: Archive) -> dict[str, np.ndarray]:
    """Parameters and buffers by name, of those that lie there as raw numbers."""
    text = archive.read("data/weights/model_weights_config.json", 20_000_000)
    try:
        entries = json.loads(text)["config"].items()
        return {str(name): _array(archive, name, entry) for name, entry in entries}
    except (KeyError, TypeError, AttributeError, RecursionError, json.JSONDecodeError):
        raise ValueError("this torch.export program does not list its weights") from None


def _array(archive: Archive, name: str, entry: Mapping[str, Any]) -> np.ndarray:
    who, meta = f"tensor {name!r:.60}", entry["tensor_meta"]
    if entry["use_pickle"]:
        raise ValueError(f"{who}: is pickled; such numbers are never read here")
    if meta["dtype"] not in _TYPES:
        raise ValueError(f"{who}: numbers of this kind ({meta['dtype']!r:.20}) cannot be read")
    shape = [size["as_int"] for size in meta["sizes"]]
    strides = [size["as_int"] for size in meta["strides"]]
    offset = meta["storage_offset"]["as_int"]
    kind = np.dtype(_TYPES[meta["dtype"]])
    if not all(isinstance(one, int) and 0 <= one < 2**40 for one in (*shape, *strides, offset)):
        raise ValueError(f"{who}: its shape cannot be read")
    raw = archive.read(f"data/weights/{entry['path_name']}", 4_000_000_000)
    last = offset + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
    count = math.prod(shape)
    if count * kind.itemsize > len(raw) or (count and (last + 1) * kind.itemsize > len(raw)):
        raise ValueError(f"{who}: says it has {count:,} numbers and holds fewer")
    flat = np.frombuffer(raw, kind, count=len(raw) // kind.itemsize)
    steps = [step * kind.itemsize for step in strides]
    view = np.lib.stride_tricks.as_strided(flat[offset:], shape, steps, writeable=False)
    array = np.ascontiguousarray(view)
    return array.astype(np.float32, copy=False) if array.dtype.kind == "f" else array


class _Reader:
    def __init__(
        self, graph: Mapping[str, Any], signature: Mapping[str, Any], stored: Mapping[str, Any]
    ) -> None:
        self._graph, self._signature, self._stored = graph, signature, stored
        self._tape = Tape()
        self._values: dict[str, Any] = {}

    def read(self) -> Found:
        for spec in self._signature["input_specs"]:
            self._entry(spec)
        for node in self._graph["nodes"]:
            self._node(node)
        for spec in self._signature["output_specs"]:
            if "user_output" not in spec:
                raise ValueError(
                    "the program changes its buffers or inputs; export it in eval mode"
                )
            value = self._argument(spec["user_output"]["arg"], "output")
            if not isinstance(value, Ref):
                raise ValueError("the program gives something that is no tensor")
            self._tape.outputs.append(value)
        return folded(self._tape)

    def _entry(self, spec: Mapping[str, Any]) -> None:
        if "user_input" in spec:
            name = spec["user_input"]["arg"]["as_tensor"]["name"]
            meta = self._graph["tensor_values"][name]
            sizes = [size.get("as_int") for size in meta["sizes"]]
            if not sizes or any(not isinstance(size, int) or size < 1 for size in sizes[1:]):
                raise ValueError(f"input {name!r:.60}: only the batch may be left open")
            if isinstance(sizes[0], int):
                self._batch = sizes[0]
            kind: Any = "token" if meta["dtype"] in (4, 5) else "float"
            self._values[name] = self._tape.input(self._tape.name(name), sizes[1:], kind)
            return
        for kind, key in (("parameter", "parameter_name"), ("buffer", "buffer_name")):
            if kind in spec:
                name = spec[kind][key]
                if name not in self._stored:
                    raise ValueError(f"tensor {name!r:.60}: is not in the file")
                self._values[spec[kind]["arg"]["name"]] = Parameter(name, self._stored[name])
                return
        raise ValueError(f"inputs of this kind cannot be read: {next(iter(spec), '')!r:.40}")

    _batch: int | None = None

    def _node(self, node: Mapping[str, Any]) -> None:
        target = str(node["target"])
        name = target.removeprefix("torch.ops.aten.").partition(".")[0]
        where = f"node {node.get('name') or '?'!r:.60} ({target:.60})"
        path, scope = self._place(node, name)
        scribe = Scribe(self._tape, where, scope=scope, path=path, batch=self._batch)
        args = [self._argument(one["arg"], where) for one in node["inputs"] if one["kind"] == 1]
        named = {
            one["name"]: self._argument(one["arg"], where)
            for one in node["inputs"]
            if one["kind"] != 1
        }
        if name == "sym_size":
            found: Any = perform("size", scribe, args, {})
        elif target.startswith(("_operator.", "torch.ops.aten.sym_")):
            raise ValueError(f"{where}: sizes that are calculated with cannot be read")
        elif name in _IGNORED:
            return
        elif not target.startswith("torch.ops.aten."):
            raise ValueError(f"{where}: only functions of torch itself can be read")
        else:
            found = perform(name, scribe, args, named)
        self._keep(node["outputs"], found)

    def _keep(self, outputs: list[Mapping[str, Any]], found: Any) -> None:
        names: list[str] = []
        for one in outputs:
            (kind, value), *_ = one.items()
            if kind == "as_tensors":
                names += [inner["name"] for inner in value]
            elif isinstance(value, Mapping) and "name" in value:
                names.append(value["name"])
            elif kind == "as_sym_int":
                names.append(value["as_name"])
        single = isinstance(found, Ref) or not isinstance(found, tuple)
        self._values.update(zip(names, [found] if single else found, strict=False))

    def _argument(self, arg: Mapping[str, Any], where: str) -> Any:
        (kind, value), *_ = arg.items()
        match kind:
            case "as_none":
                return None
            case "as_tensor":
                return self._named(value["name"], where)
            case "as_tensors" | "as_optional_tensors":
                return [self._tensor(one, where) for one in value]
            case "as_sym_int":
                return self._size(value, where)
            case "as_sym_ints":
                return [self._size(one, where) for one in value]
            case "as_scalar_type" | "as_memory_format" | "as_layout" | "as_device":
                return None
            case _ if isinstance(value, int | float | str | bool | list):
                return value
        raise ValueError(f"{where}: an argument of kind {kind:.40} cannot be read")

    def _tensor(self, one: Mapping[str, Any], where: str) -> Any:
        if "name" in one:
            return self._named(one["name"], where)
        return self._argument(one, where)

    def _size(self, one: Mapping[str, Any], where: str) -> Any:
        if "as_int" in one:
            return one["as_int"]
        return self._named(one["as_name"], where)

    def _named(self, name: str, where: str) -> Any:
        if name not in self._values:
            raise ValueError(f"{where}: needs {name!r:.60}, which comes from nowhere before it")
        return self._values[name]

    def _place(self, node: Mapping[str, Any], name: str) -> tuple[str, str]:
        """The path of the module a node is the work of; or "" and the scope it stands in."""
        stack = str(node.get("metadata", {}).get("nn_module_stack", ""))[:5_000]
        entries = [entry.split(",") for entry in stack.split(";") if entry.count(",") >= 2]
        for _, path, kind, *_rest in entries:
            if path and not kind.startswith(_PLAIN):
                self._tape.kinds.setdefault(path, kind.rpartition(".")[2])
        if not entries:
            return "", ""
        _, path, kind, *_rest = entries[-1]
        if kind.startswith(_LEAVES) and path:
            return path, path
        return (f"{path}.{name}".strip("."), path)


_PLAIN = ("torch.nn.", "engine.network.")
_LEAVES = ("torch.nn.modules.", "engine.network.modules.")
_IGNORED = ("_assert_tensor_metadata", "_assert_scalar", "sym_constrain_range_for_size")
