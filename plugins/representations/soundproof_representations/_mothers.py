"""Mother wavelets, sampled at a scale: the filters of a continuous wavelet transform.

W(s, t) = s^(-1/2) ∫ a(u) ψ*((u - t) / s) du with the clip `a` held constant over each sample, so that every scale
is one short filter whose taps are differences of the wavelet's antiderivative. `pywt.cwt` is this too, but for
the grid of 2^precision points on which it looks that antiderivative up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pywt

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

MORLET_FREQUENCY = 6.0
"""Angular centre frequency of the Morlet wavelet; its mean is then 1.5e-8 of its peak, which is next to none."""

_SUPPORT = 5.5
"""Where Gaussian wavelets end, in standard deviations: beyond it they are below 3e-7 of their peak."""

_MORLET_COARSENESS = 1 / 26
"""Of scale: |W| at so many samples' distance has the mean of all. The worst for it are two tones that beat, where
|W| has kinks; their mean then moves by up to 9e-5 of the picture's maximum, that of recordings by less than 3e-5.
The modulus of a real wavelet has kinks at every zero and is taken at every sample."""


@dataclass(frozen=True)
class Filter:
    """One scale: W(t) = Σ_j taps[j] x[t + first + j].

    Attributes:
        taps: Real for a real wavelet.
        first: Lag of the first tap, samples.
        coarseness: |W| at every so many samples has the mean of all, to 1e-4 of the largest.
    """

    taps: npt.NDArray[np.complex128]
    first: int
    coarseness: float = 1.0


@dataclass(frozen=True)
class Mother:
    """A mother wavelet.

    Attributes:
        frequency: Its centre frequency at scale 1, cycles a sample.
        filter: The filter of a scale in samples.
        is_complex: Whether it has an imaginary part.
    """

    frequency: float
    filter: Callable[[float], Filter]
    is_complex: bool


def _of_pywt(name: str, coarseness: float = 0.0) -> Callable[[float], Filter]:
    """Filters of a continuous wavelet of PyWavelets, aligned as in `pywt.cwt`; `coarseness` is at scale 1."""
    integral, grid = pywt.integrate_wavelet(name, precision=16)
    edges = grid + (grid[1] - grid[0]) / 2  # the integral is a sum of cells, and ends where a cell ends

    def sample(scale: float) -> Filter:
        length = int(scale * (grid[-1] - grid[0]))
        points = grid[0] + np.arange(length + 1) / scale
        values = np.interp(points, edges, integral.real) + 1j * np.interp(points, edges, np.imag(integral))
        taps = np.sqrt(scale) * np.diff(np.conj(values))
        first = -(length // 2)
        kept = np.flatnonzero(np.abs(points[:-1] + 0.5 / scale) <= _SUPPORT + 1 / scale)
        return Filter(taps[kept[0] : kept[-1] + 1], first + int(kept[0]), coarseness * scale)

    return sample


def _haar_filter(scale: float) -> Filter:
    """1 on [0, 1/2), -1 on [1/2, 1): its antiderivative is a triangle."""
    edges = np.arange(int(np.ceil(scale)) + 1) / scale
    return Filter(np.sqrt(scale) * np.diff(np.clip(np.minimum(edges, 1 - edges), 0, None)).astype(complex), 0)


@cache
def morlet() -> Mother:
    """Complex Morlet: (2π)^(-1/2) exp(iω₀t) exp(-t²/2), ω₀ = 6; centre frequency ω₀ / 2π."""
    frequency = MORLET_FREQUENCY / (2 * np.pi)
    return Mother(frequency, _of_pywt(f"cmor2.0-{frequency!r}", _MORLET_COARSENESS), is_complex=True)


@cache
def mexican_hat() -> Mother:
    """Mexican hat: 2 / (√3 π^(1/4)) (1 - t²) exp(-t²/2); centre frequency √2 / 2π."""
    return Mother(np.sqrt(2) / (2 * np.pi), _of_pywt("mexh"), is_complex=False)


@cache
def haar() -> Mother:
    """Haar: 1 on [0, 1/2), -1 on [1/2, 1); centre frequency 0.996."""
    return Mother(0.996, _haar_filter, is_complex=False)
