"""Attacks on models that read tokens: a few words or characters are exchanged."""

from engine.attack.text.table import text_attacks

__all__ = ["text_attacks"]
