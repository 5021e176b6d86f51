"""Statements of a source text followed, and its functions called."""

from __future__ import annotations

import ast
import inspect
from typing import Any

from engine.importing.python.arithmetic import combine
from engine.importing.python.reader import (
    MOST_DEEP,
    Reader,
    Scope,
    calling,
    line_of,
)
from engine.importing.python.things import (
    Function,
    Instance,
    Made,
    Several,
    SourceError,
    Weight,
)
from engine.importing.tape import Ref


class _Return(Exception):  # noqa: N818 - it is what happened
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class _Break(Exception):  # noqa: N818
    pass


class _Continue(Exception):  # noqa: N818
    pass


@calling(Function)
def invoke(
    reader: Reader, made: Function, args: list[Any], kwargs: dict[str, Any], node: ast.AST
) -> Any:
    """Follow a function of the text; what it returns."""
    if _sets_weights(made.node, args):
        return args[0]
    if made.owner is not None:
        args = [made.owner, *args]
    scope = {**_bind(reader, made.node, args, kwargs, made.scope, node)}
    scope = {**scope, **{name: one for name, one in made.scope.items() if name not in scope}}
    if home := reader.homes.get(id(made.node)):
        scope["__class__"] = home
    reader.depth += 4
    if reader.depth > 4 * MOST_DEEP:
        raise SourceError("functions call one another too deeply", line_of(node))
    try:
        if isinstance(made.node, ast.Lambda):
            return reader.value(made.node.body, scope)
        follow(reader, made.node.body, scope)
    except _Return as done:
        return done.value
    except (_Break, _Continue):
        raise SourceError("break and continue stand in loops only", line_of(node)) from None
    finally:
        reader.depth -= 4
    return None


def _sets_weights(function: ast.FunctionDef | ast.Lambda, args: list[Any]) -> bool:
    """Note weights by hand, which our own scripts set with two functions; False for any other."""
    name = function.name if isinstance(function, ast.FunctionDef) else ""
    if not args or not isinstance(args[0], Made) or name not in ("cut", "begin"):
        return False
    if name == "cut":
        args[0].cut += [tuple(place) for place in args[1:]]
    else:
        args[0].start += [(tuple(place), value, args[1]) for place, value in args[2:]]
    return True


def _bind(
    reader: Reader,
    made: ast.FunctionDef | ast.Lambda,
    args: list[Any],
    kwargs: dict[str, Any],
    outer: Scope,
    node: ast.AST,
) -> Scope:
    """The arguments by name, as Python would bind them; defaults worked out."""
    kinds: Any = inspect.Parameter
    takes = made.args
    plain = [*takes.posonlyargs, *takes.args]
    defaults = [None] * (len(plain) - len(takes.defaults)) + list(takes.defaults)
    wanted = [
        (one.arg, kinds.POSITIONAL_OR_KEYWORD, d) for one, d in zip(plain, defaults, strict=True)
    ]
    wanted += [(takes.vararg.arg, kinds.VAR_POSITIONAL, None)] if takes.vararg else []
    named = zip(takes.kwonlyargs, takes.kw_defaults, strict=True)
    wanted += [(one.arg, kinds.KEYWORD_ONLY, default) for one, default in named]
    wanted += [(takes.kwarg.arg, kinds.VAR_KEYWORD, None)] if takes.kwarg else []
    parameters = [
        kinds(name, kind, default=kinds.empty if default is None else default)
        for name, kind, default in wanted
    ]
    try:
        call = inspect.Signature(parameters).bind(*args, **kwargs)
    except (TypeError, ValueError) as error:
        name = getattr(made, "name", "this function")
        raise SourceError(f"{name}: {error}", line_of(node)) from None
    scope: Scope = dict(call.arguments)
    for name, kind, default in wanted:
        if name not in scope:
            empty: Any = {} if kind is kinds.VAR_KEYWORD else ()
            scope[name] = empty if default is None else reader.value(default, dict(outer))
    return scope


def follow(reader: Reader, body: list[ast.stmt], scope: Scope) -> None:
    """Go through statements in order."""
    for node in body:
        reader.tick(node)
        made = _STATEMENTS.get(type(node))
        if made is None:
            word = type(node).__name__.lower()
            raise SourceError(f"a statement `{word}` cannot be read here", line_of(node))
        made(reader, node, scope)


def _assign(reader: Reader, node: ast.Assign, scope: Scope) -> None:
    value = reader.value(node.value, scope)
    for target in node.targets:
        assign(reader, target, value, scope)


def _annotated(reader: Reader, node: ast.AnnAssign, scope: Scope) -> None:
    if node.value is not None:
        assign(reader, node.target, reader.value(node.value, scope), scope)


def _augmented(reader: Reader, node: ast.AugAssign, scope: Scope) -> None:
    load = ast.copy_location(_loaded(node.target), node)
    try:
        value = combine(
            reader, node.op, reader.value(load, scope), reader.value(node.value, scope), node
        )
    except SourceError:
        raise
    except (ValueError, TypeError, ArithmeticError) as error:
        raise SourceError(str(error)[:300], line_of(node)) from None
    assign(reader, node.target, value, scope)


def _loaded(target: ast.expr) -> ast.expr:
    match target:
        case ast.Name(id=id):
            return ast.Name(id=id, ctx=ast.Load())
        case ast.Attribute(value=value, attr=attr):
            copied = ast.Attribute(value=value, attr=attr, ctx=ast.Load())
            return ast.copy_location(copied, target)
    raise SourceError("this cannot be assigned to", line_of(target))


def assign(reader: Reader, target: ast.expr, value: Any, scope: Scope) -> None:
    """Give a name, an attribute or several of them a value."""
    match target:
        case ast.Name(id=id):
            scope[id] = value
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            _unpack(reader, parts, value, scope, target)
        case ast.Attribute(value=owner, attr=name):
            put(reader, reader.value(owner, scope), name, value, target)
        case ast.Subscript(value=owner, slice=index):
            held = reader.value(owner, scope)
            key = reader.value(index, scope)
            if isinstance(held, Several):
                held.items[str(key)] = value
            elif isinstance(held, dict | list) and isinstance(key, str | int):
                held[key] = value  # type: ignore[index]
            else:
                raise SourceError("this cannot be assigned to", line_of(target))
        case _:
            raise SourceError("this cannot be assigned to", line_of(target))


def _unpack(
    reader: Reader, parts: list[ast.expr], value: Any, scope: Scope, target: ast.expr
) -> None:
    if isinstance(value, Ref) or not isinstance(value, list | tuple | range | Several):
        raise SourceError(f"cannot be taken apart into {len(parts)}", line_of(target))
    values = reader.items(value, target)
    starred = [n for n, part in enumerate(parts) if isinstance(part, ast.Starred)]
    if starred:
        place = starred[0]
        end = len(values) - (len(parts) - place - 1)
        values = [*values[:place], values[place:end], *values[end:]]
        parts = [p.value if isinstance(p, ast.Starred) else p for p in parts]
    if len(values) != len(parts):
        raise SourceError(f"{len(parts)} names for {len(values)} values", line_of(target))
    for part, one in zip(parts, values, strict=True):
        assign(reader, part, one, scope)


def put(reader: Reader, owner: Any, name: str, value: Any, node: ast.AST) -> None:
    """`owner.name = value`."""
    if isinstance(owner, Instance):
        if not reader.building and isinstance(value, Made | Several | Instance):
            raise SourceError("modules are made in __init__, not in forward", line_of(node))
        owner.attributes[name] = value
    elif isinstance(owner, Made) and name == "weight" and isinstance(value, Weight):
        owner.tied = value.of
    elif isinstance(owner, Made) and name == "inplace":
        return
    else:
        raise SourceError(f"{name} of this cannot be set", line_of(node))


def _branch(reader: Reader, node: ast.If, scope: Scope) -> None:
    follow(reader, node.body if reader.truth(node.test, scope) else node.orelse, scope)


def _loop(reader: Reader, node: ast.For, scope: Scope) -> None:
    for one in reader.items(reader.value(node.iter, scope), node):
        reader.tick(node)
        assign(reader, node.target, one, scope)
        try:
            follow(reader, node.body, scope)
        except _Break:
            return
        except _Continue:
            continue
    follow(reader, node.orelse, scope)


def _return(reader: Reader, node: ast.Return, scope: Scope) -> None:
    raise _Return(None if node.value is None else reader.value(node.value, scope))


def _expression(reader: Reader, node: ast.Expr, scope: Scope) -> None:
    if not isinstance(node.value, ast.Constant):
        reader.value(node.value, scope)


def _function(_reader: Reader, node: ast.FunctionDef, scope: Scope) -> None:
    scope[node.name] = Function(node, None, scope)


def _raise(_reader: Reader, node: ast.Raise, _scope: Scope) -> None:
    raise SourceError("the code raises an error here", line_of(node))


def _pass(_reader: Reader, _node: ast.stmt, _scope: Scope) -> None:
    return


def _break(_reader: Reader, _node: ast.stmt, _scope: Scope) -> None:
    raise _Break


def _continue(_reader: Reader, _node: ast.stmt, _scope: Scope) -> None:
    raise _Continue


_STATEMENTS: dict[type[ast.stmt], Any] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.If: _branch,
    ast.For: _loop,
    ast.Return: _return,
    ast.Expr: _expression,
    ast.FunctionDef: _function,
    ast.Raise: _raise,
    ast.Pass: _pass,
    ast.Assert: _pass,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Import: _pass,
    ast.ImportFrom: _pass,
}
