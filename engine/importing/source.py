"""A PyTorch source file as a network: `nn.Module` classes read through their syntax tree.

Constants, loops and functions of `__init__` are worked out by a small reader of our own, and
`forward` is followed with tensors that have a shape and no numbers. Nothing is executed.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.export.classes import class_name
from engine.importing import python
from engine.importing.fold import fold
from engine.importing.python.modules import construct, settle
from engine.importing.python.reader import Reader, Scope
from engine.importing.python.statements import invoke
from engine.importing.python.things import Class, Function, Instance, Name, SourceError
from engine.importing.tape import Ref, Tape
from engine.importing.tidy import pruned
from engine.network.registry import layers
from engine.network.spec import Graph, NetworkSpec

LONGEST = 200_000  # characters
_SHAPE = re.compile(r"`\(batch((?:, *\d+)*),?\)`(?: tokens(?: below (\d+))?)?")


def read_source(text: str, spec: Mapping[str, Any] | None = None) -> NetworkSpec:
    """The network in a source text.

    Args:
        text: Python with at least one class that comes from `nn.Module`.
        spec: The network on stage: it tells the shapes of inputs where the text does not, and
            where nodes stand.

    Raises:
        SourceError: The text is outside of what can be read; names the line and the cause.
    """
    if len(text) > LONGEST:
        raise SourceError(f"a source text may have {LONGEST:,} characters; got {len(text):,}")
    known = None if spec is None else NetworkSpec.parse(spec)
    try:
        return _read(_parse(text), known)
    except RecursionError:
        raise SourceError("the code is nested too deeply") from None


def read(source: str, spec: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """`read_source` as the code panel asks it: `{"spec"}`, or `{"error", "line"}`."""
    try:
        return {"spec": read_source(source, spec).to_json()}
    except SourceError as error:
        return {"error": str(error), "line": error.line}
    except ValueError as error:
        found = re.match(r"line (\d+)", str(error))
        return {"error": str(error), "line": int(found.group(1)) if found else None}


@functools.cache
def _import_all() -> None:
    """Have every file say what it can read."""
    for info in pkgutil.iter_modules(python.__path__):
        importlib.import_module(f"{python.__name__}.{info.name}")


def _parse(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        raise SourceError(f"is no Python: {error.msg}", error.lineno) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise SourceError(f"is no Python that can be read: {error or 'too deep'}") from None


def _read(tree: ast.Module, known: NetworkSpec | None) -> NetworkSpec:
    _import_all()
    reader = Reader(_imports(tree))
    classes = _classes(tree, reader)
    _constants(tree, reader)
    wanted = _network(classes)
    made = construct(reader, wanted, [], {}, wanted.node)
    assert isinstance(made, Instance)  # noqa: S101 - a layer's own class is never chosen
    reader.root, reader.reserved = made, settle(made)
    reader.building = False
    forward = wanted.method("forward")
    if forward is None:
        raise SourceError(f"{wanted.name} has no forward", wanted.node.lineno)
    inputs = list(_inputs(forward, known, reader.tape))
    result = invoke(reader, Function(forward, made), list(inputs), {}, forward)
    reader.tape.outputs = list(_outputs(result, forward.lineno))
    reader.tape.title = _title(wanted, known)
    if known is not None:
        names = {class_name(name, set()): name for name in known.blocks}
        kinds = reader.tape.kinds
        reader.tape.kinds = {path: names.get(kind, kind) for path, kind in kinds.items()}
    return _placed(fold(pruned(reader.tape))[0], known)


def _imports(tree: ast.Module) -> Scope:
    names: Scope = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                full = one.name if one.asname else one.name.partition(".")[0]
                names[one.asname or full] = Name(full)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for one in node.names:
                names[one.asname or one.name] = Name(f"{node.module}.{one.name}")
    return names


def _classes(tree: ast.Module, reader: Reader) -> list[Class]:
    found: list[Class] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            reader.names[node.name] = Function(node)
        if not isinstance(node, ast.ClassDef):
            continue
        made = Class(node)
        for base in node.bases:
            try:
                made.bases.append(reader.value(base, {}))
            except SourceError:
                continue
        made.layer = _our_layer(node)
        reader.names[node.name] = made
        found.append(made)
        _body(made, reader)
    return found


def _body(made: Class, reader: Reader) -> None:
    for node in made.node.body:
        if isinstance(node, ast.FunctionDef):
            reader.homes[id(node)] = made
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            if not isinstance(target, ast.Name):
                continue
            value = getattr(node, "value", None)
            if value is None:
                made.bare.add(target.id)
                continue
            try:
                made.values[target.id] = reader.value(value, dict(made.values))
            except SourceError:
                continue  # told where it is used


def _constants(tree: ast.Module, reader: Reader) -> None:
    """Names that the text's own lines give a constant; others are told where they are used."""
    for node in tree.body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and value is not None:
                try:
                    reader.names[target.id] = reader.value(value, {})
                except SourceError:
                    continue


def _our_layer(node: ast.ClassDef) -> str:
    """The name of our layer whose module this class is, word for word, or ""."""
    kind = layers().get(node.name)
    if kind is None or not kind.home:
        return ""
    return node.name if _bare(node) == _bare(_ours(kind.home)[node.name]) else ""


@functools.cache
def _ours(home: str) -> dict[str, ast.ClassDef]:
    module = importlib.import_module(f"engine.network.modules.{home}")
    tree = ast.parse(Path(inspect.getfile(module)).read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _bare(node: ast.ClassDef) -> str:
    """A class without its docstrings, as text."""
    copy = ast.parse(ast.unparse(node)).body[0]
    for one in ast.walk(copy):
        if isinstance(one, ast.ClassDef | ast.FunctionDef):
            first = one.body[0] if one.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                one.body = one.body[1:]
    return ast.dump(copy)


def _network(classes: list[Class]) -> Class:
    """The class that is the whole: none of the others uses it."""
    able = [one for one in classes if one.is_module and not one.layer and one.method("forward")]
    if not able:
        raise SourceError("there is no class here that comes from nn.Module and has a forward")
    used = {
        name.id
        for one in classes
        for name in ast.walk(one.node)
        if isinstance(name, ast.Name) and name.id != one.name
    }
    free = [one for one in able if one.name not in used] or able
    named = [one for one in free if one.name in ("Network", "Model", "Net")]
    return (named or free)[-1]


def _inputs(forward: ast.FunctionDef, known: NetworkSpec | None, tape: Tape) -> Iterator[Ref]:
    """The network's inputs, with the shapes that the docstring or the network on stage tells."""
    arguments = [*forward.args.posonlyargs, *forward.args.args][1:]
    if forward.args.vararg or not arguments:
        raise SourceError("forward must name its inputs", forward.lineno)
    optional = len(forward.args.defaults)
    needed = arguments[: len(arguments) - optional] if optional else arguments
    told = list(_SHAPE.finditer(ast.get_docstring(forward) or ""))
    stage = [n for n in (known.nodes if known else ()) if n.type == "Input"]
    by_id = {node.id: node for node in stage}
    for place, argument in enumerate(needed):
        name = argument.arg.removesuffix("_") if argument.arg.endswith("_") else argument.arg
        node = by_id.get(argument.arg) or by_id.get(name)
        if node is None and len(stage) == len(needed):
            node = stage[place]
        if len(told) >= len(needed):
            yield _told_input(told[place], node.id if node else argument.arg, tape)
        elif node is not None and node.params.get("shape") is not None:
            yield tape.add("Input", node.params, (), node.id, where=f"input {node.id}")[0]
        else:
            raise SourceError(
                f"how large is {argument.arg}? Say it in forward's docstring, such as "
                "`(batch, 3, 224, 224)`, or `(batch, 64)` tokens",
                forward.lineno,
            )


def _told_input(told: re.Match[str], id: str, tape: Tape) -> Ref:
    sizes, vocabulary = told.groups()
    shape = [int(size) for size in sizes.split(",") if size.strip()]
    if " tokens" in told.group():
        below = int(vocabulary) if vocabulary else None
        return tape.input(id, shape, "token", vocabulary=below)
    return tape.input(id, shape)


def _outputs(result: Any, line: int) -> Iterator[Ref]:
    if isinstance(result, dict):
        result = tuple(result.values())
    found = [result] if isinstance(result, Ref) else result
    if not isinstance(found, list | tuple) or not found:
        raise SourceError("forward must return a tensor, several, or a dictionary of them", line)
    for one in found:
        if not isinstance(one, Ref):
            raise SourceError("forward must return tensors and nothing else", line)
        yield one


def _title(wanted: Class, known: NetworkSpec | None) -> str:
    if known is not None and known.title:
        return known.title
    told = (ast.get_docstring(wanted.node) or "").partition("\n")[0]
    return told.partition(":")[0].rstrip(".")[:200] or wanted.name


def _placed(spec: NetworkSpec, known: NetworkSpec | None) -> NetworkSpec:
    """The spec with nodes where the network on stage has those of the same name."""
    if known is None:
        return spec
    data = spec.to_json()
    graphs: list[tuple[dict[str, Any], Graph]] = [(data, known)]
    graphs += [(data["blocks"][n], known.blocks[n]) for n in spec.blocks if n in known.blocks]
    for graph, before in graphs:
        old = {node.id: node for node in before.nodes}
        for node in graph["nodes"]:
            if (one := old.get(node["id"])) is not None and one.type == node["type"]:
                node |= {"position": list(one.position)} if one.position else {}
                node |= {"label": one.label} if one.label else {}
    return NetworkSpec.parse(data)
