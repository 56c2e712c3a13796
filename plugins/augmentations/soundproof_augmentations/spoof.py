"""A copy that carries the artefacts of synthetic speech."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Augmentation

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Spoof(Augmentation):
    """One copy of each clip that is filtered, distorted, smoothed or vocoded, as speech synthesis might leave it.

    Every clip goes through one of 21 transformations, whose parameters are drawn anew (docs/augmentations.md lists
    them; after the public repository osrlpaper/spoofAugment). Clips need 4000 samples a second or more.
    """

    id: ClassVar[str] = "spoof"
    transformations: Annotated[
        tuple[str, ...], Field(description="names of those that a copy's is drawn from; none means all")
    ] = ()

    def __post_init__(self) -> None:
        if not self.transformations:
            return
        from soundproof_augmentations.spoofing.table import TRANSFORMATIONS

        wrong = [name for name in self.transformations if name not in TRANSFORMATIONS]
        if wrong:
            known = ", ".join(TRANSFORMATIONS)
            raise ValueError(f"transformations {', '.join(wrong)} are unknown; there are {known}")

    def augment(
        self, waveforms: npt.NDArray[np.float32], rate: int, generator: np.random.Generator
    ) -> npt.NDArray[np.float32]:
        """Transformed clips `[1, N, T]`, cut at ±1.

        Raises:
            ValueError: The rate is below 4000 Hz.
        """
        from soundproof_augmentations.spoofing.table import TRANSFORMATIONS, spoofed

        return spoofed(waveforms, rate, generator, self.transformations or tuple(TRANSFORMATIONS))[None]
