"""A copy at another speed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from soundproof import Augmentation

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_Speed = Annotated[float, Field(ge=0.25, le=4)]


@dataclass(frozen=True)
class TimeStretch(Augmentation):
    """Faster or slower at the same pitch, one copy at a speed U(low, high) for each clip.

    Phase vocoder, `librosa.effects.time_stretch`. The length is kept: what becomes longer is cut, what becomes
    shorter is followed by silence.
    """

    id: ClassVar[str] = "time-stretch"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "003": {"low": 0.8, "high": 1.2},
        "003-waveforms": {"low": 0.81, "high": 0.81},
    }
    low: Annotated[_Speed, Field(description="lowest speed, 1 is unchanged")] = 0.8
    high: Annotated[_Speed, Field(description="highest speed")] = 1.2

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"low must not be above high, but {self.low} > {self.high}")

    def augment(
        self, waveforms: npt.NDArray[np.float32], rate: int, generator: np.random.Generator
    ) -> npt.NDArray[np.float32]:
        """Stretched clips `[1, N, T]`, cut at ±1."""
        import librosa
        import numpy as np

        from soundproof_augmentations._window import window_points

        points = window_points(rate, waveforms.shape[1])
        copies = np.zeros((1, *waveforms.shape), dtype=np.float32)
        speeds = generator.uniform(self.low, self.high, len(waveforms))
        # Every clip has a speed of its own, and librosa takes one a call.
        for copy, clip, speed in zip(copies[0], waveforms, speeds, strict=True):
            stretched = librosa.effects.time_stretch(clip, rate=speed, n_fft=points)[: len(clip)]
            copy[: len(stretched)] = stretched
        return np.clip(copies, -1, 1, out=copies)
