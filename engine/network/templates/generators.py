"""Networks that make pictures: autoencoders, and DCGAN's two opponents."""

from __future__ import annotations

from typing import Any

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template

_HINTON = "Hinton & Salakhutdinov (2006), Reducing the dimensionality of data with neural networks."
_DCGAN = "Radford, Metz & Chintala (2015), Unsupervised representation learning (DCGAN)."


def _autoencoder(side: int, widths: tuple[int, ...]) -> NetworkSpec:
    """Narrower and narrower to a code, and the same way back to a picture."""
    net = Sketch(1, side, side)
    net("Flatten")
    for place, width in enumerate(widths):
        code = place == len(widths) - 1
        net("Linear", name="code" if code else "encode", out_features=width)
        if not code:
            net("Sigmoid")
    for width in widths[-2::-1]:
        net("Linear", name="decode", out_features=width)
        net("Sigmoid")
    net("Linear", name="pixels", out_features=side**2)
    net("Sigmoid")
    net("Reshape", name="picture", shape=[1, side, side])
    return net.spec()


@template(
    title="Deep autoencoder",
    family="Pictures from codes",
    parameters=2_837_314,
    source=_HINTON,
    data="mnist?aim=itself",
)
def autoencoder() -> NetworkSpec:
    """A picture of 28 × 28 pixels through 1000, 500 and 250 numbers to 30, and back."""
    return _autoencoder(28, (1000, 500, 250, 30))


@template(
    title="Autoencoder for small digits",
    family="Pictures from codes",
    source=_HINTON,
    data="digits?aim=itself",
)
def autoencoder_digits() -> NetworkSpec:
    """A picture of 8 × 8 pixels through 32 numbers to 4, and back."""
    return _autoencoder(8, (32, 4))


@template(
    title="Convolutional autoencoder for small digits",
    family="Pictures from codes",
    source="Masci et al. (2011), Stacked convolutional auto-encoders.",
    data="digits?aim=itself",
)
def autoencoder_conv_digits() -> NetworkSpec:
    """Two strided convolutions to 8 channels of 2 × 2, and two transposed ones back."""
    net = Sketch(1, 8, 8)
    for width in (16, 8):
        net("Conv2d", out_channels=width, kernel_size=3, stride=2, padding=1)
        net("ReLU")
    net("ConvTranspose2d", out_channels=16, kernel_size=4, stride=2, padding=1)
    net("ReLU")
    net("ConvTranspose2d", name="pixels", out_channels=1, kernel_size=4, stride=2, padding=1)
    net("Sigmoid")
    return net.spec()


def _generator(code: int, widths: tuple[int, ...], channels: int, begin: int) -> NetworkSpec:
    """Transposed convolutions: the first makes `begin` × `begin` pixels, each other doubles."""
    net = Sketch(code)
    net("Reshape", shape=[code, 1, 1])
    for place, width in enumerate(widths):
        step: dict[str, Any] = {"stride": 2, "padding": 1} if place else {"stride": 1, "padding": 0}
        size = 4 if place else begin
        net("ConvTranspose2d", out_channels=width, kernel_size=size, bias=False, **step)
        net("BatchNorm2d")
        net("ReLU")
    last: dict[str, Any] = {
        "out_channels": channels,
        "kernel_size": 4,
        "stride": 2,
        "padding": 1,
        "bias": False,
    }
    net("ConvTranspose2d", name="pixels", **last)
    net("Tanh")
    return net.spec()


def _discriminator(side: int, channels: int, widths: tuple[int, ...]) -> NetworkSpec:
    """Strided convolutions to one number: real or made."""
    net = Sketch(channels, side, side)
    for place, width in enumerate(widths):
        sizes: dict[str, Any] = {"out_channels": width, "kernel_size": 4, "stride": 2, "padding": 1}
        net("Conv2d", **sizes, bias=False)
        if place:  # not on the first: it would hide the colours' means
            net("BatchNorm2d")
        net("LeakyReLU", negative_slope=0.2)
    left = side // 2 ** len(widths)
    net("Conv2d", name="real", out_channels=1, kernel_size=left, bias=False)
    net("Flatten")
    return net.spec()


@template(
    title="DCGAN generator", family="Pictures from codes", parameters=3_576_704, source=_DCGAN
)
def dcgan_generator() -> NetworkSpec:
    """A hundred random numbers to a picture of 64 × 64 pixels, doubled four times."""
    return _generator(100, (512, 256, 128, 64), 3, 4)


@template(
    title="DCGAN discriminator", family="Pictures from codes", parameters=2_765_568, source=_DCGAN
)
def dcgan_discriminator() -> NetworkSpec:
    """A picture of 64 × 64 pixels to one number: how real it looks."""
    return _discriminator(64, 3, (64, 128, 256, 512))


@template(title="DCGAN generator for small digits", family="Pictures from codes", source=_DCGAN)
def dcgan_generator_digits() -> NetworkSpec:
    """Sixteen random numbers to a picture of 8 × 8 pixels."""
    return _generator(16, (32, 16), 1, 2)


@template(title="DCGAN discriminator for small digits", family="Pictures from codes", source=_DCGAN)
def dcgan_discriminator_digits() -> NetworkSpec:
    """A picture of 8 × 8 pixels to one number: how real it looks."""
    return _discriminator(8, 1, (16, 32))
