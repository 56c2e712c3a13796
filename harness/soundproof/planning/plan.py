"""Plan of a run: cells, each one measurement of one classifier, with the data that they need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from soundproof.contract.identity import coordinate
from soundproof.digest import digest
from soundproof.measuring.place import target_of
from soundproof.planning.splits import without_copies
from soundproof.results.files import Row
from soundproof.types import Status, Surface

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from soundproof.contract.components import Dataset
    from soundproof.measuring.classifier import Classifier, Trained
    from soundproof.measuring.place import Coordinate
    from soundproof.measuring.protocols.base import Cell
    from soundproof.planning.graph import Graph
    from soundproof.planning.suite import Suite
    from soundproof.types import Budget, ClipIndex, Recipe, Split


def row_of(cell: Cell, budget: Budget, status: Status, reason: str | None = None, **rest: Any) -> Row:
    """A cell as a row of results."""
    trained, source = cell.classifier.trained, _coordinates(cell.classifier)
    coordinates = {
        "protocol": cell.protocol.id,
        "dataset": coordinate(trained.dataset),
        **source,
        "attack": None if cell.attack is None else coordinate(cell.attack),
        "target": None if cell.target is None else target_of(_coordinates(cell.target), source),
        "fold": trained.fold,
        "seed": trained.seed,
        **({} if cell.channel is None else {"channel": coordinate(cell.channel)}),
    }
    return Row(key=key_of(coordinates, budget), status=status, reason=reason, **coordinates, **rest)  # type: ignore[arg-type]


def key_of(coordinates: Mapping[str, Any], budget: Budget) -> str:
    """Key of the row of some coordinates: protocol, components, fold and seed."""
    return digest({**coordinates, "budget": budget.to_json()})


def _coordinates(classifier: Classifier) -> dict[str, Coordinate]:
    return {
        "representation": coordinate(classifier.trained.representation),
        "model": coordinate(classifier.trained.model),
        "defense": coordinate(classifier.defense),
    }


@dataclass(frozen=True, eq=False)
class Plan:
    """Plan of a run.

    Attributes:
        suite: What was planned.
        cells: In the order in which they run.
        skipped: Rows of cells that cannot run, with their reasons.
        indexes: The clips of every data set, and after them their augmented copies.
        splits: The parts of every data set, by fold.
        graph: What the cells and every stage before them need.
        absent: Why a data set is not there, and how to get it.
        missing: Cells of absent data sets.
        only: Ids that were kept, by kind; a kind that is not named kept everything.
        checks: Further cells, which look at classifiers and attacks and give findings instead of rows.
    """

    suite: Suite
    cells: Sequence[Cell]
    skipped: Sequence[Row]
    indexes: Mapping[Dataset, ClipIndex]
    splits: Mapping[tuple[Dataset, int], Split]
    graph: Graph
    absent: Mapping[Dataset, str] = field(default_factory=dict)
    missing: Sequence[Cell] = ()
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    checks: Sequence[Cell] = ()

    @property
    def tasks(self) -> list[Cell]:
        """Everything that runs: cells, then checks, which look at what cells have left."""
        return [*self.cells, *self.checks]

    def unavailable(self) -> Iterator[Row]:
        """Rows of the missing cells."""
        for cell in self.missing:
            yield row_of(cell, self.budget(cell), Status.SKIPPED, self.absent[cell.classifier.trained.dataset])

    def samples(self, trained: Trained) -> int:
        """Length of one clip at the representation's sampling rate."""
        return trained.dataset.sample_count(trained.representation.rate)

    def shape(self, trained: Trained) -> tuple[int, ...]:
        """Shape of one input of a classifier."""
        return trained.representation.shape(self.samples(trained))

    @property
    def surface(self) -> Surface:
        """What attacks change."""
        return self.suite.budget.domain

    def attacked_shape(self, trained: Trained) -> tuple[int, ...]:
        """Shape of what attacks on a classifier change."""
        return (1, self.samples(trained)) if self.surface is Surface.WAVEFORM else self.shape(trained)

    def classes(self, trained: Trained) -> int:
        """Number of classes."""
        return len(self.indexes[trained.dataset].classes)

    def originals(self, dataset: Dataset) -> ClipIndex:
        """The clips of a data set without augmented copies."""
        return without_copies(self.indexes[dataset], self.suite.copies)

    def test(self, trained: Trained) -> npt.NDArray[np.int64]:
        """Rows of the clips that a classifier is tested on."""
        return self.splits[trained.dataset, trained.fold].test

    def budget(self, cell: Cell) -> Budget:
        """The limits of a cell's attack."""
        return self.suite.budget_of(cell.classifier.trained.dataset)

    def recipe(self, trained: Trained) -> Recipe:
        """Recipe that a classifier is trained by."""
        return self.suite.recipe(trained.model, trained.dataset)

    def gradients(self, cell: Cell) -> int:
        """Backward rows a cell costs at most: a clip's, times the test clips."""
        return cell.protocol.cost(cell, self.budget(cell)).gradients * len(self.test(cell.classifier.trained))
