"""The colours, once: sign, magnitude and classes, the same in every picture.

Sign is blue above zero and orange below. Magnitude is Viridis. Classes are Okabe & Ito's
(2008) set, which stays apart for every common kind of colour vision, darkened until each stands
off its background. The canvas has the same colours in `ui/frontend/src/shared/palette.ts`; a
test holds the two together.
"""

from __future__ import annotations

POSITIVE = "#0072b2"
NEGATIVE = "#d0670a"
CLASSES = (
    "#0072b2",
    "#cf7e00",
    "#008f68",
    "#bf5590",
    "#3790c8",
    "#d1440c",
    "#8f8300",
    "#7d5fb8",
    "#6b7280",
    "#8a5a2b",
)
ON_DARK = (  # the same classes, lightened for a dark background
    "#4ba3e3",
    "#f2ab3c",
    "#2fc497",
    "#e18ac0",
    "#8fd0f5",
    "#f0703c",
    "#e8dc52",
    "#a894f0",
    "#a3acb8",
    "#c4955f",
)
VIRIDIS = (  # at eleven even steps. Source: Smith, van der Walt (2015), matplotlib's default map
    "#440154",
    "#482475",
    "#414487",
    "#355f8d",
    "#2a788e",
    "#21918c",
    "#22a884",
    "#44bf70",
    "#7ad151",
    "#bddf26",
    "#fde725",
)
SIGNED = [[0.0, NEGATIVE], [0.5, "#f7f7f7"], [1.0, POSITIVE]]
SEQUENTIAL = "Viridis"


def class_colour(number: int) -> str:
    """The colour of a class; they repeat after ten."""
    return CLASSES[number % len(CLASSES)]
