"""The table of what can be made of a model's attention: `method(subject, **settings) -> arrays`.

Each entry is given an `engine.attention.subject.Subject` and returns named arrays; `layers` names
the attention layers, in order, where an array has one row for each.
"""

from __future__ import annotations

from engine.tables import Table

methods = Table("attention method", "engine.attention.methods")
