"""Tones of simple instruments, as they sound or as their spectrogram."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from engine.data.dataset import DataSet, datasets, split
from engine.forms import Slider

VALID = 0.2  # part set aside for validation
RATE = 4_000  # samples a second [Hz]
LENGTH = 1_024  # samples of a tone: about a quarter of a second
WINDOW, HOP, BANDS = 128, 28, 32  # of the spectrogram [sample]; half of its 64 bands are merged
INSTRUMENTS = ("flute", "clarinet", "violin", "string", "bell")
NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
LOWEST = 261.626  # C4 [Hz]


@datasets.add("tones", shape=[1, 32, 32], classes=list(INSTRUMENTS), kind="image")
def tones(
    ask: Literal["instrument", "note"] = "instrument",
    given: Literal["spectrogram", "wave"] = "spectrogram",
    size: Annotated[int, Slider(100, 5000, log=True, help="More tones")] = 1000,
    noise: Annotated[float, Slider(0.0, 1.0, help="Hiss over the tone")] = 0.05,
    seed: Annotated[int, Slider(0, 999, help="Another draw of the same kind")] = 0,
) -> DataSet:
    """A quarter second of a tone: which instrument plays it, or which note is it?

    Flute: one frequency. Clarinet: odd overtones. Violin: all of them, trembling. String: plucked,
    dying away. Bell: overtones that are no multiples.

    Source: Karplus & Strong (1983), Digital synthesis of plucked-string and drum timbres.
    """
    random = np.random.default_rng(seed)
    instrument = np.arange(size) % len(INSTRUMENTS)
    note = random.integers(len(NOTES), size=size)
    pitch = LOWEST * 2.0 ** ((note + random.uniform(-0.2, 0.2, size)) / 12)
    waves = np.stack(
        [tone(int(one), high, random) for one, high in zip(instrument, pitch, strict=True)]
    )
    waves /= abs(waves).max(1, keepdims=True)
    waves += noise * random.normal(size=waves.shape)
    x = waves[:, :, None] if given == "wave" else spectrogram(waves)[:, None]
    told = f"{size:,} tones of {LENGTH} samples at {RATE} Hz, made; hiss of {noise:g}"
    asked, classes = (instrument, INSTRUMENTS) if ask == "instrument" else (note, NOTES)
    return split(
        "tones",
        x,
        asked,
        classes,
        seed=seed,
        valid=round(VALID * size),
        rate=RATE,
        note=told,
    )


def tone(instrument: int, pitch: float, random: np.random.Generator) -> np.ndarray:
    """One tone, `(LENGTH,)`, of any loudness."""
    time = np.arange(LENGTH) / RATE
    phase = 2 * np.pi * pitch * time + random.uniform(0, 2 * np.pi)
    if instrument < 3:
        if instrument == 2:
            phase = phase + 0.4 * np.sin(2 * np.pi * 6 * time)  # the finger trembles
        overtones = np.array([[1], [1, 3, 5], [1, 2, 3, 4, 5]][instrument])[:, None]
        blown: np.ndarray = (np.sin(overtones * phase) / overtones).sum(0)
        return blown
    if instrument == 3:
        return plucked(pitch, random)
    ratios = np.array([1.0, 1.51, 2.0, 2.74, 3.76])
    fall = np.exp(-np.outer(ratios, 6 * time))
    rung: np.ndarray = (fall * np.sin(np.outer(ratios, phase))).sum(0)
    return rung


def plucked(pitch: float, random: np.random.Generator) -> np.ndarray:
    """Noise that goes round a loop as long as the period, averaged with its neighbour each time."""
    period = round(RATE / pitch)
    found = np.zeros(LENGTH)
    found[:period] = random.uniform(-1, 1, period)
    for place in range(period, LENGTH):
        found[place] = 0.5 * (found[place - period] + found[place - period + 1])
    return found


def spectrogram(waves: np.ndarray) -> np.ndarray:
    """How loud each band is at each moment, `(n, BANDS, 32)`, low bands at the bottom; [0, 1]."""
    starts = np.arange(32) * HOP
    cut = waves[:, starts[:, None] + np.arange(WINDOW)] * np.hanning(WINDOW)  # (n, 32, WINDOW)
    loud = abs(np.fft.rfft(cut))[:, :, 1:]  # (n, 32, 64)
    bands = loud.reshape(*loud.shape[:2], BANDS, -1).mean(-1)
    level = np.log10(bands.transpose(0, 2, 1)[:, ::-1] + 1e-3)  # -3 is silence
    scaled: np.ndarray = np.clip((level + 3) / 4.5, 0, 1)
    return scaled
