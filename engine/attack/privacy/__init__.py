"""Attacks on what a model knows: its training data, its classes, itself; and on its training."""

from engine.attack.privacy.table import privacy_attacks

__all__ = ["privacy_attacks"]
