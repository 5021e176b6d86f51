"""Names of data sets with settings behind a question mark, taken apart and put together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode


def parts(data: str) -> tuple[str, dict[str, Any]]:
    """The bare name, and its settings."""
    name, _, query = data.partition("?")
    return name, {key: _value(word) for key, word in parse_qsl(query)}


def joined(name: str, settings: Mapping[str, Any]) -> str:
    """A name with settings, as `engine.data.load` reads it."""
    plain = {key: _word(value) for key, value in settings.items()}
    return f"{name}?{urlencode(plain)}" if plain else name


def _value(word: str) -> Any:
    try:
        return json.loads(word)
    except json.JSONDecodeError:
        return word


def _word(value: Any) -> str:
    """A value that is read back as it was: words stay bare unless they look like something else."""
    if isinstance(value, str) and _value(value) == value:
        return value
    return json.dumps(value)
