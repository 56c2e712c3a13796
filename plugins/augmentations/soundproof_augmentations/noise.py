"""A copy with noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from soundproof import Augmentation

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_Factor = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class Noise(Augmentation):
    """White Gaussian noise, one copy with a deviation U(low, high) for each clip.

    The deviation is of full scale, not relative to the clip: quiet clips end up with a lower signal-to-noise
    ratio.
    """

    id: ClassVar[str] = "noise"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "003": {"low": 0.005, "high": 0.02},
        "003-waveforms": {"low": 0.005, "high": 0.005},
    }
    low: Annotated[_Factor, Field(description="smallest standard deviation, full scale is 1")] = 0.005
    high: Annotated[_Factor, Field(description="largest standard deviation")] = 0.02

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"low must not be above high, but {self.low} > {self.high}")

    def augment(
        self,
        waveforms: npt.NDArray[np.float32],
        rate: int,  # noqa: ARG002
        generator: np.random.Generator,
    ) -> npt.NDArray[np.float32]:
        """Noisy clips `[1, N, T]`, cut at ±1."""
        import numpy as np

        # Deviations come first: they are the same at every rate, as the noise itself cannot be.
        factors = generator.uniform(self.low, self.high, (len(waveforms), 1)).astype(np.float32)
        copies = generator.standard_normal(waveforms.shape, dtype=np.float32)
        copies *= factors
        copies += waveforms
        return np.clip(copies, -1, 1, out=copies)[None]
