"""No defense: what every other one is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soundproof import Defense

if TYPE_CHECKING:
    from torch import nn

    from soundproof import Trainer, TrainingData


@dataclass(frozen=True)
class Undefended(Defense):
    """The trained classifier as it is."""

    id: ClassVar[str] = "none"
    training_cost: ClassVar[float] = 0.0

    def fit(self, defended: nn.Module, data: TrainingData, trainer: Trainer) -> None:
        """Leave everything as it is."""
