"""Distributed and federated training."""

ORDER = 8
