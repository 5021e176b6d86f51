"""What a lab promises, measured: each function compares a number with what must hold."""

from __future__ import annotations

import math
from dataclasses import dataclass


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


def near(text: str, measured: float, value: float, tolerance: float, row: str = "") -> Claim:
    """`measured` lies within `tolerance` of `value`."""
    measured = float(measured)
    ok = math.isfinite(measured) and abs(measured - value) <= tolerance
    return Claim(text, measured, f"{value:.10g} ± {tolerance:.3g}", ok, row)


def below(text: str, measured: float, limit: float, row: str = "") -> Claim:
    """`measured` is at most `limit`."""
    return Claim(text, float(measured), f"≤ {limit:.6g}", bool(measured <= limit), row)


def above(text: str, measured: float, limit: float, row: str = "") -> Claim:
    """`measured` is at least `limit`."""
    return Claim(text, float(measured), f"≥ {limit:.6g}", bool(measured >= limit), row)


def between(text: str, measured: float, low: float, high: float, row: str = "") -> Claim:
    """`measured` lies in `[low, high]`."""
    measured = float(measured)
    return Claim(text, measured, f"in [{low:.6g}, {high:.6g}]", low <= measured <= high, row)


def same(
    text: str, measured: float | str | bool, value: float | str | bool, row: str = ""
) -> Claim:
    """`measured` is exactly `value`: counts, orders, words, truths."""
    ok = type(measured) is type(value) or not isinstance(value, str | bool)
    shown = measured if isinstance(measured, int | float | str) else str(measured)
    shown = str(shown).lower() if isinstance(shown, bool) else shown
    told = str(value).lower() if isinstance(value, bool) else str(value)
    return Claim(text, shown, told, bool(ok and measured == value), row)
