"""Packages that the playground can do without."""

from __future__ import annotations

import importlib
from typing import Any


def need(package: str, what: str, file: str = "requirements-io.txt") -> Any:
    """The package.

    Raises:
        ValueError: It is not installed; says what for and how to get it.
    """
    try:
        return importlib.import_module(package)
    except ImportError:
        raise ValueError(
            f"{what} needs the package {package}, which is not installed here: "
            f"pip install -r {file}"
        ) from None
