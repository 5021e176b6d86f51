"""Sequence layers without attention."""

from __future__ import annotations

from engine.network.registry import Layer, follows, limited


class _Sequence(Layer):
    category = "State space"
    home = "state_space"
    axes = ("length", "features")

    features: int | None = follows(-1, "Features; found from the input")


class S4D(_Sequence):
    """Runs a diagonal linear state space along a sequence as one long convolution.

    Source: Gu et al. (2022), On the parameterization and initialization of diagonal state spaces.
    """

    states: int = limited(64, 2, 4_096, "States for each feature, in conjugate pairs")


class Mamba(_Sequence):
    """Runs a state space whose steps and gates depend on what is read: a selective scan.

    Source: Gu & Dao (2023), Mamba: linear-time sequence modeling with selective state spaces.
    """

    states: int = limited(16, 1, 1_024, "States for each feature")
    expand: int = limited(2, 1, 16, "How many times wider inside")
    kernel: int = limited(4, 1, 64, "Width of the convolution before the scan")
    rank: int = limited(0, 0, 10_000, "Rank of the step sizes; 0 for a sixteenth of the features")


class Retention(_Sequence):
    """Mixes places like attention without softmax, forgetting at a rate for each head.

    Source: Sun et al. (2023), Retentive network: a successor to transformer.
    """

    heads: int = limited(high=1_000, help="How many retentions side by side", begin=2)
    expand: int = limited(2, 1, 16, "How many times wider the values are")


class RWKVTimeMixing(_Sequence):
    """Takes a weighted mean of the past whose weights fade, gated by what is read.

    Source: Peng et al. (2023), RWKV: reinventing RNNs for the transformer era.
    """


class RWKVChannelMixing(_Sequence):
    """A feed-forward part that also sees the place before.

    Source: Peng et al. (2023), RWKV: reinventing RNNs for the transformer era.
    """

    expand: int = limited(4, 1, 64, "How many times wider inside")
