"""Protocol `reach`: the cost of an attack until it fools nearly everything.

A clip counts once it is fooled, and stands with its clean score until then: an adversary hands over only what
works (docs/metrics.md §4).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from soundproof.contract.components import BoundedAttack
from soundproof.measuring.classifier import BASELINE
from soundproof.measuring.ladder import DESCENT, LADDER, REFINEMENTS
from soundproof.measuring.metrics.fooling import effort, fooling, ratio_of_sizes, sizes
from soundproof.measuring.metrics.intervals import estimate, known
from soundproof.measuring.outcome import NOTHING_TO_ATTACK, Outcome
from soundproof.measuring.protocols.base import AttackProtocol, Cost
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from soundproof.measuring.metrics.intervals import Metric, Part
    from soundproof.measuring.place import Place
    from soundproof.measuring.protocols.base import Cell, Material, Samples
    from soundproof.measuring.scene import Scene
    from soundproof.types import Budget


class Reach(AttackProtocol):
    """Cost of an attack until the fooling AUC of what it would hand over first exceeds the target."""

    id: ClassVar[str] = "reach"
    fields: ClassVar[tuple[str, ...]] = ("clip", "clean_score", "score", "fooled", "gradients", "queries")

    def settings(self, budget: Budget) -> dict[str, Any]:
        """Everything but the size, of which only the unit of the ladder counts: of the input, or of the clip."""
        rest = {name: value for name, value in budget.to_json().items() if name != budget.unit}
        return {**rest, "ladder": "relative"} if budget.unit in ("relative", "snr_db") else rest

    def cost(self, cell: Cell, budget: Budget) -> Cost:
        """The whole ladder and the refinement of a climbing attack; one run of another."""
        attack, limit = cell.attack, math.inf if budget.max_gradients is None else budget.max_gradients
        assert attack is not None
        gradients, queries, further = attack.planned_gradients, attack.planned_queries, 0
        if isinstance(attack, BoundedAttack):
            # Clips that the first rung fools are followed down before they are bisected.
            runs = DESCENT + REFINEMENTS
            further, blind = runs * gradients, runs * max(0, queries - gradients)
            gradients, queries = attack.ladder_gradients(len(LADDER)), attack.ladder_queries(len(LADDER)) + blind
        return Cost(int(min(gradients, limit)) + further, max(0, queries - gradients) + 1)

    def measure(self, material: Material) -> Outcome:
        """Climb a ladder of radii, or read the trace of an attack that has no radius.

        Raises:
            InvalidExamplesError: The attack returned something that is no set of examples.
            FloatingPointError: The classifier gives NaN or infinite logits.
        """
        from soundproof.measuring.search import search

        assert material.cell.attack is not None
        found = search(material.subject, material.cell.attack, material.budget)
        if found is None:
            return Outcome(status=Status.SKIPPED, reason=NOTHING_TO_ATTACK)
        return Outcome(
            self.metrics([found.samples], material.subject.scene),
            samples=found.samples,
            reached=found.missed is None,
            reason=None if found.missed is None else f"not reached: {found.missed}",
        )

    def parts(self, samples: Samples, scene: Scene) -> dict[str, Part]:
        """Fooling, effort and sizes; of a search that did not reach, lower bounds of the first two."""
        return fooling(samples) | effort(samples) | sizes(samples, scene)

    def partners(self, place: Place) -> Mapping[str, Place]:
        """The same attack on the undefended classifier."""
        if place.defense == {"id": BASELINE}:
            return {}
        return {"undefended": place.moved(defense={"id": BASELINE})}

    def comparisons(
        self, samples: Sequence[Samples], partners: Mapping[str, Sequence[Samples]], scene: Scene
    ) -> dict[str, Metric]:
        """ε_r: mean ‖ε‖₂ of the fooled clips, defended over undefended (arXiv 2008.11618, Eq. 15)."""
        undefended = partners.get("undefended", ())
        if not undefended or not all("l2" in each for each in (*samples, *undefended)):
            return {}
        parts = [ratio_of_sizes(*pair) for pair in zip(samples, undefended, strict=True)]
        return known({"epsilon_ratio": estimate(parts, scene.groups)})
