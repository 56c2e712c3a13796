"""The contract of a protocol: an object that owns its part of a plan, of a run and of the numbers.

A new protocol is one class in a file of its own, named in `protocols/__init__.py`, and a board that shows it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from soundproof.contract.hashing import hashed_once
from soundproof.measuring.learning import Learning
from soundproof.measuring.metrics import bounds
from soundproof.measuring.metrics.intervals import estimate, known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt
    import torch
    from torch import nn

    from soundproof.contract.components import Attack, Channel
    from soundproof.measuring.classifier import Classifier
    from soundproof.measuring.metrics.intervals import Metric, Part
    from soundproof.measuring.outcome import Outcome
    from soundproof.measuring.place import Place
    from soundproof.measuring.recordings import Recordings
    from soundproof.measuring.scene import Scene
    from soundproof.measuring.subject import Subject
    from soundproof.training.trainer import TrainingError
    from soundproof.types import Budget, Examples

    Samples = Mapping[str, npt.NDArray[Any]]


@hashed_once
@dataclass(frozen=True)
class Cell:
    """One measurement, which becomes one row.

    Attributes:
        protocol: What is measured.
        classifier: On what; for `transfer` where the examples come from.
        attack: None for `clean`.
        target: Only for `transfer`: the classifier that the examples are tried on.
        channel: Only for `channels`: what the sounds are played through.
    """

    protocol: Protocol
    classifier: Classifier
    attack: Attack | None = None
    target: Classifier | None = None
    channel: Channel | None = None

    @property
    def judged(self) -> Classifier:
        """The classifier that the cell's examples are shown to."""
        return self.target or self.classifier

    def under(self, protocol: Protocol) -> Cell:
        """The cell of another protocol, of the same attack on the same classifier."""
        return Cell(protocol, self.classifier, self.attack)


@dataclass(frozen=True)
class Needs:
    """Needs of a cell.

    Attributes:
        cells: Their outcomes, and the examples of those that make some.
        classifiers: Trained and defended.
        welcome: Cells whose outcomes and examples are used where they are there; that one broke is no obstacle.
    """

    classifiers: tuple[Classifier, ...]
    cells: tuple[Cell, ...] = ()
    welcome: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class Cost:
    """Passes that a cell costs at most, an attacked clip.

    Attributes:
        gradients: Backward rows; the forward pass that each needs is included.
        queries: Forward rows without a backward pass.
    """

    gradients: int = 0
    queries: int = 1


@dataclass(frozen=True, eq=False)
class Material:
    """Material of a cell: its needs, made.

    Attributes:
        cell: The cell.
        subject: The classifier that examples are shown to (`Cell.judged`), with the clips it is tested on.
        budget: The limits of attacks.
        outcomes: Of the cells that it needs.
        examples: Of those among them that made some, `[n, ...]` for the clips of their samples.
        moved: Examples of the cell's classifier (of clips, int64 `[n]`) as the subject gets them.
        learning: How the classifier's model was trained, and what its defense did on top.
        training_clips: Clips that it was trained on.
        training: Makes the inputs that it was trained on, augmented copies included.
        fresh: Makes the classifier of the subject anew from its stored weights; it has seen nothing yet.
        recordings: Makes the sound of the subject's clips.
    """

    cell: Cell
    subject: Subject
    budget: Budget
    outcomes: Mapping[Cell, Outcome] = field(default_factory=dict)
    examples: Mapping[Cell, torch.Tensor] = field(default_factory=dict)
    moved: Callable[[torch.Tensor, npt.NDArray[np.int64]], torch.Tensor] = lambda examples, _: examples
    learning: Callable[[], tuple[Learning, Learning]] = lambda: (Learning(), Learning())
    training_clips: int = 0
    training: Callable[[], Examples] | None = None
    fresh: Callable[[], nn.Module] | None = None
    recordings: Callable[[], Recordings] | None = None


class Protocol(ABC):
    """A question asked of a classifier.

    Protocols have no state: all instances of a class are one.

    Attributes:
        id: Its name in suites and results.
        fields: Fields of its samples that metrics are computed from, all `[n]`.
        last: Whether its cells run after those of all other protocols of the same inputs, since by then every
            classifier that they need is made.
        leaves_examples: Whether its cells leave examples that others may use.
        by_channel: Whether each of its cells is measured once for every channel of the suite.
        asked: Whether a suite gets it only by naming it, or by what it lists.
    """

    id: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]
    last: ClassVar[bool] = False
    leaves_examples: ClassVar[bool] = False
    by_channel: ClassVar[bool] = False
    asked: ClassVar[bool] = False

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return self.id

    @abstractmethod
    def cells(
        self, classifier: Classifier, attacks: Iterable[Attack], family: Sequence[Classifier]
    ) -> Iterator[Cell]:
        """The cells that it adds to a plan.

        Args:
            classifier: Whose.
            attacks: Of the suite.
            family: All classifiers to which examples can move, this one included: those that see the same inputs,
                or hear the same sound where that is what attacks change.
        """

    @abstractmethod
    def needs(self, cell: Cell) -> Needs:
        """Needs of a cell of it."""

    def reason_to_skip(self, cell: Cell, budget: Budget) -> str | None:  # noqa: ARG002
        """Why a cell of it cannot be measured, or None."""
        return None

    def settings(self, budget: Budget) -> dict[str, Any]:  # noqa: ARG002
        """The part of the budget that its numbers depend on, as JSON; it enters cache keys."""
        return {}

    @abstractmethod
    def cost(self, cell: Cell, budget: Budget) -> Cost:
        """Passes that a cell costs at most, an attacked clip."""

    @abstractmethod
    def measure(self, material: Material) -> Outcome:
        """Measure a cell."""

    def unfinished(self, error: TrainingError) -> Samples:  # noqa: ARG002
        """Samples of a row whose classifier's training diverged."""
        return {}

    @abstractmethod
    def parts(self, samples: Samples, scene: Scene) -> dict[str, Part]:
        """One row's share of each metric: a statistic of its clips. Every number is made of these."""

    def metrics(self, samples: Sequence[Samples], scene: Scene) -> dict[str, Metric]:
        """The metrics of one configuration from its samples, an entry a fold and seed."""
        rows = [self.parts(each, scene) for each in samples]
        shared = [name for name in rows[0] if all(name in parts for parts in rows)]
        return known(
            {name: estimate([parts[name] for parts in rows], scene.groups, bounds=bounds(name)) for name in shared}
        )

    def partners(self, place: Place) -> Mapping[str, Place]:  # noqa: ARG002
        """The rows that a row is compared with, by a name of the protocol's own; they may be missing."""
        return {}

    def comparisons(
        self,
        samples: Sequence[Samples],  # noqa: ARG002
        partners: Mapping[str, Sequence[Samples]],  # noqa: ARG002
        scene: Scene,  # noqa: ARG002
    ) -> dict[str, Metric]:
        """Further metrics that only a comparison gives.

        Args:
            samples: As for `metrics`.
            partners: Those that are there, by name: their samples in the same order.
            scene: As for `metrics`.
        """
        return {}


class AttackProtocol(Protocol):
    """A question about one attack on one classifier, which needs nothing but that classifier."""

    def cells(
        self,
        classifier: Classifier,
        attacks: Iterable[Attack],
        family: Sequence[Classifier],  # noqa: ARG002
    ) -> Iterator[Cell]:
        """One an attack."""
        return (Cell(self, classifier, attack) for attack in attacks)

    def needs(self, cell: Cell) -> Needs:
        """The classifier alone."""
        return Needs((cell.classifier,))
