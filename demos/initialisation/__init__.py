"""Initialisation and normalisation."""

ORDER = 5
