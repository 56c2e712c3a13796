"""The checks of one classifier as a cell: they are planned, keyed, kept and run as every other measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from soundproof.contract.hashing import hashed_once
from soundproof.measuring.protocols.base import Cell, Cost, Needs, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from soundproof.contract.components import Attack
    from soundproof.measuring.classifier import Classifier
    from soundproof.measuring.metrics.intervals import Part
    from soundproof.measuring.outcome import Outcome
    from soundproof.measuring.protocols.base import Material, Samples
    from soundproof.measuring.scene import Scene
    from soundproof.types import Budget


@hashed_once
@dataclass(frozen=True)
class Inspection(Cell):
    """A look at one classifier and at the attacks that were tried on it.

    Attributes:
        tried: Their cells.
    """

    tried: tuple[Cell, ...] = ()


class Checks(Protocol):
    """What checks need to know beyond the results, for a small share of what the attacks cost.

    It belongs to no suite's list of protocols: every classifier that is attacked is looked at. Its outcome holds
    arrays named `<probe>/<field>`, from which `soundproof.results.checks` draws conclusions, and under
    `skipped/<probe>` why a probe did not run.
    """

    id: ClassVar[str] = "checks"
    fields: ClassVar[tuple[str, ...]] = ()
    last: ClassVar[bool] = True
    thorough: ClassVar[bool] = False

    def cells(
        self,
        classifier: Classifier,
        attacks: Iterable[Attack],  # noqa: ARG002
        family: Sequence[Classifier],  # noqa: ARG002
    ) -> Iterator[Cell]:
        """None by itself: the planner knows what was tried."""
        yield Inspection(self, classifier)

    def needs(self, cell: Cell) -> Needs:
        """The classifier, and what the attacks on it left."""
        assert isinstance(cell, Inspection)
        return Needs((cell.classifier,), welcome=cell.tried)

    def settings(self, budget: Budget) -> dict[str, Any]:
        """All of it."""
        return budget.to_json()

    def cost(self, cell: Cell, budget: Budget) -> Cost:
        """The share of what the attacks cost."""
        from soundproof.probing.allowance import SHARE

        assert isinstance(cell, Inspection)
        planned = sum(each.protocol.cost(each, budget).gradients for each in cell.tried)
        return Cost(int(SHARE * planned) * (20 if self.thorough else 1), queries=100)

    def measure(self, material: Material) -> Outcome:
        """Run every probe; one that raises is left out, with the reason."""
        from soundproof.probing.examination import examine

        return examine(material, thorough=self.thorough)

    def parts(self, samples: Samples, scene: Scene) -> dict[str, Part]:  # noqa: ARG002
        """None: they are no measurement of a classifier."""
        return {}


class ThoroughChecks(Checks):
    """All probes, on all clips, whatever they cost."""

    id: ClassVar[str] = "checks-thorough"
    thorough: ClassVar[bool] = True


LEVELS: Mapping[str, Checks] = {"standard": Checks(), "thorough": ThoroughChecks()}
