"""The plain recipe: convolution, activation, pooling, twice."""

from __future__ import annotations

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template


@template(
    title="Two-block CNN",
    family="Images",
    parameters=6_090,
    source="LeCun et al. (1998), Gradient-based learning applied to document recognition.",
    data="digits",
)
def cnn_digits() -> NetworkSpec:
    """Convolution, activation, pooling, twice, and a dense layer: six thousand parameters."""
    net = Sketch(1, 8, 8)
    for channels in (16, 32):
        net("Conv2d", out_channels=channels, kernel_size=3, padding=1)
        net("ReLU")
        net("MaxPool2d", kernel_size=2)
    net("Flatten")
    net("Linear", name="scores", out_features=10)
    return net.spec()
