"""AlexNet: the network that began the decade of deep learning."""

from __future__ import annotations

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template

# channels, kernel size, stride, padding, groups, whether a pooling follows
_ONE_TOWER = (
    (64, 11, 4, 2, 1, True),
    (192, 5, 1, 2, 1, True),
    (384, 3, 1, 1, 1, False),
    (256, 3, 1, 1, 1, False),
    (256, 3, 1, 1, 1, True),
)
_TWO_TOWERS = (
    (96, 11, 4, 0, 1, True),
    (256, 5, 1, 2, 2, True),
    (384, 3, 1, 1, 1, False),
    (384, 3, 1, 1, 2, False),
    (256, 3, 1, 1, 2, True),
)


def _alexnet(side: int, sizes: tuple[tuple[int, ...], ...], response_norm: bool) -> NetworkSpec:
    """Five convolutions, overlapping poolings, three dense layers.

    Args:
        side: Of the picture [pixel].
        sizes: A row for each convolution.
        response_norm: Whether the first two are followed by local response normalisation.
    """
    net = Sketch(3, side, side)
    for layer, (channels, kernel, stride, padding, groups, pooled) in enumerate(sizes):
        net(
            "Conv2d",
            out_channels=channels,
            kernel_size=kernel,
            stride=stride,
            padding=padding,
            groups=groups,
        )
        net("ReLU")
        if response_norm and layer < 2:
            # the paper's α multiplies a sum over n channels, torch's a mean
            net("LocalResponseNorm", size=5, alpha=5e-4, beta=0.75, k=2.0)
        if pooled:
            net("MaxPool2d", kernel_size=3, stride=2)
    net("Flatten")
    for _ in range(2):
        net("Dropout", p=0.5)
        net("Linear", out_features=4096)
        net("ReLU")
    net("Linear", name="scores", out_features=1000)
    return net.spec()


@template(
    title="AlexNet",
    family="Images",
    parameters=61_100_840,
    source="Krizhevsky (2014), One weird trick for parallelizing convolutional neural networks.",
)
def alexnet() -> NetworkSpec:
    """AlexNet in one tower, as everybody builds it now."""
    return _alexnet(224, _ONE_TOWER, response_norm=False)


@template(
    title="AlexNet, two towers",
    family="Images",
    parameters=60_965_224,
    source="Krizhevsky et al. (2012), ImageNet classification with deep convolutional networks.",
)
def alexnet_original() -> NetworkSpec:
    """AlexNet as it was split over two graphics cards: grouped convolutions, response norm."""
    return _alexnet(227, _TWO_TOWERS, response_norm=True)


@template(
    title="AlexNet for small digits",
    family="Images",
    source="Krizhevsky et al. (2012), ImageNet classification with deep convolutional networks.",
    data="digits",
)
def alexnet_digits() -> NetworkSpec:
    """AlexNet's order of layers with overlapping pools and dropout, for 8 × 8 pixels."""
    net = Sketch(1, 8, 8)
    for width, pooled in ((16, True), (32, True), (32, False)):
        net("Conv2d", out_channels=width, kernel_size=3, padding=1)
        net("ReLU")
        if pooled:
            net("MaxPool2d", kernel_size=3, stride=2, padding=1)
    net("Flatten")
    net("Dropout", p=0.2)
    net("Linear", out_features=64)
    net("ReLU")
    net("Linear", name="scores", out_features=10)
    return net.spec()
