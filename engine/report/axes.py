"""The frame of a drawn plot: numbers to places, ticks, labels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 480, 250
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 30, 44
TICKS = 5  # on an axis, about


@dataclass(frozen=True)
class Axis:
    """Numbers along one side.

    Attributes:
        low: The number at its beginning; on a logarithmic axis above zero.
        high: The number at its end, larger.
        begin: Where it begins [px].
        end: Where it ends [px].
        log: Whether equal ways are equal ratios.
    """

    low: float
    high: float
    begin: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Where a number is [px]."""
        low, high, value = (self._flat(one) for one in (self.low, self.high, value))
        return self.begin + (value - low) / (high - low) * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """Round numbers along it."""
        if not self.log:
            return _round(self.low, self.high)
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        parts = (1, 2, 5) if last - first <= 2 else (1,)
        every = max(1, (last - first) // TICKS)
        found = [part * 10.0**power for power in range(first, last + 1, every) for part in parts]
        inside = [one for one in found if self.low * 0.999 <= one <= self.high * 1.001]
        return inside if len(inside) > 2 else _round(self.low, self.high)

    def _flat(self, value: float) -> float:
        return math.log10(max(value, 1e-300)) if self.log else value


def across(low: float, high: float, log: bool = False) -> Axis:
    """A horizontal axis."""
    return Axis(*_apart(low, high, log), LEFT, WIDTH - RIGHT, log)


def upward(low: float, high: float, log: bool = False) -> Axis:
    """A vertical axis."""
    return Axis(*_apart(low, high, log), HEIGHT - BOTTOM, TOP, log)


def frame(x: Axis, y: Axis, xlabel: str, ylabel: str) -> str:
    """Lines, ticks and labels of a plot."""
    parts = []
    for value in y.ticks():
        at = y.at(value)
        parts.append(f'<path class="grid" d="M{x.begin:.0f} {at:.1f}H{x.end:.0f}"/>')
        parts.append(text(LEFT - 6, at + 3.5, number(value), "end"))
    for value in x.ticks():
        at = x.at(value)
        parts.append(f'<path class="axis" d="M{at:.1f} {HEIGHT - BOTTOM}v4"/>')
        parts.append(text(at, HEIGHT - BOTTOM + 16, number(value), "middle"))
    parts.append(f'<path class="axis" d="M{x.begin:.0f} {HEIGHT - BOTTOM}H{x.end:.0f}"/>')
    parts.append(text((x.begin + x.end) / 2, HEIGHT - 8, xlabel, "middle", "label"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    turned = f'transform="rotate(-90 12 {middle:.0f})"'
    parts.append(text(12, middle, ylabel, "middle", "label", turned))
    return "".join(parts)


def text(
    x: float, y: float, words: str, anchor: str = "start", kind: str = "tick", more: str = ""
) -> str:
    """Words at a place."""
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>'
        f"{escape(words)}</text>"
    )


def number(value: float) -> str:
    """A number in few signs."""
    if value and not 1e-3 <= abs(value) < 1e5:
        mantissa, _, power = f"{value:.3g}".partition("e")
        return f"{mantissa}e{int(power)}" if power else mantissa
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _apart(low: float, high: float, log: bool) -> tuple[float, float]:
    """Two bounds that differ."""
    if log:
        low = max(low, 1e-12)
        return (low, high) if high > low * 1.0001 else (low / 1.5, max(high, low) * 1.5)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _round(low: float, high: float) -> list[float]:
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * part for part in (1, 2, 5, 10) if power * part >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]
