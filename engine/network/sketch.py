"""A pencil for networks: each call adds a layer behind the last one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from engine.network.spec import NetworkSpec


class Sketch:
    """A network, or a block of one, while it is being drawn.

    A size may be a formula of a block's values, such as `"=width"`.

    Args:
        *shape: Of the input, the batch not counted; left out for a block's input.
        **values: A block's own parameters with their defaults.
    """

    def __init__(self, *shape: int, **values: Any) -> None:
        self.values = values
        self._nodes: list[dict[str, Any]] = []
        self._edges: list[list[str]] = []
        self._named: Counter[str] = Counter()
        self.last = ""
        self.input = self("Input", name="image" if shape else "x", **_shaped(shape))

    @classmethod
    def of_tokens(cls, length: int, vocabulary: int, name: str = "tokens") -> Sketch:
        """A network that reads `length` whole numbers below `vocabulary`."""
        net = cls.__new__(cls)
        net.values, net._nodes, net._edges, net._named = {}, [], [], Counter()
        net.input = net.last = net.enter(name, length, vocabulary=vocabulary)
        return net

    def enter(self, name: str, *shape: int, vocabulary: int = 0) -> str:
        """One more input, of numbers or of tokens; its id. A block's has no shape."""
        self._named[name] += 1
        params = _shaped(shape)
        if vocabulary:
            params |= {"dtype": "token", "vocabulary": vocabulary}
        self._nodes.append({"id": name, "type": "Input", "params": params})
        return name

    def __call__(
        self, type: str, *sources: str, name: str = "", tied: str = "", **params: Any
    ) -> str:
        """Add a layer behind `sources`, or behind the last one; its id.

        With `tied` it uses the weight of another layer.
        """
        stem = name or re.sub(r"\dd$", "", type).lower()
        self._named[stem] += 1
        id = stem if name and self._named[stem] == 1 else f"{stem}{self._named[stem]}"
        shared = {"tied": tied} if tied else {}
        self._nodes.append({"id": id, "type": type, "params": params, **shared})
        self._edges += [[source, id] for source in sources or (self.last,) if source]
        self.last = id
        return id

    def conv(
        self,
        channels: int | str,
        kernel: int | str = 3,
        stride: int | str = 1,
        *,
        after: str = "",
        activation: str = "ReLU",
        eps: float = 1e-5,
        **params: Any,
    ) -> str:
        """A convolution that keeps the size at stride 1, batch norm and an activation; its id.

        Args:
            channels: How many come out.
            kernel: Width of the window [pixel].
            stride: How far it steps [pixel].
            after: What it follows, if not the last layer.
            activation: Its layer type; "" for none.
            eps: Added to the variance by the batch norm.
            **params: Of the convolution: `groups`, `padding`.
        """
        half = f"={kernel.removeprefix('=')} // 2" if isinstance(kernel, str) else kernel // 2
        sizes = {"out_channels": channels, "kernel_size": kernel, "stride": stride, "padding": half}
        self("Conv2d", *filter(None, [after]), **{**sizes, "bias": False, **params})
        norm: dict[str, Any] = {} if eps == 1e-5 else {"eps": eps}
        self("BatchNorm2d", **norm)
        return self(activation) if activation else self.last

    def block(
        self,
        block: str,
        repeat: int = 0,
        first: Mapping[str, Any] | None = None,
        *,
        sources: Sequence[str] = (),
        name: str = "",
        **values: Any,
    ) -> str:
        """Use a block, `repeat` copies in a row, the first with its own values; its id."""
        params: dict[str, Any] = {"block": block, "values": values}
        if repeat:
            params |= {"repeat": repeat, "first": dict(first or {})}
        return self("Block", *sources, name=name or f"{block}_", **params)

    def spec(self, *outputs: str, **blocks: Sketch) -> NetworkSpec:
        """The finished network; its output is the last layer unless others are named."""
        drawn = {name: {**block._graph(), "values": block.values} for name, block in blocks.items()}
        return NetworkSpec.parse({**self._graph(*outputs), "blocks": drawn})

    def _graph(self, *outputs: str) -> dict[str, Any]:
        return {
            "nodes": self._nodes,
            "edges": self._edges,
            "outputs": list(outputs or (self.last,)),
        }


def _shaped(shape: Sequence[int]) -> dict[str, Any]:
    return {"shape": list(shape)} if shape else {}
