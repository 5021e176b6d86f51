"""Language models without softmax attention: Mamba, RWKV and RetNet."""

from __future__ import annotations

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template
from engine.network.templates.recurrent import STORIES

_MAMBA = "Gu & Dao (2023), Mamba: linear-time sequence modeling with selective state spaces."
_RWKV = "Peng et al. (2023), RWKV: reinventing RNNs for the transformer era."
_RETNET = "Sun et al. (2023), Retentive network: a successor to transformer."


def _begin(places: int, words: int, features: int) -> Sketch:
    net = Sketch.of_tokens(places, words)
    net("Embedding", name="words", num_embeddings=words, embedding_dim=features)
    return net


def _mamba(places: int, words: int, depth: int, features: int, states: int) -> NetworkSpec:
    block = Sketch(states=16)
    block("RMSNorm", eps=1e-5)
    block("Mamba", name="mixer", states="=states")
    block("Add", block.input, block.last)
    net = _begin(places, words, features)
    net.block("layer", depth, name="layers", states=states)
    net("RMSNorm", name="norm", eps=1e-5)
    net("Linear", name="scores", tied="words", out_features=words, bias=False)
    return net.spec(layer=block)


@template(title="Mamba-130m", family="State spaces", parameters=129_135_360, source=_MAMBA)
def mamba_130m() -> NetworkSpec:
    """Twenty-four selective state spaces of 768 features, and no attention."""
    return _mamba(256, 50_280, 24, 768, 16)


@template(title="Small Mamba", family="State spaces", source=_MAMBA, data="stories")
def mamba_small() -> NetworkSpec:
    """Two selective state spaces that write stories character by character."""
    return _mamba(64, STORIES, 2, 48, 8)


def _rwkv(places: int, words: int, depth: int, features: int) -> NetworkSpec:
    block = Sketch()
    block("LayerNorm")
    block("RWKVTimeMixing", name="time")
    mixed = block("Add", block.input, block.last)
    block("LayerNorm")
    block("RWKVChannelMixing", name="channels")
    block("Add", mixed, block.last)
    net = _begin(places, words, features)
    net("LayerNorm", name="first_norm")
    net.block("layer", depth, name="layers")
    net("LayerNorm", name="norm")
    net("Linear", name="scores", out_features=words, bias=False)
    return net.spec(layer=block)


@template(title="RWKV-4 169m", family="State spaces", parameters=169_342_464, source=_RWKV)
def rwkv_169m() -> NetworkSpec:
    """Twelve layers that mix time by fading means: trained like attention, run like an RNN."""
    return _rwkv(256, 50_277, 12, 768)


@template(title="Small RWKV", family="State spaces", source=_RWKV, data="stories")
def rwkv_small() -> NetworkSpec:
    """Two layers that write stories character by character."""
    return _rwkv(64, STORIES, 2, 48)


def _retnet(places: int, words: int, depth: int, features: int, heads: int) -> NetworkSpec:
    block = Sketch(features=64, heads=2)
    block("LayerNorm")
    block("Retention", name="retention", heads="=heads")
    kept = block("Add", block.input, block.last)
    block("LayerNorm")
    block("Linear", name="widen", out_features="=2 * features")
    block("GELU")
    block("Linear", name="narrow", out_features="=features")
    block("Add", kept, block.last)
    net = _begin(places, words, features)
    net.block("layer", depth, name="layers", features=features, heads=heads)
    net("LayerNorm", name="norm")
    net("Linear", name="scores", out_features=words, bias=False)
    return net.spec(layer=block)


@template(title="RetNet 1.3B", family="State spaces", source=_RETNET)
def retnet_large() -> NetworkSpec:
    """Twenty-four layers of 2,048 features and 8 heads, to be looked at only."""
    return _retnet(256, 50_257, 24, 2048, 8)


@template(title="Small RetNet", family="State spaces", source=_RETNET, data="stories")
def retnet_small() -> NetworkSpec:
    """Two layers of retention that write stories character by character."""
    return _retnet(64, STORIES, 2, 48, 2)
