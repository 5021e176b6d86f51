"""Attacks: small changes that mislead a classifier, to learn how to harden it."""

from engine.attack.table import attack, attacks

__all__ = ["attack", "attacks"]
