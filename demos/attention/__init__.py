"""Attention."""

ORDER = 11
