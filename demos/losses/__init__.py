"""Losses and backpropagation."""

ORDER = 3
