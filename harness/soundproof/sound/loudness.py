"""Loudness as ITU-R BS.1770-4 measures it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_BLOCK = 0.4
"""Seconds of the standard's gating blocks: shorter clips have no loudness."""


def loudness(waveforms: npt.NDArray[np.floating], rate: int) -> npt.NDArray[np.float32]:
    """Integrated loudness of clips, LUFS, by pyloudnorm.

    Args:
        waveforms: `[n, T]` in [-1, 1].
        rate: Sampling rate, Hz.

    Returns:
        `[n]`; NaN for clips that are shorter than 0.4 s or that the standard's gate (-70 LUFS) silences.
    """
    import pyloudnorm

    if waveforms.shape[-1] < _BLOCK * rate:
        return np.full(len(waveforms), np.nan, np.float32)
    meter = pyloudnorm.Meter(rate)
    # The gate leaves a silent clip no block to average.
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        levels = np.array([meter.integrated_loudness(clip.astype(np.float64)) for clip in waveforms], np.float32)
    return np.where(np.isfinite(levels), levels, np.nan).astype(np.float32)
