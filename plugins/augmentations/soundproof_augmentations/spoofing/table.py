"""All transformations by name, and their application to clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soundproof_augmentations.spoofing import (
    dynamics,
    effects,
    filters,
    noise,
    spectral,
    timing,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from soundproof_augmentations.spoofing.effects import Transformation

TRANSFORMATIONS: dict[str, Transformation] = {
    "butterworth": filters.butterworth,
    "checkerboard": spectral.checkerboard,
    "compressor": dynamics.compressor,
    "effect-chain": effects.effect_chain,
    "formant-filter": filters.formant_filter,
    "fourier-smoothing": filters.fourier_smoothing,
    "griffin-lim": spectral.griffin_lim,
    "limiter": dynamics.limiter,
    "linear-prediction": filters.prediction,
    "mel-round-trip": spectral.mel_round_trip,
    "moving-average": filters.moving_average,
    "phase-vocoder": spectral.phase_vocoder,
    "pink-noise": noise.pink_noise,
    "pitch-shift": timing.pitch_shift,
    "remix": timing.remix,
    "savitzky-golay": filters.savitzky_golay,
    "spec-augment": spectral.spec_augment,
    "spectral-distortion": spectral.spectral_distortion,
    "speed": timing.speed,
    "time-stretch": timing.time_stretch,
    "white-noise": noise.white_noise,
}
# Filters reach up to 1000 Hz, and need room above; frames of 2048 samples need so many.
LOWEST_RATE = 4000
_SHORTEST = 2048


def transformed(
    name: str, waveform: npt.NDArray[np.float32], rate: int, generator: np.random.Generator
) -> npt.NDArray[np.float32]:
    """One clip transformed: float32 `[T]` in [-1, 1], as long as it was.

    Args:
        name: Which transformation.
        waveform: `[T]` in [-1, 1].
        rate: Its sampling rate, Hz; at least 4000.
        generator: The transformation's parameters are drawn from it.

    Raises:
        ValueError: The rate is too low.
    """
    if rate < LOWEST_RATE:
        raise ValueError(f"spoof transformations need sound at {LOWEST_RATE} Hz or more, not {rate} Hz")
    samples = len(waveform)
    padded = np.pad(waveform.astype(np.float64), (0, max(0, _SHORTEST - samples)))
    result = TRANSFORMATIONS[name](padded, rate, generator)[:samples]
    return np.clip(np.pad(result, (0, samples - len(result))), -1, 1).astype(np.float32)


def spoofed(
    waveforms: npt.NDArray[np.float32], rate: int, generator: np.random.Generator, names: Sequence[str]
) -> npt.NDArray[np.float32]:
    """Every clip of `[N, T]` through one of the named transformations, drawn per clip: `[N, T]`."""
    copies = np.empty_like(waveforms)
    for row, (waveform, own) in enumerate(zip(waveforms, generator.spawn(len(waveforms)), strict=True)):
        copies[row] = transformed(str(own.choice(names)), waveform, rate, own)
    return copies
