"""Changes of level, sample by sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Waveform = npt.NDArray[np.float64]


def limiter(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """Divided by t and cut at ±1, t uniform in [0.3, 0.8)."""
    return np.clip(waveform / generator.uniform(0.3, 0.8), -1, 1)


def compressor(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """atan(k·x) / atan(k), k in {2, …, 10}."""
    k = int(generator.integers(2, 11))
    compressed: Waveform = np.arctan(k * waveform) / np.arctan(k)
    return compressed
