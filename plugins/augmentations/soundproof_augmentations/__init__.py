"""The built-in augmentations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof import hookimpl

if TYPE_CHECKING:
    from soundproof import Augmentation


@hookimpl
def soundproof_components() -> list[type[Augmentation]]:
    """All augmentations of this package."""
    from soundproof_augmentations.noise import Noise
    from soundproof_augmentations.pitch_shift import PitchShift
    from soundproof_augmentations.spoof import Spoof
    from soundproof_augmentations.time_shift import TimeShift
    from soundproof_augmentations.time_stretch import TimeStretch

    return [Noise, PitchShift, Spoof, TimeShift, TimeStretch]
