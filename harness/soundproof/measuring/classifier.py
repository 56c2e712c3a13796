"""Classifiers that are measured, before and after a defense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soundproof.contract.chain import Chain
from soundproof.contract.hashing import hashed_once

if TYPE_CHECKING:
    from soundproof.contract.components import Dataset, Defense, Model, Representation

# The defense that others are compared with.
BASELINE = "none"


@hashed_once
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

    @property
    def family(self) -> tuple[object, ...]:
        """What it shares with the classifiers that see the same inputs, which are held in memory together."""
        return self.dataset, self.representation, self.fold, self.seed


@hashed_once
@dataclass(frozen=True)
class Classifier:
    """A defended classifier: what is measured and attacked.

    Attributes:
        trained: The classifier before any defense.
        defense: What was done to it.
    """

    trained: Trained
    defense: Defense

    @property
    def before(self) -> Trained | Classifier:
        """The classifier that its defense is fitted to; of a chain the last link's."""
        return Classifier(self.trained, self.defense.before) if isinstance(self.defense, Chain) else self.trained

    @property
    def link(self) -> Defense:
        """The defense that is fitted to it: of a chain the last."""
        return self.defense.last if isinstance(self.defense, Chain) else self.defense
