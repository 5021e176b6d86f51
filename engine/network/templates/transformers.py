"""Transformers that read and write: the original, BERT, GPT-2 and T5."""

from __future__ import annotations

from typing import Any

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template
from engine.network.templates.recurrent import SOURCE, STORIES, TARGET, WORDS

REVIEW, REVIEW_WORDS = 13, 21  # places and words of the data set reviews
BLANKS, BLANK_WORDS = 20, 63  # of the data set blanks
_VASWANI = "Vaswani et al. (2017), Attention is all you need."
_BERT = "Devlin et al. (2018), BERT: pre-training of deep bidirectional transformers."
_GPT2 = "Radford et al. (2019), Language models are unsupervised multitask learners."
_T5 = "Raffel et al. (2019), Exploring the limits of transfer learning (T5)."


def _post(block: Sketch, before: str, eps: float = 1e-5) -> str:
    """The shortcut and the norm after it."""
    block("Dropout", p=0.1)
    block("Add", before, block.last)
    return block("LayerNorm", eps=eps)


def _wide(block: Sketch, activation: str = "ReLU", **params: Any) -> str:
    """To the feed-forward width and back."""
    block("Linear", name="widen", out_features="=wide")
    block(activation, **params)
    return block("Linear", name="narrow", out_features="=features")


def encoder(activation: str = "ReLU", eps: float = 1e-5) -> Sketch:
    """Attention and two maps, each with a shortcut and a norm behind it."""
    block = Sketch(features=64, heads=4, wide=128)
    block("MultiheadAttention", name="attention", num_heads="=heads")
    looked = _post(block, block.input, eps)
    _wide(block, activation)
    _post(block, looked, eps)
    return block


def _decoder() -> Sketch:
    """As the encoder, without the future, and with a look at what it wrote."""
    block = Sketch(features=64, heads=4, wide=128)
    memory = block.enter("memory")
    block("MultiheadAttention", block.input, name="attention", num_heads="=heads", causal=True)
    written = _post(block, block.input)
    block("MultiheadAttention", written, memory, name="look", num_heads="=heads")
    looked = _post(block, written)
    _wide(block)
    _post(block, looked)
    return block


def _transformer(
    words: int, places: tuple[int, int], depth: int, features: int, heads: int, wide: int
) -> NetworkSpec:
    """Encoder and decoder; one table of words for reading, writing and the scores."""
    sizes: dict[str, Any] = {"features": features, "heads": heads, "wide": wide}
    table: dict[str, Any] = {"num_embeddings": words, "embedding_dim": features}
    net = Sketch.of_tokens(places[0], words, "source")
    target = net.enter("target", places[1], vocabulary=words)
    net("Embedding", "source", name="words", **table)
    net("SinusoidalPositions", scale=True)
    net("Dropout", p=0.1)
    memory = net.block("encoder", depth, name="encoder", **sizes)
    net("Embedding", target, name="written", tied="words", **table)
    net("SinusoidalPositions", scale=True)
    read = net("Dropout", p=0.1)
    net.block("decoder", depth, sources=(read, memory), name="decoder", **sizes)
    net("Linear", name="scores", tied="words", out_features=words, bias=False)
    return net.spec(encoder=encoder(), decoder=_decoder())


@template(title="Transformer (base)", family="Transformers", parameters=63_082_496, source=_VASWANI)
def transformer() -> NetworkSpec:
    """The original: six layers either side, 512 features, 37,000 shared word pieces."""
    return _transformer(37_000, (64, 64), 6, 512, 8, 2048)


@template(
    title="Small transformer that translates",
    family="Transformers",
    source=_VASWANI,
    data="translation",
)
def transformer_small() -> NetworkSpec:
    """Encoder and decoder of two layers for sentences of seven words."""
    return _transformer(WORDS, (SOURCE, TARGET), 2, 48, 4, 96)


def _bert(
    words: int, places: int, learned: int, depth: int, features: int, heads: int
) -> NetworkSpec:
    """What it says of each place, and of the whole by its first."""
    net = Sketch.of_tokens(places, words)
    segments = net.enter("segments", places, vocabulary=2)
    sizes: dict[str, Any] = {"features": features, "heads": heads, "wide": 4 * features}
    net("Embedding", "tokens", name="words", num_embeddings=words, embedding_dim=features)
    placed = net("LearnedPositions", name="positions", length=learned)
    kind = net("Embedding", segments, name="kinds", num_embeddings=2, embedding_dim=features)
    net("Add", placed, kind)
    net("LayerNorm", eps=1e-12)
    net("Dropout", p=0.1)
    read = net.block("encoder", depth, name="encoder", **sizes)
    net("Select")
    net("Linear", name="pooler", out_features=features)
    whole = net("Tanh", name="whole")
    return net.spec(read, whole, encoder=encoder("GELU", 1e-12))


@template(title="BERT-base", family="Transformers", parameters=109_482_240, source=_BERT)
def bert_base() -> NetworkSpec:
    """Twelve layers that see both directions; what they say of each place, and of the whole."""
    return _bert(30_522, 128, 512, 12, 768, 12)


@template(title="Small BERT for reviews", family="Transformers", source=_BERT, data="reviews")
def bert_small() -> NetworkSpec:
    """Reads a review in both directions and says whether it is good."""
    net = Sketch.of_tokens(REVIEW, REVIEW_WORDS)
    net("Embedding", name="words", num_embeddings=REVIEW_WORDS, embedding_dim=32)
    net("LearnedPositions", name="positions")
    net("ClassToken")
    net("LayerNorm")
    net.block("encoder", 2, name="encoder", features=32, heads=4, wide=64)
    net("Select")
    net("Linear", name="scores", out_features=2)
    return net.spec(encoder=encoder("GELU"))


@template(title="Small BERT that fills blanks", family="Transformers", source=_BERT, data="blanks")
def bert_blanks() -> NetworkSpec:
    """Reads a text in both directions and says which words were left out."""
    net = Sketch.of_tokens(BLANKS, BLANK_WORDS)
    net("Embedding", name="words", num_embeddings=BLANK_WORDS, embedding_dim=64)
    net("LearnedPositions", name="positions")
    net("LayerNorm")
    net.block("encoder", 2, name="encoder", features=64, heads=4, wide=128)
    net("Linear", name="scores", tied="words", out_features=BLANK_WORDS, bias=False)
    return net.spec(encoder=encoder("GELU"))


@template(
    title="Small GPT in pieces of words", family="Transformers", source=_GPT2, data="plays_pieces"
)
def gpt_pieces() -> NetworkSpec:
    """Four layers that write Shakespeare in pieces of words."""
    return _gpt(512, 64, 4, 128, 4)


def writer() -> Sketch:
    """A norm before attention, a norm before the two maps, a shortcut around each."""
    block = Sketch(features=64, heads=4, wide=256)
    block("LayerNorm")
    block("SelfAttention", name="attention", heads="=heads")
    looked = block("Add", block.input, block.last)
    block("LayerNorm")
    _wide(block, "GELU", approximate="tanh")
    block("Add", looked, block.last)
    return block


def _gpt(words: int, places: int, depth: int, features: int, heads: int) -> NetworkSpec:
    """Words and places added, layers that see the past only, and the words' table once more."""
    net = Sketch.of_tokens(places, words)
    net("Embedding", name="words", num_embeddings=words, embedding_dim=features)
    net("LearnedPositions", name="positions")
    net("Dropout", p=0.1)
    net.block("layer", depth, name="layers", features=features, heads=heads, wide=4 * features)
    net("LayerNorm", name="norm")
    net("Linear", name="scores", tied="words", out_features=words, bias=False)
    return net.spec(layer=writer())


@template(title="GPT-2 small", family="Transformers", parameters=124_439_808, source=_GPT2)
def gpt2() -> NetworkSpec:
    """Twelve layers that write on: 50,257 word pieces, 1,024 places, 768 features."""
    return _gpt(50_257, 1024, 12, 768, 12)


@template(title="Small GPT", family="Transformers", source=_GPT2, data="stories")
def gpt_small() -> NetworkSpec:
    """Three layers that write stories character by character."""
    return _gpt(STORIES, 64, 3, 64, 4)


@template(title="Character GPT", family="Transformers", source=_GPT2, data="stories?length=128")
def gpt_characters() -> NetworkSpec:
    """Four layers of 128 features that look back on 128 characters."""
    return _gpt(STORIES, 128, 4, 128, 4)


def _t5_layer(decodes: bool) -> Sketch:
    """A norm before each part; attention that knows distances only."""
    block = Sketch(features=512, heads=8, wide=2048)
    bias = block.enter("bias")
    memory = block.enter("memory") if decodes else ""
    block("RMSNorm", block.input, eps=1e-6)
    block("RelativeAttention", block.last, bias, name="attention", heads="=heads")
    before = block("Add", block.input, block.last)
    if decodes:
        block("RMSNorm", eps=1e-6)
        block("RelativeAttention", block.last, memory, name="look", heads="=heads")
        before = block("Add", before, block.last)
    block("RMSNorm", eps=1e-6)
    block("Linear", name="widen", out_features="=wide", bias=False)
    block("ReLU")
    block("Linear", name="narrow", out_features="=features", bias=False)
    block("Add", before, block.last)
    return block


def _t5(
    words: int, places: tuple[int, int], depth: int, features: int, heads: int, wide: int
) -> NetworkSpec:
    """Encoder and decoder, each with one table of distances for all its layers."""
    sizes: dict[str, Any] = {"features": features, "heads": heads, "wide": wide}
    table: dict[str, Any] = {"num_embeddings": words, "embedding_dim": features}
    net = Sketch.of_tokens(places[0], words, "source")
    target = net.enter("target", places[1], vocabulary=words)
    read = net("Embedding", "source", name="words", **table)
    bias = net("RelativeBias", name="distances", heads=heads)
    net.block("reader", depth, sources=(read, bias), name="encoder", **sizes)
    memory = net("RMSNorm", name="read", eps=1e-6)
    written = net("Embedding", target, name="written", tied="words", **table)
    past = net("RelativeBias", name="past_distances", heads=heads, causal=True)
    net.block("writer", depth, sources=(written, past, memory), name="decoder", **sizes)
    net("RMSNorm", name="norm", eps=1e-6)
    net("Scale", factor=features**-0.5)  # the tied table is made for reading, not for scores
    net("Linear", name="scores", tied="words", out_features=words, bias=False)
    return net.spec(reader=_t5_layer(False), writer=_t5_layer(True))


@template(title="T5-small", family="Transformers", parameters=60_506_624, source=_T5)
def t5_small() -> NetworkSpec:
    """Text to text: six layers either side that know distances instead of places."""
    return _t5(32_128, (128, 128), 6, 512, 8, 2048)


@template(title="Tiny T5 that translates", family="Transformers", source=_T5, data="translation")
def t5_tiny() -> NetworkSpec:
    """Encoder and decoder of two layers for sentences of seven words."""
    return _t5(WORDS, (SOURCE, TARGET), 2, 48, 4, 96)
