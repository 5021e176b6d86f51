"""The colours, once: sign, magnitude and classes, the same in every picture.

Sign is blue above zero and orange below. Magnitude is Viridis. Classes are Okabe & Ito's
(2008) set, which stays apart for every common kind of colour vision.
"""

from __future__ import annotations

POSITIVE = "#2f7ebc"
NEGATIVE = "#e07b1a"
CLASSES = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#b8a800",
    "#8c6bb1",
    "#7f7f7f",
    "#1b9e9e",
)
SIGNED = [
    [0.0, "#b35806"],
    [0.25, "#f1a340"],
    [0.5, "#f7f7f7"],
    [0.75, "#67a9cf"],
    [1.0, "#2166ac"],
]
SEQUENTIAL = "Viridis"


def class_colour(number: int) -> str:
    """The colour of a class; they repeat after ten."""
    return CLASSES[number % len(CLASSES)]
