"""Protocol `bounded`: an attack within the suite's ball."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from soundproof.measuring.classifier import BASELINE
from soundproof.measuring.metrics import bounds
from soundproof.measuring.metrics.fooling import effort, fooling, robust_accuracy, sizes
from soundproof.measuring.metrics.intervals import estimate, known
from soundproof.measuring.outcome import NOTHING_TO_ATTACK, Outcome
from soundproof.measuring.place import target_of
from soundproof.measuring.protocols.base import AttackProtocol, Cost
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from soundproof.measuring.metrics.intervals import Metric, Part
    from soundproof.measuring.place import Place
    from soundproof.measuring.protocols.base import Cell, Material, Samples
    from soundproof.measuring.scene import Scene
    from soundproof.types import Budget


class Bounded(AttackProtocol):
    """Effect of an attack within a ball of fixed radius."""

    id: ClassVar[str] = "bounded"
    leaves_examples: ClassVar[bool] = True
    fields: ClassVar[tuple[str, ...]] = (
        *("clip", "clean_score", "score", "fooled", "tested"),
        *("l2", "linf", "l0", "gradients", "queries"),
    )

    def settings(self, budget: Budget) -> dict[str, Any]:
        """Everything but the target."""
        return {name: value for name, value in budget.to_json().items() if name != "target_auc"}

    def cost(self, cell: Cell, budget: Budget) -> Cost:
        """One run of the attack and a look at what it made."""
        assert cell.attack is not None
        limit = math.inf if budget.max_gradients is None else budget.max_gradients
        gradients, queries = cell.attack.planned_gradients, cell.attack.planned_queries
        return Cost(int(min(gradients, limit)), max(0, queries - gradients) + 1)

    def measure(self, material: Material) -> Outcome:
        """Attack every clip that the classifier gets right.

        Raises:
            InvalidExamplesError: The attack returned something that is no set of examples.
            FloatingPointError: The classifier gives NaN or infinite logits.
        """
        from soundproof.measuring.confined import attack_within

        assert material.cell.attack is not None
        found = attack_within(material.subject, material.cell.attack, material.budget)
        if found is None:
            return Outcome(status=Status.SKIPPED, reason=NOTHING_TO_ATTACK)
        metrics = self.metrics([found.samples], material.subject.scene)
        return Outcome(metrics, samples=found.samples | found.curve, examples=found.examples)

    def parts(self, samples: Samples, scene: Scene) -> dict[str, Part]:
        """Fooling, robust accuracy, effort and sizes."""
        return fooling(samples) | robust_accuracy(samples) | effort(samples) | sizes(samples, scene)

    def partners(self, place: Place) -> Mapping[str, Place]:
        """The grey-box attacker: the same attack on the undefended classifier, transferred to this one."""
        baseline = {"id": BASELINE}
        if place.defense == baseline:
            return {}
        own = {"representation": place.representation, "model": place.model, "defense": place.defense}
        target = target_of(own, {**own, "defense": baseline})
        return {"grey": place.moved(protocol="transfer", defense=baseline, target=target)}

    def comparisons(
        self, samples: Sequence[Samples], partners: Mapping[str, Sequence[Samples]], scene: Scene
    ) -> dict[str, Metric]:
        """`grey_…`: the metrics of the attacker who knows the classifier and ignores its defense."""
        if "grey" not in partners:
            return {}
        rows = [grey_parts(*pair) for pair in zip(samples, partners["grey"], strict=True)]
        return known(
            {name: estimate([row[name] for row in rows], scene.groups, bounds=bounds(name)) for name in rows[0]}
        )


def grey_parts(informed: Samples, transferred: Samples) -> dict[str, Part]:
    """One row's share of the grey-box attacker's metrics, from the samples that `grey_box` takes."""
    grey = grey_box(informed, transferred)
    return {f"grey_{name}": part for name, part in (fooling(grey) | robust_accuracy(grey)).items()}


def grey_box(informed: Samples, transferred: Samples) -> dict[str, npt.NDArray[Any]]:
    """Samples of the grey-box attacker: on clips for which it has no example it stays with the clean one.

    Args:
        informed: `bounded` samples of the defended classifier.
        transferred: `transfer` samples from the undefended classifier to it.
    """
    clips = informed["clip"]
    _, here, there = np.intersect1d(clips, transferred["clip"], return_indices=True)
    score, fooled = informed["clean_score"].copy(), np.zeros(len(clips), np.uint8)
    score[here], fooled[here] = transferred["score"][there], transferred["fooled"][there]
    return {
        **{name: informed[name] for name in ("clip", "clean_score", "tested")},
        "score": score,
        "fooled": fooled,
    }
