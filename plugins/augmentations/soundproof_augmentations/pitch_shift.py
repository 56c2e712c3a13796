"""Copies at another pitch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Augmentation

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# Clips a call of librosa; only memory depends on it.
_BATCH = 16


@dataclass(frozen=True)
class PitchShift(Augmentation):
    """Higher and lower pitch at the same duration, one copy for each scale.

    Phase vocoder and resampling, `librosa.effects.pitch_shift` by 12 log₂(scale) semitones; the scales are those
    of arXiv 2008.11618, which reads as frequency ratios.
    """

    id: ClassVar[str] = "pitch-shift"
    scales: Annotated[
        tuple[Annotated[float, Field(ge=0.25, le=4)], ...],
        Field(min_length=1, description="ratios of the new to the old frequency, a copy each"),
    ] = (0.75, 0.9, 1.15, 1.5)

    @property
    def copies(self) -> int:
        """One for each scale."""
        return len(self.scales)

    def augment(
        self,
        waveforms: npt.NDArray[np.float32],
        rate: int,
        generator: np.random.Generator,  # noqa: ARG002
    ) -> npt.NDArray[np.float32]:
        """Shifted clips `[copies, N, T]`, cut at ±1; nothing is drawn."""
        import librosa
        import numpy as np

        from soundproof_augmentations._window import window_points

        points = window_points(rate, waveforms.shape[1])
        copies = np.empty((self.copies, *waveforms.shape), dtype=np.float32)
        for copy, scale in zip(copies, self.scales, strict=True):
            for start in range(0, len(waveforms), _BATCH):
                batch = slice(start, start + _BATCH)
                copy[batch] = librosa.effects.pitch_shift(
                    waveforms[batch], sr=rate, n_steps=12 * math.log2(scale), n_fft=points
                )
        return np.clip(copies, -1, 1, out=copies)
