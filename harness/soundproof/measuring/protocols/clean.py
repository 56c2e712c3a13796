"""Protocol `clean`: how well a classifier recognises the test clips."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from soundproof.measuring.classifier import BASELINE
from soundproof.measuring.learning import Learning, plain
from soundproof.measuring.metrics.recognition import drop, recognition
from soundproof.measuring.metrics.renaming import renaming
from soundproof.measuring.outcome import Outcome
from soundproof.measuring.protocols.base import Cell, Cost, Needs, Protocol
from soundproof.victim.goal import margin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from soundproof.contract.components import Attack
    from soundproof.measuring.classifier import Classifier
    from soundproof.measuring.metrics.intervals import Metric, Part
    from soundproof.measuring.place import Place
    from soundproof.measuring.protocols.base import Material, Samples
    from soundproof.measuring.scene import Scene
    from soundproof.training.trainer import TrainingError
    from soundproof.types import Budget


class Clean(Protocol):
    """Recognition of the test clips by a classifier, and how it was trained."""

    id: ClassVar[str] = "clean"
    fields: ClassVar[tuple[str, ...]] = ("clip", "label", "prediction", "score")

    def cells(
        self,
        classifier: Classifier,
        attacks: Iterable[Attack],  # noqa: ARG002
        family: Sequence[Classifier],  # noqa: ARG002
    ) -> Iterator[Cell]:
        """One a classifier."""
        yield Cell(self, classifier)

    def needs(self, cell: Cell) -> Needs:
        """The classifier alone."""
        return Needs((cell.classifier,))

    def cost(self, cell: Cell, budget: Budget) -> Cost:  # noqa: ARG002
        """One look at every clip."""
        return Cost()

    def measure(self, material: Material) -> Outcome:
        """Predict every test clip.

        Raises:
            FloatingPointError: The classifier gives NaN or infinite logits.
        """
        from soundproof.measuring.judge import finite_logits

        subject = material.subject
        logits = finite_logits(subject.module, subject.examples.inputs)
        labels = subject.examples.labels
        samples = {
            "clip": subject.clips.astype(np.int32),
            "label": labels.cpu().numpy().astype(np.int32),
            "prediction": logits.argmax(dim=1).cpu().numpy().astype(np.int32),
            "score": margin(logits, labels).cpu().numpy(),
        }
        model, defense = material.learning()
        misnamed = renaming(samples["label"], samples["prediction"], subject.classes)
        return Outcome(
            metrics=self.metrics([samples], subject.scene) | defense.spent(material.training_clips),
            reports=defense.measured(),
            samples=samples | model.samples("model") | defense.samples("defense"),
            flags=() if misnamed is None else ("misnamed-classes",),
        )

    def unfinished(self, error: TrainingError) -> Samples:
        """The learning curve up to where the training diverged."""
        return Learning(plain(error.curve)).samples(error.whose)

    def parts(self, samples: Samples, scene: Scene) -> dict[str, Part]:
        """Recognition."""
        return recognition(samples, scene)

    def partners(self, place: Place) -> Mapping[str, Place]:
        """The undefended classifier of a defended one."""
        if place.defense == {"id": BASELINE}:
            return {}
        return {"undefended": place.moved(defense={"id": BASELINE})}

    def comparisons(
        self, samples: Sequence[Samples], partners: Mapping[str, Sequence[Samples]], scene: Scene
    ) -> dict[str, Metric]:
        """The drop of accuracy through the defense."""
        return drop(samples, partners["undefended"], scene) if "undefended" in partners else {}
