"""Networks that read: characters one by one, and sentences translated."""

from __future__ import annotations

from typing import Any

from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import template

STORIES = 31  # characters of the data set stories
WORDS = 45  # words of the data set translation
SOURCE, TARGET = 7, 8  # its sentences
_CHAR = "Karpathy (2015), The unreasonable effectiveness of recurrent neural networks (char-rnn)."
_BAHDANAU = (
    "Bahdanau, Cho & Bengio (2014), Neural machine translation by jointly learning to align."
)
_LUONG = "Luong, Pham & Manning (2015), Effective approaches to attention-based translation."


def _characters(kind: str, vocabulary: int, hidden: int = 128) -> NetworkSpec:
    """Two stacked recurrent layers on one-hot characters; scores of the next at every place."""
    net = Sketch.of_tokens(64, vocabulary)
    net("OneHot", classes=vocabulary)
    net(kind, name="memory", hidden_size=hidden, num_layers=2)
    net("Linear", name="scores", out_features=vocabulary)
    return net.spec()


@template(title="Character RNN", family="Sequences", source=_CHAR, data="stories")
def char_rnn() -> NetworkSpec:
    """Two plain recurrent layers that write the next character."""
    return _characters("RNN", STORIES)


@template(title="Character LSTM", family="Sequences", source=_CHAR, data="stories")
def char_lstm() -> NetworkSpec:
    """Two LSTM layers that write the next character."""
    return _characters("LSTM", STORIES)


@template(title="Character GRU", family="Sequences", source=_CHAR, data="stories")
def char_gru() -> NetworkSpec:
    """Two GRU layers that write the next character."""
    return _characters("GRU", STORIES)


@template(
    title="char-rnn for Shakespeare",
    family="Sequences",
    parameters=240_321,
    source=_CHAR,
    data="shakespeare",
)
def char_lstm_shakespeare() -> NetworkSpec:
    """The LSTM that made characters famous: two layers of 128 for 65 characters."""
    return _characters("LSTM", 65)


def _bahdanau(words: int, places: tuple[int, int], vector: int, hidden: int) -> NetworkSpec:
    """A reader in both directions, and a writer that looks at it before each word."""
    net = Sketch.of_tokens(places[0], words, "source")
    target = net.enter("target", places[1], vocabulary=words)
    net("Embedding", "source", name="source_vectors", num_embeddings=words, embedding_dim=vector)
    reader = net("GRU", name="reader", hidden_size=hidden, bidirectional=True)
    net("Select", f"{reader}.1", index=1)  # the state that has read backwards to the first word
    net("Linear", name="begin", out_features=hidden)
    begin = net("Tanh")
    read = net(
        "Embedding", target, name="target_vectors", num_embeddings=words, embedding_dim=vector
    )
    writer = net("AttentionGRU", read, reader, begin, name="writer", hidden_size=hidden)
    net("Concat", writer, f"{writer}.1", read, axis=-1)
    net("Linear", name="deep", out_features=hidden)
    net("Permute", order=[1, 0])
    net("Maxout")
    net("Permute", order=[1, 0])
    net("Linear", name="scores", out_features=words)
    return net.spec()


def _luong(
    words: int, places: tuple[int, int], vector: int, hidden: int, layers: int, kind: str
) -> NetworkSpec:
    """A reader, a writer that begins with its state, and a look back after each word."""
    net = Sketch.of_tokens(places[0], words, "source")
    target = net.enter("target", places[1], vocabulary=words)
    sizes: dict[str, Any] = {"hidden_size": hidden, "num_layers": layers}
    net("Embedding", "source", name="source_vectors", num_embeddings=words, embedding_dim=vector)
    reader = net(kind, name="reader", **sizes)
    read = net(
        "Embedding", target, name="target_vectors", num_embeddings=words, embedding_dim=vector
    )
    states = [f"{reader}.1", f"{reader}.2"][: 2 if kind == "LSTM" else 1]
    writer = net(kind, read, *states, name="writer", **sizes)
    look = net("DotAttention", writer, reader, name="look", score="general")
    net("Concat", look, writer, axis=-1)
    net("Linear", name="attentional", out_features=hidden, bias=False)
    net("Tanh")
    net("Linear", name="scores", out_features=words, bias=False)
    return net.spec()


@template(title="RNNsearch-50 (Bahdanau attention)", family="Sequences", source=_BAHDANAU)
def seq2seq_bahdanau() -> NetworkSpec:
    """The first attention: 30,000 words, a state of 1,000, sentences of 50 words."""
    return _bahdanau(30_000, (50, 50), 620, 1_000)


@template(
    title="Small translator with Bahdanau attention",
    family="Sequences",
    source=_BAHDANAU,
    data="translation",
)
def seq2seq_bahdanau_small() -> NetworkSpec:
    """Looks at the English sentence before each French word."""
    return _bahdanau(WORDS, (SOURCE, TARGET), 24, 48)


@template(title="Translator with Luong attention", family="Sequences", source=_LUONG)
def seq2seq_luong() -> NetworkSpec:
    """Four LSTM layers of 1,000 either side, 50,000 words, the score `h W s`."""
    return _luong(50_000, (50, 50), 1_000, 1_000, 4, "LSTM")


@template(
    title="Small translator with Luong attention",
    family="Sequences",
    source=_LUONG,
    data="translation",
)
def seq2seq_luong_small() -> NetworkSpec:
    """Looks at the English sentence after each French word."""
    return _luong(WORDS, (SOURCE, TARGET), 24, 48, 1, "LSTM")
