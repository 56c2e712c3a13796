"""A denoising autoencoder that purifies pictures in front of the classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from soundproof import Defense, Optimizer, Recipe, Schedule

if TYPE_CHECKING:
    from torch import nn

    from soundproof import Model, Trainer, TrainingData

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

    It learns to turn pictures of training clips with white noise into those of the clips, by least squares
    (Vincent et al. 2008), and purifies every picture before the classifier, which stays as it was trained. It is
    differentiable, so an informed attacker goes through both. Reported is the improvement of the pictures' own
    signal-to-noise ratio on noisy validation clips, dB: pictures, not sound (docs/defenses.md).
    """

    id: ClassVar[str] = "denoising-autoencoder"
    training_cost: ClassVar[float] = 2.0
    architecture: Annotated[
        Literal[1, 2], Field(description="two levels of 64 and 32 maps, or three of 128, 64 and 32")
    ] = 2

    def reason_to_skip(self, model: Model, data_shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """Inputs that are no pictures of one channel."""
        if len(data_shape) == 3 and data_shape[0] == 1:
            return None
        return f"denoising-autoencoder needs pictures of one channel, not inputs of shape {data_shape}"

    def wrap(self, classifier: nn.Module, data_shape: tuple[int, ...], classes: int) -> nn.Module:  # noqa: ARG002
        """The autoencoder, then the classifier."""
        from torch import nn

        from soundproof_defenses._denoiser import Purifier

        return nn.Sequential(Purifier(self.architecture), classifier)

    def fit(self, defended: nn.Module, data: TrainingData, trainer: Trainer) -> None:
        """Train the autoencoder on noisy and clean pictures.

        Raises:
            ValueError: There are no waveforms to add noise to.
        """
        from torch import nn

        from soundproof_defenses._denoiser import Purifier
        from soundproof_defenses._denoising import Denoising, improvement, pairs

        if data.sounds is None:
            raise ValueError("denoising-autoencoder adds noise to waveforms, and this data comes without any")
        assert isinstance(defended, nn.Sequential)
        assert isinstance(defended[0], Purifier)
        noisy, clean = pairs(data, data.sounds, trainer.generator)
        denoiser = defended[0].denoiser
        trainer.fit(denoiser, noisy, Denoising(clean), _RECIPE)
        values = improvement(denoiser, noisy.validation, clean)
        trainer.report("picture_snr_improvement_db", values.cpu().numpy())
