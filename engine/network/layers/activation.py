"""Activations: what makes a network more than one linear map."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine.network.registry import Layer, Reach, limited


class _Activation(Layer):
    category = "Activation"
    reach: ClassVar[Reach] = "point"


class ReLU(_Activation):
    """Keeps what is positive, makes the rest zero: `max(0, x)`.

    Source: Nair & Hinton (2010), Rectified linear units improve restricted Boltzmann machines.
    """


class LeakyReLU(_Activation):
    """Keeps what is positive and lets a little of the negative through.

    Source: Maas, Hannun & Ng (2013), Rectifier nonlinearities improve acoustic models.
    """

    negative_slope: float = limited(0.01, 0.0, 10.0, "Slope below zero")


class PReLU(_Activation):
    """A leaky ReLU whose slope below zero is learned.

    Source: He et al. (2015), Delving deep into rectifiers.
    """

    num_parameters: int = limited(1, help="One slope for all, or one a channel")
    init: float = limited(0.25, -10.0, 10.0, "Slope at the beginning")


class RReLU(_Activation):
    """A leaky ReLU whose slope below zero is drawn at random while training.

    Source: Xu et al. (2015), Empirical evaluation of rectified activations.
    """

    lower: float = limited(0.125, 0.0, 10.0, "Smallest slope")
    upper: float = limited(1 / 3, 0.0, 10.0, "Largest slope")


class ReLU6(_Activation):
    """A ReLU that stops at 6.

    Source: Howard et al. (2017), MobileNets.
    """


class ELU(_Activation):
    """Like a ReLU, but falls smoothly to -α below zero.

    Source: Clevert, Unterthiner & Hochreiter (2015), Exponential linear units.
    """

    alpha: float = limited(1.0, 0.0, 100.0, "How far down it goes")


class SELU(_Activation):
    """An ELU scaled so that mean 0 and variance 1 are kept from layer to layer.

    Source: Klambauer et al. (2017), Self-normalizing neural networks.
    """


class CELU(_Activation):
    """An ELU whose slope at zero is 1 for every α.

    Source: Barron (2017), Continuously differentiable exponential linear units.
    """

    alpha: float = limited(1.0, 0.01, 100.0, "How far down it goes")


class GELU(_Activation):
    """Weights x by the probability that a normal number is smaller: `x Φ(x)`.

    Source: Hendrycks & Gimpel (2016), Gaussian error linear units.
    """

    approximate: Literal["none", "tanh"] = "none"


class SiLU(_Activation):
    """Weights x by its sigmoid: `x σ(x)`, also called swish.

    Source: Elfwing, Uchibe & Doya (2018), Sigmoid-weighted linear units.
    """


class Mish(_Activation):
    """Weights x by the tanh of its softplus.

    Source: Misra (2019), Mish: a self regularized non-monotonic activation function.
    """


class Sigmoid(_Activation):
    """Squeezes into (0, 1): `1 / (1 + exp(-x))`."""


class Tanh(_Activation):
    """Squeezes into (-1, 1)."""


class Softplus(_Activation):
    """A smooth ReLU: `log(1 + exp(βx)) / β`.

    Source: Dugas et al. (2001), Incorporating second-order functional knowledge.
    """

    beta: float = limited(1.0, 0.01, 100.0, "How sharp the bend is")
    threshold: float = limited(20.0, 0.0, 1_000.0, "Above this it is taken as linear")


class Softsign(_Activation):
    """Squeezes into (-1, 1) slowly: `x / (1 + |x|)`.

    Source: Turian, Bergstra & Bengio (2009), Quadratic features and deep architectures.
    """


class Hardtanh(_Activation):
    """Cuts off below and above."""

    min_val: float = limited(-1.0, -1e6, 1e6, "Lowest value")
    max_val: float = limited(1.0, -1e6, 1e6, "Highest value")


class Hardsigmoid(_Activation):
    """A sigmoid of three straight lines.

    Source: Howard et al. (2019), Searching for MobileNetV3.
    """


class Hardswish(_Activation):
    """A swish of straight lines and a parabola.

    Source: Howard et al. (2019), Searching for MobileNetV3.
    """


class Hardshrink(_Activation):
    """Makes small values zero and keeps the others."""

    lambd: float = limited(0.5, 0.0, 1e6, "What counts as small")


class Softshrink(_Activation):
    """Moves every value towards zero by λ, and small ones to zero."""

    lambd: float = limited(0.5, 0.0, 1e6, "How far")


class Tanhshrink(_Activation):
    """What tanh takes away: `x - tanh(x)`."""


class LogSigmoid(_Activation):
    """The logarithm of the sigmoid."""


class Threshold(_Activation):
    """Replaces values up to a threshold by a constant."""

    threshold: float = limited(0.0, -1e6, 1e6, "Values up to this are replaced")
    value: float = limited(0.0, -1e6, 1e6, "By what")


class GLU(_Activation):
    """Gates the first half of an axis by the sigmoid of the second half.

    Source: Dauphin et al. (2017), Language modeling with gated convolutional networks.
    """

    dim: int = limited(-1, -8, 8, "Which axis is halved; 0 is the batch")


class Softmax(_Activation):
    """Turns scores into probabilities that sum to 1.

    Source: Bridle (1990), Probabilistic interpretation of feedforward network outputs.
    """

    reach = "all"

    dim: int = limited(-1, -8, 8, "Along which axis they sum to 1; 0 is the batch")


class LogSoftmax(_Activation):
    """The logarithm of the softmax, computed without overflow."""

    reach = "all"

    dim: int = limited(-1, -8, 8, "Along which axis; 0 is the batch")


class Softmin(_Activation):
    """A softmax in which small values count most."""

    reach = "all"

    dim: int = limited(-1, -8, 8, "Along which axis; 0 is the batch")


class Softmax2d(_Activation):
    """A softmax over the channels at every pixel."""

    axes = ("channels", "rows", "columns")


class Sine(_Activation):
    """The sine of the input times a frequency: for networks that stand for an image or a shape.

    Source: Sitzmann et al. (2020), Implicit neural representations with periodic activations.
    """

    home = "gates"

    frequency: float = limited(30.0, 0.001, 1e4, "Factor before the sine")


class SwiGLU(_Activation):
    """Gates the first half of the last axis by the swish of the second half.

    Source: Shazeer (2020), GLU variants improve transformer.
    """

    home = "gates"


class ReLUSquared(_Activation):
    """The square of the ReLU.

    Source: So et al. (2021), Primer: searching for efficient transformers.
    """

    home = "gates"


class Maxout(_Activation):
    """Keeps the largest of several neighbouring channels.

    Source: Goodfellow et al. (2013), Maxout networks.
    """

    home = "gates"

    pieces: int = limited(2, 1, 1_000, "How many channels share one output")
