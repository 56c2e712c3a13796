"""Protocol `certified`: within which radius a vote over Gaussian noise provably stands."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from soundproof.measuring.metrics import statistics
from soundproof.measuring.metrics.intervals import Part
from soundproof.measuring.outcome import Outcome
from soundproof.measuring.protocols.base import Cell, Cost, Needs, Protocol
from soundproof.types import Norm, Surface

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from soundproof.contract.components import Attack
    from soundproof.measuring.classifier import Classifier
    from soundproof.measuring.protocols.base import Material, Samples
    from soundproof.measuring.scene import Scene
    from soundproof.types import Budget


class Certified(Protocol):
    """Proven robustness of a smoothed classifier (Cohen et al. 2019); others have no cells."""

    id: ClassVar[str] = "certified"
    fields: ClassVar[tuple[str, ...]] = ("clip", "label", "prediction", "radius", "votes", "certified")

    def cells(
        self,
        classifier: Classifier,
        attacks: Iterable[Attack],  # noqa: ARG002
        family: Sequence[Classifier],  # noqa: ARG002
    ) -> Iterator[Cell]:
        """One a smoothed classifier."""
        if classifier.defense.smoothing is not None:
            yield Cell(self, classifier)

    def needs(self, cell: Cell) -> Needs:
        """The classifier alone."""
        return Needs((cell.classifier,))

    def settings(self, budget: Budget) -> dict[str, Any]:
        """The ball that clips count as certified in."""
        return {"norm": budget.norm, budget.unit: budget.size}

    def reason_to_skip(self, cell: Cell, budget: Budget) -> str | None:
        """Noise on a classifier's inputs proves nothing of the sound before them."""
        if budget.domain is Surface.INPUT:
            return None
        return f"{cell.classifier.defense.id} votes over noise on inputs, which proves no radius of the waveform"

    def cost(self, cell: Cell, budget: Budget) -> Cost:  # noqa: ARG002
        """The noisy copies."""
        from soundproof.measuring.certificate import DRAWS, GUESSES

        return Cost(queries=DRAWS + GUESSES)

    def measure(self, material: Material) -> Outcome:
        """Certify every test clip."""
        from soundproof.measuring.certificate import certify
        from soundproof.victim.expectation import Expectation

        subject, sigma = material.subject, material.cell.classifier.defense.smoothing
        assert sigma is not None
        # One draw of the noise a row; the mean over draws is for attackers.
        module = subject.module.inner if isinstance(subject.module, Expectation) else subject.module
        found = certify(module, subject.examples.inputs, sigma, subject.classes)
        labels = subject.examples.labels.cpu().numpy().astype(np.int32)
        radius = subject.radii(material.budget)
        if material.budget.norm is Norm.LINF:
            radius = radius * math.sqrt(subject.scene.dimension)
        samples = {
            "clip": subject.clips.astype(np.int32),
            "label": labels,
            "prediction": found.prediction,
            "radius": found.radius,
            "votes": found.votes,
            "certified": ((found.prediction == labels) & (found.radius >= radius)).astype(np.uint8),
        }
        return Outcome(self.metrics([samples], subject.scene), samples=samples)

    def parts(self, samples: Samples, scene: Scene) -> dict[str, Part]:  # noqa: ARG002
        """`certified_accuracy` at the suite's radius, `certified_radius`, `smoothed_accuracy` and `abstention`."""
        values = {
            "certified_accuracy": samples["certified"] > 0,
            "certified_radius": np.where(_right(samples), samples["radius"], 0.0),
            "smoothed_accuracy": _right(samples),
            "abstention": samples["prediction"] < 0,
        }
        return {name: Part(samples["clip"], statistics.mean(column)) for name, column in values.items()}


def _right(samples: Samples) -> np.ndarray:
    return np.asarray(samples["prediction"] == samples["label"])
