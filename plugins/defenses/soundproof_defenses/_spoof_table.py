"""All transformations by name, and their application to clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soundproof_defenses import (
    _spoof_dynamics,
    _spoof_effects,
    _spoof_filters,
    _spoof_noise,
    _spoof_spectral,
    _spoof_timing,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from soundproof_defenses._spoof_effects import Transformation

TRANSFORMATIONS: dict[str, Transformation] = {
    "butterworth": _spoof_filters.butterworth,
    "checkerboard": _spoof_spectral.checkerboard,
    "compressor": _spoof_dynamics.compressor,
    "effect-chain": _spoof_effects.effect_chain,
    "formant-filter": _spoof_filters.formant_filter,
    "fourier-smoothing": _spoof_filters.fourier_smoothing,
    "griffin-lim": _spoof_spectral.griffin_lim,
    "limiter": _spoof_dynamics.limiter,
    "linear-prediction": _spoof_filters.prediction,
    "mel-round-trip": _spoof_spectral.mel_round_trip,
    "moving-average": _spoof_filters.moving_average,
    "phase-vocoder": _spoof_spectral.phase_vocoder,
    "pink-noise": _spoof_noise.pink_noise,
    "pitch-shift": _spoof_timing.pitch_shift,
    "remix": _spoof_timing.remix,
    "savitzky-golay": _spoof_filters.savitzky_golay,
    "spec-augment": _spoof_spectral.spec_augment,
    "spectral-distortion": _spoof_spectral.spectral_distortion,
    "speed": _spoof_timing.speed,
    "time-stretch": _spoof_timing.time_stretch,
    "white-noise": _spoof_noise.white_noise,
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
