"""What a run does: cells, each one measurement of one classifier, with the data that they need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from soundproof.contract.components import Attack, BoundedAttack, Dataset, Defense, Model, Representation
from soundproof.contract.identity import coordinate
from soundproof.digest import digest
from soundproof.results.files import Row
from soundproof.types import Budget, ClipIndex, Protocol, Split, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from soundproof.planning.suite import Suite

# The radii that `reach` climbs, as l∞ steps (they are multiplied by √D for l2): 0.001 · 1.5^k
# (arXiv 2007.13703, §IV: from 0.001 upward; the factor and the 18 rungs are this project's).
LADDER = tuple(0.001 * 1.5**rung for rung in range(18))


# The defense that others are compared with.
BASELINE = "none"


@dataclass(frozen=True)
class Trained:
    """A classifier before any defense: everything that its weights depend on.

    Attributes:
        dataset: What it learns from.
        representation: How clips look to it.
        model: Its architecture.
        fold: Which part of the data is held out.
        seed: Of its weights and of the order of clips.
    """

    dataset: Dataset
    representation: Representation
    model: Model
    fold: int
    seed: int


@dataclass(frozen=True)
class Classifier:
    """A defended classifier: what is measured and attacked.

    Attributes:
        trained: The classifier before the defense.
        defense: What was done to it.
    """

    trained: Trained
    defense: Defense


@dataclass(frozen=True)
class Cell:
    """One measurement, which becomes one row.

    Attributes:
        protocol: What is measured.
        classifier: On what.
        attack: None for `clean`.
        target: Only for `transfer`: the classifier that the examples are tried on.
    """

    protocol: Protocol
    classifier: Classifier
    attack: Attack | None = None
    target: Classifier | None = None

    def row(self, budget: Budget, status: Status, reason: str | None = None, **rest: Any) -> Row:
        """The cell as a row of results."""
        trained = self.classifier.trained
        coordinates = {
            "protocol": self.protocol,
            "dataset": coordinate(trained.dataset),
            "representation": coordinate(trained.representation),
            "model": coordinate(trained.model),
            "defense": coordinate(self.classifier.defense),
            "attack": None if self.attack is None else coordinate(self.attack),
            "target": self._target(),
            "fold": trained.fold,
            "seed": trained.seed,
        }
        key = digest({**coordinates, "budget": vars(budget)})
        return Row(key=key, status=status, reason=reason, **coordinates, **rest)  # type: ignore[arg-type]

    def _target(self) -> dict[str, Any] | None:
        if self.target is None:
            return None
        named = coordinate(self.target.trained.model)
        if self.target.defense != self.classifier.defense:
            named["defense"] = coordinate(self.target.defense)
        return named


@dataclass(frozen=True, eq=False)
class Plan:
    """What a run will do.

    Attributes:
        suite: What was planned.
        cells: In the order in which they run.
        skipped: Rows of cells that cannot run, with their reasons.
        indexes: The clips of every data set, and after them their augmented copies.
        splits: The parts of every data set, by fold.
    """

    suite: Suite
    cells: Sequence[Cell]
    skipped: Sequence[Row]
    indexes: Mapping[Dataset, ClipIndex]
    splits: Mapping[tuple[Dataset, int], Split] = field(default_factory=dict)

    def samples(self, trained: Trained) -> int:
        """Length of one clip at the representation's sampling rate."""
        return trained.dataset.sample_count(trained.representation.rate)

    def shape(self, trained: Trained) -> tuple[int, ...]:
        """Shape of one input of a classifier."""
        return trained.representation.shape(self.samples(trained))


def planned_gradients(plan: Plan, cell: Cell) -> int:
    """Backward rows a cell costs at most: a clip's, times the test clips."""
    attack = cell.attack
    if attack is None or cell.protocol is Protocol.TRANSFER:
        return 0
    each = attack.planned_gradients
    if cell.protocol is Protocol.REACH and isinstance(attack, BoundedAttack):
        each = attack.ladder_gradients(len(LADDER))
    limit = plan.suite.budget.max_gradients
    trained = cell.classifier.trained
    clips = len(plan.splits[trained.dataset, trained.fold].test)
    return clips * (each if limit is None else min(each, limit))
