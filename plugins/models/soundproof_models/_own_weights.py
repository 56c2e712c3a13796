"""Networks that come with a file of weights, or are trained here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from soundproof import Model, load_weights

if TYPE_CHECKING:
    from torch import nn

    from soundproof import Epoch, Trainer, TrainingData


class OwnWeights(Model):
    """Base of models whose parameter `weights` names a safetensors file; None trains them here."""

    weights: str | None

    @property
    def pretrained(self) -> bool:
        """Whether it comes with weights."""
        return self.weights is not None

    @property
    def files(self) -> tuple[Path, ...]:
        """Its weights."""
        return (Path(self.weights),) if self.weights else ()

    def prepare(self, module: nn.Module, data: TrainingData) -> None:  # noqa: ARG002
        """Put the weights in place."""
        if self.weights is not None:
            load_weights(module, Path(self.weights))

    def fit(self, module: nn.Module, data: TrainingData, trainer: Trainer) -> list[Epoch]:
        """Leave it as it is where it has weights, else train it."""
        self.prepare(module, data)
        module.eval()
        return [] if self.pretrained else trainer.fit(module, data)
