"""Cells, and the classifiers that they measure: the nodes of a plan that end in a row of results."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soundproof.contract.components import Attack, Dataset, Defense, Model, Representation
    from soundproof.measuring.protocols.base import Protocol

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
        classifier: On what; for `transfer` where the examples come from.
        attack: None for `clean`.
        target: Only for `transfer`: the classifier that the examples are tried on.
    """

    protocol: Protocol
    classifier: Classifier
    attack: Attack | None = None
    target: Classifier | None = None

    @property
    def judged(self) -> Classifier:
        """The classifier that the cell's examples are shown to."""
        return self.target or self.classifier

    def under(self, protocol: Protocol) -> Cell:
        """The cell of another protocol, of the same attack on the same classifier."""
        return replace(self, protocol=protocol, target=None)


@dataclass(frozen=True)
class Needs:
    """What a cell is measured from.

    Attributes:
        cells: Their outcomes, and the examples of those that make some.
        classifiers: Trained and defended.
    """

    classifiers: tuple[Classifier, ...]
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class Cost:
    """Passes that a cell costs at most, an attacked clip.

    Attributes:
        gradients: Backward rows; the forward pass that each needs is included.
        queries: Forward rows without a backward pass.
    """

    gradients: int = 0
    queries: int = 1
