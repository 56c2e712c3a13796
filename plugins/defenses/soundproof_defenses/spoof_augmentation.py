"""Training with copies of sounds that carry the artefacts of synthetic speech."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from soundproof import Augmentation, Defense, Kind, Ref

if TYPE_CHECKING:
    from torch import nn

    from soundproof import Examples, Model, Sounds, Trainer, TrainingData

# In a bonafide/spoof task the classes are numbered in the order of their names.
SPOOF = 1


@dataclass(frozen=True)
class SpoofAugmentation(Defense):
    """Training on clips and on copies that were filtered, distorted, smoothed or passed through a vocoder.

    The transformations imitate what speech synthesis leaves behind. In a task of class 0 bonafide and class 1
    spoof, `copy_label = "spoof"` makes all copies examples of spoof; otherwise copies keep their labels. The
    classifier itself stays as it is, so gradients are exact.

    Attributes:
        augmentation: Makes the copies.
    """

    id: ClassVar[str] = "spoof-augmentation"
    trial: ClassVar = {"augmentation": {"id": "spoof", "transformations": ["limiter", "white-noise"]}}
    copy_label: Annotated[
        Literal["same", "spoof"],
        Field(description="of a copy: its clip's, or class 1 of two, of which class 0 is bonafide"),
    ] = "same"
    copies: Annotated[int, Field(ge=1, description="transformed copies of each training clip")] = 1
    augmentation: Ref = field(default_factory=lambda: Ref(Kind.AUGMENTATION, "spoof"))
    start: Annotated[
        Literal["scratch", "trained"],
        Field(
            description="from new weights with the model's recipe, or on from the trained ones at a tenth of it"
        ),
    ] = "trained"

    @property
    def training_cost(self) -> float:  # type: ignore[override]
        """An epoch of clips, and one of each copy."""
        return 1.0 + self.copies

    def reason_to_skip(self, model: Model, data_shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """It trains again, and a bonafide/spoof task has two classes."""
        if not model.retrainable:
            return f"{model.id} cannot be trained further, which {self.id} does"
        if self.copy_label == "spoof" and classes != 2:
            return f"{self.id} with copy_label spoof needs the two classes bonafide and spoof, not {classes}"
        return None

    def fit(self, defended: nn.Module, data: TrainingData, trainer: Trainer) -> None:
        """Train again, on all that was there and on the copies."""
        import torch

        from soundproof import Examples
        from soundproof_defenses._fresh_weights import reset_weights

        if data.sounds is None:
            raise ValueError(f"{self.id} transforms sounds; this training data has none")
        copies = self._copies(data.train, data.sounds, trainer)
        train = Examples(
            torch.cat([data.train.inputs, copies.inputs]), torch.cat([data.train.labels, copies.labels])
        )
        recipe = trainer.recipe
        if self.start == "scratch":
            reset_weights(defended)
        else:
            recipe = dataclasses.replace(recipe, learning_rate=recipe.learning_rate / 10)
        trainer.fit(defended, dataclasses.replace(data, train=train), recipe=recipe)

    def _copies(self, originals: Examples, sounds: Sounds, trainer: Trainer) -> Examples:
        """Copies of the original training clips, as the classifier sees them."""
        import numpy as np
        import torch

        from soundproof import Examples

        augmentation = trainer.component(self.augmentation)
        assert isinstance(augmentation, Augmentation)
        seed = torch.randint(2**62, (1,), generator=trainer.generator, device=trainer.generator.device)
        generator = np.random.default_rng(int(seed))
        waveforms = sounds.waveforms()
        shown = [
            sounds.represent(copy).to(originals.inputs.device)
            for _ in range(self.copies)
            for copy in augmentation.augment(waveforms, sounds.rate, generator)
        ]
        labels = originals.labels[: len(waveforms)].repeat(len(shown))
        return Examples(torch.cat(shown), torch.full_like(labels, SPOOF) if self.copy_label == "spoof" else labels)
