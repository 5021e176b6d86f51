"""Transformers that see: ViT, DeiT and Swin."""

from __future__ import annotations

from typing import Any

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template

_VIT = "Dosovitskiy et al. (2020), An image is worth 16x16 words."
_DEIT = "Touvron et al. (2020), Training data-efficient image transformers and distillation."
_SWIN = "Liu et al. (2021), Swin transformer: hierarchical vision transformer, shifted windows."


def _maps(block: Sketch, before: str) -> None:
    """Norm, four times wider and back, and the shortcut around them."""
    block("LayerNorm", before, eps=1e-6)
    block("Linear", name="widen", out_features="=4 * features")
    block("GELU")
    block("Linear", name="narrow", out_features="=features")
    block("Add", before, block.last)


def _layer() -> Sketch:
    """Norm, attention, shortcut; norm, two maps, shortcut."""
    block = Sketch(features=192, heads=3)
    block("LayerNorm", eps=1e-6)
    block("SelfAttention", name="attention", heads="=heads", causal=False)
    _maps(block, block("Add", block.input, block.last))
    return block


def _patches(net: Sketch, patch: int, depth: int, features: int, heads: int, tokens: int) -> str:
    """A picture as a sequence of patches through the layers; the normed sequence."""
    net("PatchEmbedding", name="patches", features=features, patch=patch)
    net("ClassToken", tokens=tokens)
    net("LearnedPositions", name="positions")
    net.block("layer", depth, name="layers", features=features, heads=heads)
    return net("LayerNorm", name="norm", eps=1e-6)


def _vit(net: Sketch, patch: int, depth: int, features: int, heads: int) -> NetworkSpec:
    _patches(net, patch, depth, features, heads, 1)
    net("Select")
    net("Linear", name="scores", out_features=1000 if depth > 3 else 10)
    return net.spec(layer=_layer())


@template(title="ViT-Tiny/16", family="Transformers", parameters=5_717_416, source=_VIT)
def vit_tiny() -> NetworkSpec:
    """Patches of 16 × 16 pixels, 192 features, 3 heads."""
    return _vit(Sketch(3, 224, 224), 16, 12, 192, 3)


@template(title="ViT-Small/16", family="Transformers", parameters=22_050_664, source=_VIT)
def vit_small() -> NetworkSpec:
    """Patches of 16 × 16 pixels, 384 features, 6 heads."""
    return _vit(Sketch(3, 224, 224), 16, 12, 384, 6)


@template(title="ViT-Base/16", family="Transformers", parameters=86_567_656, source=_VIT)
def vit_base() -> NetworkSpec:
    """Patches of 16 × 16 pixels, 768 features, 12 heads."""
    return _vit(Sketch(3, 224, 224), 16, 12, 768, 12)


@template(title="ViT for small digits", family="Transformers", source=_VIT, data="digits")
def vit_digits() -> NetworkSpec:
    """Sixteen patches of 2 × 2 pixels, two layers of 32 features."""
    return _vit(Sketch(1, 8, 8), 2, 2, 32, 4)


def _deit(features: int, heads: int) -> NetworkSpec:
    """A second token learns from a teacher; each token has scores of its own."""
    net = Sketch(3, 224, 224)
    whole = _patches(net, 16, 12, features, heads, 2)
    scores = []
    for place, name in enumerate(("scores", "teacher")):
        token = net("Select", whole, name=f"{name}_token", index=place)
        scores.append(net("Linear", token, name=name, out_features=1000))
    return net.spec(*scores, layer=_layer())


@template(title="DeiT-Tiny distilled", family="Transformers", parameters=5_910_800, source=_DEIT)
def deit_tiny() -> NetworkSpec:
    """ViT-Tiny with a token that listens to a teacher."""
    return _deit(192, 3)


@template(title="DeiT-Small distilled", family="Transformers", parameters=22_436_432, source=_DEIT)
def deit_small() -> NetworkSpec:
    """ViT-Small with a token that listens to a teacher."""
    return _deit(384, 6)


@template(title="DeiT-Base distilled", family="Transformers", parameters=87_338_192, source=_DEIT)
def deit_base() -> NetworkSpec:
    """ViT-Base with a token that listens to a teacher."""
    return _deit(768, 12)


@template(title="DeiT for small digits", family="Transformers", source=_DEIT, data="digits")
def deit_digits() -> NetworkSpec:
    """Two tokens whose scores are averaged, as DeiT does after training."""
    net = Sketch(1, 8, 8)
    whole = _patches(net, 2, 2, 32, 4, 2)
    parts = [
        net("Linear", net("Select", whole, index=place), out_features=10) for place in range(2)
    ]
    net("Stack", *parts)
    net("Mean", name="scores", axes_to_average=[0])
    return net.spec(layer=_layer())


def _pair() -> Sketch:
    """Attention in windows, then in windows shifted by half, each with its two maps."""
    block = Sketch(features=96, heads=3, window=7)
    before = block.input
    for name, shift in (("windows", 0), ("shifted", "=window // 2")):
        block("LayerNorm", before)
        sizes: dict[str, Any] = {"heads": "=heads", "window": "=window", "shift": shift}
        block("WindowAttention", name=name, **sizes)
        before = block("Add", before, block.last)
        block("LayerNorm")
        block("Linear", name="widen", out_features="=4 * features")
        block("GELU")
        block("Linear", name="narrow", out_features="=features")
        before = block("Add", before, block.last)
    return block


def _swin(
    net: Sketch, patch: int, features: int, pairs: tuple[int, ...], heads: int, window: int
) -> NetworkSpec:
    """Stages of window attention; between them four neighbours become one place."""
    net("Conv2d", name="patches", out_channels=features, kernel_size=patch, stride=patch)
    net("Permute", order=[1, 2, 0])
    net("LayerNorm")
    for stage, depth in enumerate(pairs):
        if stage:
            net("Permute", order=[2, 0, 1])
            net("PixelUnshuffle")
            net("Permute", order=[1, 2, 0])
            net("LayerNorm")
            net("Linear", name="merge", out_features=features * 2**stage, bias=False)
        sizes: dict[str, Any] = {
            "features": features * 2**stage,
            "heads": heads * 2**stage,
            "window": window,
        }
        net.block("pair", depth, **sizes)
    net("LayerNorm")
    net("Permute", order=[2, 0, 1])
    net("GlobalAvgPool")
    net("Linear", name="scores", out_features=1000 if len(pairs) > 2 else 10)
    return net.spec(pair=_pair())


@template(title="Swin-T", family="Transformers", parameters=28_288_354, source=_SWIN)
def swin_tiny() -> NetworkSpec:
    """Windows of 7 × 7 places; four stages of 2, 2, 6 and 2 layers."""
    return _swin(Sketch(3, 224, 224), 4, 96, (1, 1, 3, 1), 3, 7)


@template(title="Swin-S", family="Transformers", parameters=49_606_258, source=_SWIN)
def swin_small() -> NetworkSpec:
    """Windows of 7 × 7 places; four stages of 2, 2, 18 and 2 layers."""
    return _swin(Sketch(3, 224, 224), 4, 96, (1, 1, 9, 1), 3, 7)


@template(title="Swin for small digits", family="Transformers", source=_SWIN, data="digits")
def swin_digits() -> NetworkSpec:
    """Patches of 2 × 2 pixels, windows of 2 × 2 patches, two stages."""
    return _swin(Sketch(1, 8, 8), 2, 24, (1, 1), 3, 2)
