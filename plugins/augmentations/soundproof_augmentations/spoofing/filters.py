"""Filters and smoothers of a clip.

Here and in the other families a transformation maps a waveform `[T]` in [-1, 1], its rate (Hz) and a generator,
from which it draws its parameters anew, to a waveform of any length and level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import librosa
import numpy as np
from scipy import ndimage, signal

if TYPE_CHECKING:
    import numpy.typing as npt

    Waveform = npt.NDArray[np.float64]

# How clips go on beyond their ends.
_EDGES = ("reflect", "nearest", "mirror", "wrap", "constant")
_SAVGOL_EDGES = ("interp", "nearest", "mirror", "wrap", "constant")
# A term that keeps linear prediction solvable where the clip is all but predictable.
_DITHER = 1e-8


def butterworth(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:
    """Order 5: high-pass at 1000 Hz, low-pass at 380 Hz, or both in series, each in a third of cases."""
    kind = generator.integers(3)
    for number, (cutoff, sort) in enumerate(((1000, "highpass"), (380, "lowpass"))):
        if kind in {number, 2}:
            sections = signal.butter(5, cutoff, sort, fs=rate, output="sos")
            waveform = signal.sosfilt(sections, waveform)
    return waveform


def savitzky_golay(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """Local polynomials of order 2 or 3 over 2·{7, …, 25} + 1 samples, with one of five edges."""
    window = 2 * int(generator.integers(7, 26)) + 1
    order = int(generator.integers(2, 4))
    return signal.savgol_filter(waveform, window, order, mode=generator.choice(_SAVGOL_EDGES))  # type: ignore[no-any-return]


def fourier_smoothing(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """Without the Fourier coefficients whose squared magnitude is below a fifth of the largest."""
    spectrum = np.fft.rfft(waveform)
    power = np.abs(spectrum) ** 2
    return np.fft.irfft(np.where(power < power.max() / 5, 0, spectrum), len(waveform))


def moving_average(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """A Gaussian of deviation 1 sample (a third of cases), or the mean over as many samples as the clip has."""
    gaussian = generator.random() < 1 / 3
    edge = generator.choice(_EDGES)
    if gaussian:
        return ndimage.gaussian_filter1d(waveform, 1, mode=edge)  # type: ignore[no-any-return]
    return ndimage.uniform_filter1d(waveform, len(waveform), mode=edge)  # type: ignore[no-any-return]


def prediction(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """Prediction of each sample by linear prediction of order {2, …, 16}: the filter [0, -a₁, …, -a_p]."""
    coefficients = _coefficients(waveform, generator)
    return signal.lfilter(np.concatenate([[0], -coefficients[1:]]), [1], waveform)  # type: ignore[no-any-return]


def formant_filter(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:
    """The filter [0, -f₂, -f₃, …] of the frequencies of linear prediction's roots, sorted, as published in Hz.

    A filter of thousands has no sensible level: its output is brought back to the clip's own.
    """
    roots = np.roots(_coefficients(waveform, generator))
    frequencies = np.sort(np.angle(roots[roots.imag >= 0])) * rate / (2 * np.pi)
    filtered = signal.lfilter(np.concatenate([[0], -frequencies[1:]]), [1], waveform)
    loudest = np.abs(filtered).max()
    return filtered * (np.abs(waveform).max() / loudest) if loudest else filtered  # type: ignore[no-any-return]


def _coefficients(waveform: Waveform, generator: np.random.Generator) -> Waveform:
    """[1, a₁, …, a_p] by Burg's method."""
    order = int(generator.integers(2, 17))
    dither = _DITHER * generator.standard_normal(len(waveform))
    return librosa.lpc(waveform + dither, order=order)
