"""The table of attacks that do not change one input: each is a run.

An entry is a generator of frames with a form; `at` is how a page starts it. Facts: `steals`, what
the attacker wants in a word, and `needs`, "model" (settings `model`: a trained run's folder) or
"spec" (settings `spec` and `data`: it trains a network itself).
"""

from __future__ import annotations

from engine.tables import Table

privacy_attacks = Table("attack on privacy", "engine.attack.privacy.methods")


def at(name: str) -> str:
    """The entry as `engine.jobs` starts it: `"package.module:name"`."""
    function = privacy_attacks.find(name).function
    return f"{function.__module__}:{function.__name__}"
