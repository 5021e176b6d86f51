"""Optimisation and the training loop."""

ORDER = 4
