"""The built-in defenses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof import hookimpl

if TYPE_CHECKING:
    from soundproof import Defense


@hookimpl
def soundproof_components() -> list[type[Defense]]:
    """All defenses of this package."""
    from soundproof_defenses.adversarial_training import AdversarialTraining
    from soundproof_defenses.denoising_autoencoder import DenoisingAutoencoder
    from soundproof_defenses.distillation import Distillation
    from soundproof_defenses.input_transform import InputTransform
    from soundproof_defenses.none import Undefended
    from soundproof_defenses.randomized_smoothing import RandomizedSmoothing
    from soundproof_defenses.spoof_augmentation import SpoofAugmentation
    from soundproof_defenses.thermometer import ThermometerEncoding
    from soundproof_defenses.wavegan_inversion import WaveganInversion

    return [
        AdversarialTraining,
        DenoisingAutoencoder,
        Distillation,
        InputTransform,
        RandomizedSmoothing,
        SpoofAugmentation,
        ThermometerEncoding,
        Undefended,
        WaveganInversion,
    ]
