"""The graph of a run: what every stage is made from. Keys, forecasts and executors all read it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatchmethod
from typing import TYPE_CHECKING

from soundproof.contract.hashing import hashed_once
from soundproof.measuring.classifier import Classifier, Trained
from soundproof.measuring.protocols.base import Cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from soundproof.contract.components import Augmentation, Dataset, Representation


@hashed_once
@dataclass(frozen=True)
class Clips:
    """Decoded audio of a data set at a sampling rate, Hz."""

    dataset: Dataset
    rate: int


@hashed_once
@dataclass(frozen=True)
class Inputs:
    """Inputs of classifiers: of every clip, or of an augmentation's copies of every clip.

    Attributes:
        dataset: Whose clips.
        representation: How they look.
        augmentation: None for the clips themselves.
        fold: Whose training part the representation is fitted to; None if it is not fitted.
    """

    dataset: Dataset
    representation: Representation
    augmentation: Augmentation | None
    fold: int | None


Node = Clips | Inputs | Trained | Classifier | Cell


class Graph:
    """Needs of every stage of a run.

    Attributes:
        augmentations: They enlarge every training part.
    """

    def __init__(self, augmentations: Iterable[Augmentation]) -> None:
        self.augmentations = tuple(augmentations)
        # Planner, keys and forecasts all ask, of a hundred thousand cells.
        self._known: dict[Node, tuple[Node, ...]] = {}

    def needs(self, node: Node) -> tuple[Node, ...]:
        """Stages that a stage is made from, directly."""
        found = self._known.get(node)
        if found is None:
            found = self._known[node] = self._needs(node)
        return found

    @singledispatchmethod
    def _needs(self, node: Node) -> tuple[Node, ...]:
        raise TypeError(f"{type(node).__name__} is no stage of a run")

    @_needs.register
    def _(self, node: Clips) -> tuple[Node, ...]:  # noqa: ARG002
        return ()

    @_needs.register
    def _(self, node: Inputs) -> tuple[Node, ...]:
        return (Clips(node.dataset, node.representation.rate),)

    @_needs.register
    def _(self, node: Trained) -> tuple[Node, ...]:
        return self.inputs(node)

    @_needs.register
    def _(self, node: Classifier) -> tuple[Node, ...]:
        # A defense that starts from new weights does without those of the undefended classifier.
        return self.inputs(node.trained) if node.defense.from_scratch else (node.before,)

    @_needs.register
    def _(self, node: Cell) -> tuple[Node, ...]:
        needs = node.protocol.needs(node)
        return (*needs.classifiers, *needs.cells)

    def inputs(self, trained: Trained) -> tuple[Inputs, ...]:
        """Inputs of a classifier: those of the clips themselves, then of each augmentation's copies."""
        fold = trained.fold if trained.representation.fitted else None
        stages = (None, *self.augmentations)
        return tuple(Inputs(trained.dataset, trained.representation, stage, fold) for stage in stages)

    def order(self, wanted: Iterable[Node]) -> Iterator[Node]:
        """Stages and all that they need, each once and after its needs."""
        seen: set[Node] = set()

        def visit(node: Node) -> Iterator[Node]:
            if node not in seen:
                seen.add(node)
                for need in self.needs(node):
                    yield from visit(need)
                yield node

        for node in wanted:
            yield from visit(node)
