"""Blocks of well-known image networks; the templates show them opened up."""

from __future__ import annotations

from engine.network.registry import Layer, follows, limited


class _ImageBlock(Layer):
    category = "Blocks"
    home = "blocks"
    axes = ("channels", "rows", "columns")


class InvertedResidual(_ImageBlock):
    """Widens the channels, filters each by itself and narrows them again, past a shortcut.

    Source: Sandler et al. (2018), MobileNetV2: inverted residuals and linear bottlenecks.
    """

    in_channels: int | None = follows(0, "Channels that come in; found from the input")
    out_channels: int = limited(help="Channels that go out", begin=8)
    kernel_size: int = limited(3, 1, 99, "Width of the filters; odd")
    stride: int = limited(1, 1, 99, "How far the filters step")
    expand: int = limited(6, 1, 64, "How many times wider inside")


class ResidualBlock(_ImageBlock):
    """Adds what two 3 × 3 convolutions make of its input to the input, fitted if need be.

    Source: He et al. (2015), Deep residual learning for image recognition.
    """

    in_channels: int | None = follows(0, "Channels that come in; found from the input")
    out_channels: int = limited(help="Channels that go out", begin=8)
    stride: int = limited(1, 1, 99, "How far the filters step")


class ConvNeXtBlock(_ImageBlock):
    """Filters each channel widely, then maps every pixel by itself, past a shortcut.

    Source: Liu et al. (2022), A ConvNet for the 2020s.
    """

    channels: int | None = follows(0, "Channels; found from the input")
    kernel_size: int = limited(7, 1, 99, "Width of the filters; odd")
    expand: int = limited(4, 1, 64, "How many times wider inside")
    scale: float = limited(1e-6, 0.0, 10.0, "First factor of what is added")


class InceptionBlock(_ImageBlock):
    """Looks through windows of 1, 3 and 5 and a pool at once, and puts the channels together.

    Source: Szegedy et al. (2015), Going deeper with convolutions.
    """

    in_channels: int | None = follows(0, "Channels that come in; found from the input")
    ones: int = limited(help="Filters of 1 × 1", begin=8)
    reduce3: int = limited(help="Channels before the 3 × 3 filters", begin=8)
    threes: int = limited(help="Filters of 3 × 3", begin=16)
    reduce5: int = limited(help="Channels before the 5 × 5 filters", begin=4)
    fives: int = limited(help="Filters of 5 × 5", begin=8)
    pooled: int = limited(help="Channels after the pool", begin=8)


class DenseBlock(_ImageBlock):
    """Adds a few channels at a time, each layer seeing what all before it gave.

    Source: Huang et al. (2017), Densely connected convolutional networks.
    """

    in_channels: int | None = follows(0, "Channels that come in; found from the input")
    layers: int = limited(4, 1, 200, "How many layers")
    growth: int = limited(12, help="Channels each of them adds")
    width: int = limited(4, 1, 64, "Width inside, in growths")
