"""A copy that starts earlier or later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from soundproof import Augmentation

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class TimeShift(Augmentation):
    """Later or earlier by U(−seconds, seconds), one copy, each clip by its own time.

    The length is kept: what leaves is lost, silence takes its place at the other end.
    """

    id: ClassVar[str] = "time-shift"
    # 8000 samples at 16 kHz.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"003": {"seconds": 0.5}}
    seconds: Annotated[float, Field(gt=0, description="largest shift either way, s")] = 0.5

    def augment(
        self, waveforms: npt.NDArray[np.float32], rate: int, generator: np.random.Generator
    ) -> npt.NDArray[np.float32]:
        """Shifted clips `[1, N, T]`, by whole samples."""
        import numpy as np

        copies = np.zeros((1, *waveforms.shape), dtype=np.float32)
        seconds = generator.uniform(-self.seconds, self.seconds, len(waveforms))
        most = waveforms.shape[1]
        shifts = np.rint(seconds * rate).astype(np.int64).clip(-most, most)
        for copy, clip, shift in zip(copies[0], waveforms, shifts, strict=True):
            if shift >= 0:
                copy[shift:] = clip[: len(clip) - shift]
            else:
                copy[:shift] = clip[-shift:]
        return copies
