"""Regularisation: noise while training, so that a network relies on no single value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from engine.network.registry import Layer, Shape, limited

_Probability = Annotated[float, Field(ge=0.0, le=1.0, description="Which share is dropped")]


class _Dropout(Layer):
    category = "Regularisation"
    reach = "point"

    p: _Probability = 0.5


class Dropout(_Dropout):
    """Sets values to zero at random while training.

    Source: Srivastava et al. (2014), Dropout.
    """


class Dropout1d(_Dropout):
    """Sets whole channels of a sequence to zero at random while training.

    Source: Tompson et al. (2015), Efficient object localization using convolutional networks.
    """

    axes = ("channels", "length")


class Dropout2d(_Dropout):
    """Sets whole channels of an image to zero at random while training.

    Source: Tompson et al. (2015), Efficient object localization using convolutional networks.
    """

    axes = ("channels", "rows", "columns")


class Dropout3d(_Dropout):
    """Sets whole channels of a volume to zero at random while training.

    Source: Tompson et al. (2015), Efficient object localization using convolutional networks.
    """

    axes = ("channels", "depth", "rows", "columns")


class AlphaDropout(_Dropout):
    """A dropout that keeps mean and variance, for SELU networks.

    Source: Klambauer et al. (2017), Self-normalizing neural networks.
    """


class FeatureAlphaDropout(_Dropout):
    """An alpha dropout of whole channels."""


class DropPath(Layer):
    """Leaves out a whole path for some examples while training: stochastic depth.

    Source: Huang et al. (2016), Deep networks with stochastic depth.
    """

    category = "Regularisation"
    reach = "point"
    home = "gates"

    p: _Probability = 0.1


class LayerScale(Layer):
    """Multiplies each channel by a learned factor that starts small.

    Source: Touvron et al. (2021), Going deeper with image transformers.
    """

    category = "Regularisation"
    reach = "point"
    home = "gates"

    features: int | None = limited(None, 1, help="Channels; found from the input")
    init: float = limited(1e-5, 0.0, 10.0, "The factor at the beginning")
    axis: int = limited(-1, -6, 6, "Which axis the channels are; 0 is the first after the batch")

    def arguments(self, shapes: Sequence[Shape]) -> dict[str, Any]:
        """The channels, the first factor, and how many axes follow the channels."""
        features = self.agree("features", shapes[0], self.axis)
        rank = len(shapes[0])
        return {"features": features, "init": self.init, "trailing": rank - 1 - self.axis % rank}


class GaussianNoise(Layer):
    """Adds normal noise while training.

    Source: Bishop (1995), Training with noise is equivalent to Tikhonov regularization.
    """

    category = "Regularisation"
    reach = "point"
    home = "gates"

    deviation: float = limited(0.1, 0.0, 100.0, "Standard deviation of the noise")
