"""Linear maps and look-ups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.network.registry import Layer, Shape, follows, limited


class Linear(Layer):
    """Multiplies by a matrix of weights and adds a bias: every output sees every input.

    Source: Rosenblatt (1958), The perceptron.
    """

    category = "Basic"
    reach = "all"

    in_features: int | None = follows(-1, "Numbers that come in; found from the input")
    out_features: int = limited(help="Numbers that come out", begin=10)
    bias: bool = True


class Bilinear(Layer):
    """Combines two inputs by a matrix for each output: `x A y + b`.

    Source: Tenenbaum & Freeman (2000), Separating style and content with bilinear models.
    """

    category = "Basic"
    home = "joining"
    inputs = (2, 2)
    example = ((4,), (3,))

    in1_features: int | None = follows(-1, "Numbers of the first input")
    in2_features: int | None = limited(None, 0, help="Numbers of the second input")
    out_features: int = limited(help="Numbers that come out", begin=10)
    bias: bool = True

    def arguments(self, shapes: Sequence[Shape]) -> dict[str, Any]:
        """Both sizes follow from the inputs."""
        second = self.agree("in2_features", shapes[1], -1)
        return {**super().arguments(shapes), "in2_features": second}


class Scale(Layer):
    """Multiplies by a fixed number, which is not learned."""

    category = "Basic"
    home = "gates"
    reach = "point"
    example = ((8,),)

    factor: float = limited(1.0, -1e6, 1e6, "What everything is multiplied by")


class OneHot(Layer):
    """Writes each token as a vector that is 1 in its own place and 0 elsewhere.

    Source: Elman (1990), Finding structure in time.
    """

    category = "Basic"
    home = "rearrange"
    reach = "point"
    reads = "token"
    example = ((8,),)

    classes: int = limited(high=1_000_000, help="How many different tokens there are", begin=50)


class Embedding(Layer):
    """Looks up a learned vector for every token.

    Source: Bengio et al. (2003), A neural probabilistic language model.
    """

    category = "Basic"
    reach = "point"
    reads = "token"
    example = ((8,),)

    num_embeddings: int = limited(help="How many different tokens there are", begin=100)
    embedding_dim: int = limited(help="Numbers of each vector", begin=32)
    padding_idx: int | None = limited(None, 0, help="Token whose vector stays zero")
