"""Hyperparameter tuning."""

ORDER = 7
