"""Layers that join several paths, and the shortcut that makes two paths fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from engine.network.registry import Layer, Shape, limited


class _Join(Layer):
    category = "Joining"
    home = "joining"
    inputs: ClassVar[tuple[int, int | None]] = (2, None)
    reach = "point"

    def arguments(self, shapes: Sequence[Shape]) -> dict[str, Any]:
        """Its parameters, once all inputs have one shape."""
        longest = max(len(shape) for shape in shapes)
        aligned = [(1,) * (longest - len(shape)) + shape for shape in shapes]
        for sizes in zip(*aligned, strict=True):
            if len({size for size in sizes if size != 1}) > 1:
                raise ValueError("needs inputs of one shape")
        return super().arguments(shapes)


class Add(_Join):
    """Adds its inputs: a residual connection when one of them skips some layers.

    Source: He et al. (2015), Deep residual learning for image recognition.
    """


class Multiply(_Join):
    """Multiplies its inputs: a gate when one of them lies between 0 and 1.

    Source: Dauphin et al. (2017), Language modeling with gated convolutional networks.
    """


class Subtract(_Join):
    """Takes the second input away from the first."""

    inputs = (2, 2)


class Maximum(_Join):
    """Keeps the larger of its inputs, value by value.

    Source: Goodfellow et al. (2013), Maxout networks.
    """


class Concat(Layer):
    """Puts its inputs behind one another along an axis, by default the channels.

    Source: Szegedy et al. (2015), Going deeper with convolutions.
    """

    category = "Joining"
    home = "joining"
    inputs = (1, None)
    reach = "point"

    axis: int = limited(0, -6, 6, "Which axis; 0 is the first after the batch")

    def arguments(self, shapes: Sequence[Shape]) -> dict[str, Any]:
        """Its parameters, once the inputs agree in all other axes."""
        rank = len(shapes[0])
        axis = self.axis % rank if rank and -rank <= self.axis < rank else self.axis
        rest = {shape[:axis] + shape[axis + 1 :] for shape in shapes}
        if len(rest) > 1 or len({len(shape) for shape in shapes}) > 1:
            raise ValueError(f"needs inputs that agree in all axes but axis {self.axis}")
        return super().arguments(shapes)


class Stack(_Join):
    """Puts its inputs beside one another along a new axis."""

    inputs = (1, None)

    axis: int = limited(0, 0, 6, "Where the new axis stands; 0 is the first after the batch")


class MatMul(Layer):
    """Multiplies two inputs as matrices, the second transposed if wished."""

    category = "Joining"
    home = "joining"
    inputs = (2, 2)

    transpose: bool = False


class Shortcut(Layer):
    """Makes a skipped path fit: unchanged where it fits, else a strided 1×1 convolution.

    Its first input is the skipped path, its second the one it is to be added to.

    Source: He et al. (2015), Deep residual learning for image recognition.
    """

    category = "Joining"
    home = "joining"
    inputs = (2, 2)
    reach = "point"

    norm: Literal["batch", "none"] = "batch"

    def arguments(self, shapes: Sequence[Shape]) -> dict[str, Any]:
        """The channels of both paths and the ratio of their sizes."""
        skip, branch = shapes
        if len(skip) != 3 or len(branch) != 3:
            raise ValueError("needs channels × rows × columns on both paths")
        stride = [-(-a // b) for a, b in zip(skip[1:], branch[1:], strict=True)]
        sizes = {"in_channels": skip[0], "out_channels": branch[0]}
        one = stride[0] if stride[0] == stride[1] else stride
        return {**sizes, "stride": one, **super().arguments(shapes)}
