"""A tape put in order: what nothing needs is gone, and projected shortcuts are one layer."""

from __future__ import annotations

import graphlib
from dataclasses import replace

from engine.importing.tape import Leaf, Ref, Tape


def tidied(tape: Tape) -> Tape:
    """The tape with `Shortcut` layers where a skipped path is projected, and no loose ends."""
    _Shortcuts(tape).join()
    return pruned(tape)


def pruned(tape: Tape) -> Tape:
    """Only what leads to an output, and the inputs; in an order in which it can run."""
    needed: set[int] = set()
    todo = [ref.leaf for ref in tape.outputs]
    while todo:
        place = todo.pop()
        if place not in needed:
            needed.add(place)
            todo += [ref.leaf for ref in tape.leaves[place].sources]
    needed |= {place for place, leaf in enumerate(tape.leaves) if leaf.type == "Input"}
    sorter: graphlib.TopologicalSorter[int] = graphlib.TopologicalSorter()
    for place in sorted(needed):
        sorter.add(place, *(ref.leaf for ref in tape.leaves[place].sources))
    order: list[int] = []
    sorter.prepare()
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    order = _as_before(order, tape)
    return tape.reordered(order)


def _as_before(order: list[int], tape: Tape) -> list[int]:
    """The order of the file, where that works."""
    plain = sorted(order)
    position = {place: n for n, place in enumerate(plain)}
    works = all(
        position[ref.leaf] < position[place]
        for place in plain
        for ref in tape.leaves[place].sources
    )
    return plain if works else order


class _Shortcuts:
    """Finds `x -> 1 × 1 convolution -> batch norm -> add` and makes it `Shortcut -> add`.

    Where one numbered scope has a projection, those like it that add their input as it is get a
    `Shortcut` too, which does nothing there, so that all are built alike.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._users: dict[Ref, list[int]] = {}
        for place, leaf in enumerate(tape.leaves):
            for ref in leaf.sources:
                self._users.setdefault(ref, []).append(place)

    def join(self) -> None:
        """Change the tape."""
        found: dict[
            str, tuple[str, int]
        ] = {}  # an addition's path in its copy -> what is beside it
        for place, leaf in enumerate(list(self._tape.leaves)):
            if leaf.type != "Add" or len(leaf.sources) != 2:
                continue
            for side in (0, 1):
                if made := self._projection(leaf, side):
                    self._project(place, side, *made)
                    self._remember(found, place, side, made[2])
                    break
        for place, leaf in enumerate(list(self._tape.leaves)):
            if leaf.type == "Add" and len(leaf.sources) == 2:
                self._follow(found, place, leaf)

    def _projection(self, add: Leaf, side: int) -> tuple[int, int, str] | None:
        """The convolution and the norm on one side of an addition, and the scope they make."""
        norm_place = add.sources[side].leaf
        norm = self._tape.leaves[norm_place]
        if norm.type != "BatchNorm2d" or norm.params or not self._lone(Ref(norm_place)):
            return None
        conv_place = norm.sources[0].leaf
        conv = self._tape.leaves[conv_place]
        usual = {"out_channels", "stride", "bias"}
        if conv.type != "Conv2d" or not self._lone(Ref(conv_place)):
            return None
        if not set(conv.params) - {"kernel_size"} <= usual or conv.params.get("bias", True):
            return None
        scope, _, _ = conv.path.rpartition(".")
        alone = scope and norm.path.rpartition(".")[0] == scope
        alone = alone and conv.params.get("kernel_size") == 1
        inside = [leaf for leaf in self._tape.leaves if leaf.path.startswith(f"{scope}.")]
        return (conv_place, norm_place, scope) if alone and len(inside) == 2 else None

    def _lone(self, ref: Ref) -> bool:
        return len(self._users.get(ref, ())) == 1 and ref not in self._tape.outputs

    def _project(self, add: int, side: int, conv: int, norm: int, scope: str) -> None:
        tape = self._tape
        skip, branch = tape.leaves[conv].sources[0], tape.leaves[add].sources[1 - side]
        weights = {f"conv.{k}": v for k, v in tape.leaves[conv].weights.items()}
        weights |= {f"norm.{k}": v for k, v in tape.leaves[norm].weights.items()}
        before = tape.leaves[norm]
        tape.leaves[norm] = replace(
            before,
            path=scope,
            wanted=scope,
            type="Shortcut",
            params={},
            sources=(skip, branch),
            weights=weights,
        )

    def _remember(self, found: dict[str, tuple[str, int]], add: int, side: int, scope: str) -> None:
        copy, inner = _copy_of(self._tape.leaves[add].path)
        if copy and scope.startswith(f"{copy}."):
            found[inner] = (scope.removeprefix(f"{copy}."), side)

    def _follow(self, found: dict[str, tuple[str, int]], place: int, leaf: Leaf) -> None:
        copy, inner = _copy_of(leaf.path)
        if not copy or inner not in found:
            return
        local, side = found[inner]
        skip, branch = leaf.sources[side], leaf.sources[1 - side]
        if self._tape.leaves[skip.leaf].path.startswith(f"{copy}."):
            return  # a projection, or a path of its own
        if self._tape.shape(skip) != self._tape.shape(branch) or len(self._tape.shape(skip)) != 3:
            return
        path = f"{copy}.{local}"
        (made,) = self._tape.add("Shortcut", {}, (skip, branch), path, where=leaf.where)
        sources = (made, branch) if side == 0 else (branch, made)
        self._tape.change(place, sources=sources)


def _copy_of(path: str) -> tuple[str, str]:
    """`layer1.0.add` as the copy `layer1.0`, or "", and the rest."""
    parts = path.split(".")
    for place in range(len(parts) - 2, 0, -1):
        if parts[place].isdecimal():
            return ".".join(parts[: place + 1]), ".".join(parts[place + 1 :])
    return "", path
