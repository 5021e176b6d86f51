"""Regularisation and data."""

ORDER = 6
