"""What a lab promises, measured: each function compares a number with what must hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import SupportsFloat


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence that a lab's `check` put to the test.

    Attributes:
        text: What is claimed, in words.
        measured: What came out.
        expected: What had to come out, as a reader would write it: `"3 ± 0.001"`.
        ok: Whether it did.
        row: The ledger's id of the topic it belongs to, where a lab covers several.
    """

    text: str
    measured: float | str
    expected: str
    ok: bool
    row: str = ""


def near(
    text: str, measured: SupportsFloat, value: float, tolerance: float, row: str = ""
) -> Claim:
    """`measured` lies within `tolerance` of `value`."""
    found = float(measured)
    ok = math.isfinite(found) and bool(abs(found - value) <= tolerance)  # NumPy's is no JSON
    return Claim(text, found, f"{value:.10g} ± {tolerance:.3g}", ok, row)


def below(text: str, measured: SupportsFloat, limit: float, row: str = "") -> Claim:
    """`measured` is at most `limit`."""
    found = float(measured)
    return Claim(text, found, f"≤ {limit:.6g}", bool(found <= limit), row)


def above(text: str, measured: SupportsFloat, limit: float, row: str = "") -> Claim:
    """`measured` is at least `limit`."""
    found = float(measured)
    return Claim(text, found, f"≥ {limit:.6g}", bool(found >= limit), row)


def between(text: str, measured: SupportsFloat, low: float, high: float, row: str = "") -> Claim:
    """`measured` lies in `[low, high]`."""
    found = float(measured)
    return Claim(text, found, f"in [{low:.6g}, {high:.6g}]", bool(low <= found <= high), row)


def same(
    text: str, measured: float | str | bool, value: float | str | bool, row: str = ""
) -> Claim:
    """`measured` is exactly `value`: counts, orders, words, truths."""
    ok = type(measured) is type(value) or not isinstance(value, str | bool)
    shown = measured if isinstance(measured, int | float | str) else str(measured)
    shown = str(shown).lower() if isinstance(shown, bool) else shown
    told = str(value).lower() if isinstance(value, bool) else str(value)
    return Claim(text, shown, told, bool(ok and measured == value), row)
