"""Sound at another sampling rate, as data sets resample what they read: soxr's HQ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soxr

if TYPE_CHECKING:
    import numpy.typing as npt


def resampled(sounds: npt.NDArray[np.float32], native: int, rate: int, samples: int) -> npt.NDArray[np.float32]:
    """Sounds `[N, T]` at another rate, `[N, samples]`; longer ones are cut, shorter ones padded with zeros."""
    made = np.zeros((len(sounds), samples), np.float32)
    if native == rate:
        kept = min(samples, sounds.shape[1])
        made[:, :kept] = sounds[:, :kept]
        return made
    for row, sound in zip(made, sounds, strict=True):
        moved = soxr.resample(np.ascontiguousarray(sound), native, rate, quality="HQ")[:samples]
        row[: len(moved)] = moved
    return made
