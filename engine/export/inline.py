"""Definitions copied out of a file, with whatever else of that file they use."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from pathlib import Path

Definition = ast.FunctionDef | ast.ClassDef | ast.Assign


def definitions(path: Path, names: Iterable[str]) -> list[str]:
    """The source of top-level definitions and of those they need, in the order of the file."""
    text, known = _read(path)
    wanted: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in wanted or name not in known:
            continue
        wanted.add(name)
        todo += [n.id for n in ast.walk(known[name]) if isinstance(n, ast.Name)]
    lines = text.splitlines()
    return [_source(lines, known[name]) for name in known if name in wanted]


def imports(path: Path, text: str) -> list[str]:
    """The import lines of a file that `text` makes use of, without those of this project."""
    tree = ast.parse(_read(path)[0])
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    found: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom) and not _ours(node):
            kept = [a for a in node.names if (a.asname or a.name).partition(".")[0] in used]
            for alias in kept:
                found.append(ast.unparse(_alone(node, alias)))
    return found


def _alone(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.stmt:
    if isinstance(node, ast.ImportFrom):
        return ast.ImportFrom(module=node.module, names=[alias], level=0)
    return ast.Import(names=[alias])


def _ours(node: ast.Import | ast.ImportFrom) -> bool:
    module = node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name
    return module.partition(".")[0] in ("engine", "__future__")


@functools.cache
def _read(path: Path) -> tuple[str, dict[str, Definition]]:
    text = path.read_text(encoding="utf-8")
    known: dict[str, Definition] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            known[node.name] = node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            known[node.targets[0].id] = node
    return text, known


def _source(lines: list[str], node: Definition) -> str:
    """The lines of a definition; its decorators belong to a table of this project and stay here."""
    return "\n".join(lines[node.lineno - 1 : node.end_lineno])
