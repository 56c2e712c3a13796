"""A denoising autoencoder that purifies pictures or sound in front of the classifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from soundproof import Defense, Optimizer, Recipe, Schedule

if TYPE_CHECKING:
    from torch import nn

    from soundproof import Model, Trainer, TrainingData

# Samples of a frame of sound, at its own rate; frames begin half as many apart.
_FRAME = 1024
# Adam at 1e-3, as the source trained it.
_RECIPE = Recipe(
    epochs=20,
    batch=15,
    learning_rate=1e-3,
    weight_decay=0.0,
    optimizer=Optimizer.ADAM,
    schedule=Schedule.CONSTANT,
    patience=20,
)


@dataclass(frozen=True)
class DenoisingAutoencoder(Defense):
    """A convolutional denoising autoencoder in front of the classifier.

    It learns to turn inputs of training clips with white noise into those of the clips, by least squares
    (Vincent et al. 2008), and purifies every input before the classifier, which stays as it was trained: pictures
    as they are, waveforms by the magnitudes of their STFT with the noisy phases. It is differentiable, so an
    informed attacker goes through both. Reported is the improvement of the signal-to-noise ratio of noisy
    validation clips, dB: of the sound where inputs are waveforms, of the pictures themselves where they are
    pictures (docs/defenses.md).
    """

    id: ClassVar[str] = "denoising-autoencoder"
    trial: ClassVar = {"architecture": 1}
    training_cost: ClassVar[float] = 2.0
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "003": {"architecture": 2},
    }
    architecture: Annotated[
        Literal[1, 2], Field(description="two levels of 64 and 32 maps, or three of 128, 64 and 32")
    ] = 2

    def reason_to_skip(self, model: Model, data_shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """Inputs that are neither pictures of one channel nor waveforms of at least a frame."""
        if len(data_shape) not in {2, 3} or data_shape[0] != 1:
            return f"{self.id} needs pictures of one channel or waveforms, not inputs of shape {data_shape}"
        if len(data_shape) == 2 and data_shape[1] < _FRAME:
            return f"{self.id} needs waveforms of {_FRAME} samples or more, not {data_shape[1]}"
        return None

    def wrap(self, classifier: nn.Module, data_shape: tuple[int, ...], classes: int) -> nn.Module:  # noqa: ARG002
        """The autoencoder, then the classifier."""
        from torch import nn

        from soundproof_defenses._purifiers import PicturePurifier, SoundPurifier

        if len(data_shape) == 3:
            return nn.Sequential(PicturePurifier(self.architecture), classifier)
        return nn.Sequential(SoundPurifier(self.architecture, _FRAME), classifier)

    def fit(self, defended: nn.Module, data: TrainingData, trainer: Trainer) -> None:
        """Train the autoencoder on noisy and clean inputs.

        Raises:
            ValueError: There are no waveforms to add noise to.
        """
        from torch import nn

        from soundproof_defenses._denoising import Denoising, MagnitudeDenoising, improvement, pairs
        from soundproof_defenses._purifiers import PicturePurifier, SoundPurifier

        if data.sounds is None:
            raise ValueError(f"{self.id} adds noise to waveforms, and this data comes without any")
        assert isinstance(defended, nn.Sequential)
        purifier = defended[0]
        noisy, clean = pairs(data, data.sounds, trainer.generator)
        if isinstance(purifier, SoundPurifier):
            trainer.fit(purifier, noisy, MagnitudeDenoising(clean, trainer.generator), _RECIPE)
            measure = "snr_improvement_db"
        else:
            assert isinstance(purifier, PicturePurifier)
            trainer.fit(purifier.denoiser, noisy, Denoising(clean), _RECIPE)
            measure = "picture_snr_improvement_db"
        defended.eval()
        trainer.report(measure, improvement(purifier, noisy.validation, clean).cpu().numpy())
