"""Networks of nothing but attention: small enough to see what every head is for."""

from __future__ import annotations

from typing import Any

from engine.network.spec import NetworkSpec
from engine.network.templates import template


def attention_only(
    layers: int,
    *,
    tokens: int = 26,
    length: int = 32,
    features: int = 64,
    heads: int = 4,
    positions: str = "rotary",
) -> NetworkSpec:
    """Embedding, attentions with shortcuts, scores: only attention moves anything between places.

    Args:
        layers: How many attentions stand behind each other.
        tokens: How many different ones there are.
        length: Tokens of a text.
        features: Numbers of a token's vector.
        heads: Of each attention.
        positions: `rotary`, `alibi` or `none` in each attention; or `learned`, added once.
    """
    text = {"shape": [length], "dtype": "token", "vocabulary": tokens}
    nodes: list[tuple[str, str, dict[str, Any]]] = [
        ("text", "Input", text),
        ("vectors", "Embedding", {"num_embeddings": tokens, "embedding_dim": features}),
    ]
    edges = [["text", "vectors"]]
    if positions == "learned":
        nodes.append(("places", "LearnedPositions", {}))
        edges.append(["vectors", "places"])
    inner = {"heads": heads, "positions": "none" if positions == "learned" else positions}
    for n in range(layers):
        before, norm, attention, after = nodes[-1][0], f"norm{n}", f"attention{n}", f"add{n}"
        nodes += [(norm, "LayerNorm", {}), (attention, "SelfAttention", inner), (after, "Add", {})]
        edges += [[before, norm], [norm, attention], [before, after], [attention, after]]
    edges += [[nodes[-1][0], "norm"], ["norm", "scores"]]
    nodes += [("norm", "LayerNorm", {}), ("scores", "Linear", {"out_features": tokens})]
    listed = [{"id": id, "type": kind, "params": params} for id, kind, params in nodes]
    return NetworkSpec.parse({"nodes": listed, "edges": edges, "outputs": ["scores"]})


@template(
    title="Two layers of attention",
    family="Text",
    source="Olsson et al. (2022), In-context learning and induction heads.",
    data="induction",
)
def two_attentions() -> NetworkSpec:
    """Attention and nothing else, twice: learns to go on with what it has read once."""
    return attention_only(2)
