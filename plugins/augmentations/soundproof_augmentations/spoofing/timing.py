"""Changes of pitch, pace and order."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import librosa
import numpy as np
import soxr

if TYPE_CHECKING:
    import numpy.typing as npt

    Waveform = npt.NDArray[np.float64]


def pitch_shift(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:
    """By {-15, …, 15} steps, of which an octave has {5, …, 24}; instead of 0 steps by {1, …, 10}."""
    steps = int(generator.integers(-15, 16)) or int(generator.integers(1, 11))
    octave = int(generator.integers(5, 25))
    return librosa.effects.pitch_shift(waveform, sr=rate, n_steps=steps, bins_per_octave=octave)


def time_stretch(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """Faster by a factor uniform in [0.7, 1.3); the pitch stays."""
    return librosa.effects.time_stretch(waveform, rate=generator.uniform(0.7, 1.3))


def speed(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:
    """Played faster by a factor uniform in [0.7, 1.3), pitch and all; its middle, or noise of ±0.001 around."""
    factor = generator.uniform(0.7, 1.3)
    played = soxr.resample(waveform, rate * factor, rate)
    missing = len(waveform) - len(played)
    if missing <= 0:
        start = -missing // 2
        return played[start : start + len(waveform)]  # type: ignore[no-any-return]
    around = generator.uniform(-0.001, 0.001, len(waveform))
    around[missing // 2 : missing // 2 + len(played)] = played
    return around


def remix(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """The intervals between beats, last first; without two beats the clip stays as it is."""
    _, beats = librosa.beat.beat_track(y=waveform, sr=rate, hop_length=512, units="samples")
    bounds = np.unique(np.concatenate([[0], beats, [len(waveform)]]).astype(int))
    parts = [waveform[start:end] for start, end in pairwise(bounds)]
    return np.concatenate(parts[::-1])


def reverse(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """Backwards."""
    return waveform[::-1]
