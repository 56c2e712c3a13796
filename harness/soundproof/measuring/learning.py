"""History of a classifier: learning curves, gradients spent on it, what its defense measured of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.measuring.metrics import statistics
from soundproof.measuring.metrics.intervals import Metric, Part, estimate, known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from soundproof.training.trainer import Epoch, Trainer


@dataclass(frozen=True)
class Learning:
    """One training: of a model, or of a defense on top of it.

    Attributes:
        curve: Loss and validation score of every epoch.
        gradients: Rows of input gradients that an inner attack spent.
        reports: What the defense measured of itself, a number an independent clip.
    """

    curve: Sequence[Sequence[float]] = ()
    gradients: int = 0
    reports: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, trainer: Trainer) -> Learning:
        """Everything that a trainer has run."""
        reports = {name: values.tolist() for name, values in trainer.reports.items()}
        return cls(plain(trainer.curve), trainer.gradients, reports)

    def then(self, later: Learning) -> Learning:
        """Both, one after the other; where both report the same measure, the later one is of what came out."""
        return Learning(
            [*self.curve, *later.curve], self.gradients + later.gradients, {**self.reports, **later.reports}
        )

    def spent(self, clips: int) -> dict[str, Metric]:
        """`training_gradients`, mean rows a training clip, if any were spent.

        Args:
            clips: Of the training part.
        """
        if not self.gradients:
            return {}
        each = self.gradients / clips
        return {"training_gradients": Metric(each, each, each, clips)}

    def measured(self) -> dict[str, Metric]:
        """The reports, each as a mean with its interval."""
        rows = {name: np.arange(len(values)) for name, values in self.reports.items()}
        return known(
            {
                name: estimate([Part(rows[name], statistics.mean(np.asarray(values)))], rows[name])
                for name, values in self.reports.items()
            }
        )

    def samples(self, whose: str) -> dict[str, npt.NDArray[Any]]:
        """The learning curve as results keep it.

        Args:
            whose: `model` or `defense`, the first word of the fields' names.
        """
        if not self.curve:
            return {}
        loss, score = np.asarray(self.curve, dtype=np.float32).T
        return {f"{whose}_loss": loss, f"{whose}_validation": score}


def plain(curve: Sequence[Epoch]) -> list[list[float]]:
    """A learning curve as JSON."""
    return [[epoch.loss, epoch.score] for epoch in curve]
