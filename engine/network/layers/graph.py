"""Where a network begins, and blocks: layers that a network is put together from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from engine.network.registry import LARGEST, Layer, limited, required

_Size = Annotated[int, Field(ge=1, le=LARGEST)]


class Input(Layer):
    """Takes what the network is given: pictures, numbers or words."""

    category = "Input"
    inputs = (0, 0)

    shape: Annotated[list[_Size], Field(max_length=6)] | None = Field(
        None, description="Size of each axis, the batch not counted"
    )
    dtype: Literal["float", "token"] = "float"
    vocabulary: int | None = limited(None, 1, LARGEST, "How many different tokens there are")


class Block(Layer):
    """Uses a named block of the network, once or several times in a row."""

    category = "Input"
    inputs = (0, None)

    block: str = required("block", "Name of the block")
    repeat: int | None = limited(None, 1, 200, "How many copies follow each other")
    values: dict[str, Any] = Field({}, description="The block's own parameters")
    first: dict[str, Any] = Field({}, description="Parameters of the first copy only")
