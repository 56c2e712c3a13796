"""Copies at another pitch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from soundproof import Augmentation

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# Clips a call of librosa; only memory depends on it.
_BATCH = 16
_OCTAVE = 12

_Semitones = Annotated[int, Field(ge=-24, le=24)]


@dataclass(frozen=True)
class PitchShift(Augmentation):
    """Higher and lower pitch at the same duration, one copy for each scale or one at a random interval.

    Phase vocoder and resampling, `librosa.effects.pitch_shift`. Scales are frequency ratios, 12 log₂(scale)
    semitones, the same for every clip; those of arXiv 2008.11618 read as such. `semitones` draws a whole number
    of them for each clip instead, each from the lowest to the highest equally likely; at 0 the copy is the clip.
    """

    id: ClassVar[str] = "pitch-shift"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "001": {"scales": (0.75, 0.9, 1.15, 1.5)},
        "002": {"scales": (0.75, 0.9, 1.15, 1.5)},
        # The study of speaker identification: its pictures, and its waveforms (two semitones up).
        "003": {"semitones": (-3, 3)},
        "003-waveforms": {"scales": (2 ** (2 / _OCTAVE),)},
    }
    scales: Annotated[
        tuple[Annotated[float, Field(ge=0.25, le=4)], ...],
        Field(min_length=1, description="ratios of the new to the old frequency, a copy each"),
    ] = (0.75, 0.9, 1.15, 1.5)
    semitones: Annotated[
        tuple[_Semitones, _Semitones] | None,
        Field(
            description="lowest and highest interval that is drawn for each clip, one copy instead of the scales"
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.semitones is None:
            return
        low, high = self.semitones
        if low > high:
            raise ValueError(f"semitones must be the lowest and the highest interval, but {low} > {high}")
        if self.scales != type(self).scales:
            raise ValueError("scales have no effect beside semitones: leave one of them out")

    @property
    def copies(self) -> int:
        """One for each scale, or one."""
        return len(self.scales) if self.semitones is None else 1

    def augment(
        self, waveforms: npt.NDArray[np.float32], rate: int, generator: np.random.Generator
    ) -> npt.NDArray[np.float32]:
        """Shifted clips `[copies, N, T]`, cut at ±1."""
        import numpy as np

        copies = np.empty((self.copies, *waveforms.shape), dtype=np.float32)
        for copy, intervals in zip(copies, self._intervals(len(waveforms), generator), strict=True):
            for interval in np.unique(intervals):
                alike = np.flatnonzero(intervals == interval)
                for start in range(0, len(alike), _BATCH):
                    rows = alike[start : start + _BATCH]
                    copy[rows] = _shifted(waveforms[rows], rate, float(interval))
        return np.clip(copies, -1, 1, out=copies)

    def _intervals(self, clips: int, generator: np.random.Generator) -> npt.NDArray[np.float64]:
        """Semitones of every copy of every clip, `[copies, N]`."""
        import numpy as np

        if self.semitones is not None:
            return generator.integers(*self.semitones, (1, clips), endpoint=True).astype(np.float64)
        intervals = [_OCTAVE * math.log2(scale) for scale in self.scales]
        return np.repeat(np.array(intervals)[:, None], clips, axis=1)


def _shifted(waveforms: npt.NDArray[np.float32], rate: int, interval: float) -> npt.NDArray[np.float32]:
    """Clips `[n, T]` shifted by so many semitones."""
    import librosa

    from soundproof_augmentations._window import window_points

    if interval == 0:
        return waveforms
    points = window_points(rate, waveforms.shape[1])
    shifted: npt.NDArray[np.float32] = librosa.effects.pitch_shift(
        waveforms, sr=rate, n_steps=interval, n_fft=points
    )
    return shifted
