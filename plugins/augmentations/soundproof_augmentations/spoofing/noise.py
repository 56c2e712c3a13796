"""Added noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Waveform = npt.NDArray[np.float64]

GAIN = 0.002
_SOURCES = 11


def white_noise(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """Plus 0.002·n, n standard normal."""
    return waveform + GAIN * generator.standard_normal(len(waveform))


def pink_noise(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """Plus 0.002·n, n pink and of variance 1 by the algorithm of Voss and McCartney with 11 sources."""
    return waveform + GAIN * voss_mccartney(len(waveform), generator)


def voss_mccartney(samples: int, generator: np.random.Generator) -> Waveform:
    """Pink noise of expected mean 0 and variance 1: `[samples]`.

    The sum of uniform sources: one is drawn anew at every sample, and one of the others, of which each following
    one comes half as often, wherever the counter's number of trailing zeros tells.
    """
    total = generator.random(samples)
    for source in range(_SOURCES - 1):
        first, period = 2**source, 2 ** (source + 1)
        draws = generator.random((samples + first) // period + 1)
        changes = (np.arange(samples) + first) // period
        total += draws[changes]
    return (total - _SOURCES / 2) / np.sqrt(_SOURCES / 12)  # type: ignore[no-any-return]
