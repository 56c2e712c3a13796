"""The cache keys of every stage. A key holds the keys it is made from, so hits are known before anything runs."""

from __future__ import annotations

import dataclasses
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from soundproof.contract.identity import coordinate, fingerprint
from soundproof.digest import digest
from soundproof.engine.store import Key
from soundproof.planning.plan import BASELINE
from soundproof.types import Kind, Protocol, Ref

if TYPE_CHECKING:
    from soundproof.contract.components import Augmentation, Component, Dataset, Defense
    from soundproof.contract.registry import Registry
    from soundproof.engine.environment import Environment
    from soundproof.planning.plan import Cell, Classifier, Plan, Trained


class Keys:
    """Makes keys for one run; every key is made once.

    Attributes:
        plan: Data sets, splits and the budget.
        environment: A part of every key.
        registry: Resolves components that are parameters of others.
    """

    def __init__(self, plan: Plan, environment: Environment, registry: Registry) -> None:
        self.plan = plan
        self.environment = environment
        self.registry = registry
        self._identity = digest(environment.identity())
        # Thousands of cells share their upstream keys.
        self.inputs = cache(self._inputs)
        self.undefended = cache(self._undefended)
        self.trained = cache(self._trained)
        self.defended = cache(self._defended)
        self.clean = cache(self._clean)
        self.cell = cache(self._cell)
        self._of = cache(self._fingerprint)

    def clips(self, dataset: Dataset, rate: int) -> Key:
        """Decoded audio at a sampling rate."""
        index = self.plan.indexes[dataset]
        return self._key("clips", dataset=self._of(dataset), checksum=index.checksum, rate=rate)

    def _inputs(self, trained: Trained, augmentation: Augmentation | None = None) -> Key:
        """What the classifier sees of every clip, or of an augmentation's copies of every clip."""
        representation = trained.representation
        return self._key(
            "inputs",
            clips=self.clips(trained.dataset, representation.rate),
            augmentation=None if augmentation is None else self._of(augmentation),
            representation=self._of(representation),
            fitted=self._train_part(trained) if representation.fitted else None,
        )

    def _trained(self, trained: Trained) -> Key:
        """Weights before any defense."""
        return self._key(
            "trained",
            inputs=self.inputs(trained),
            copies=[self.inputs(trained, each).digest for each in self.plan.suite.augmentations],
            labels=self.plan.indexes[trained.dataset].checksum,
            model=self._of(trained.model),
            recipe=dataclasses.asdict(self.plan.suite.recipe(trained.model)),
            split=self._train_part(trained),
            fold=trained.fold,
            seed=trained.seed,
        )

    def _defended(self, classifier: Classifier) -> Key:
        """Weights of the defended classifier."""
        return self._key(
            "defended", trained=self.trained(classifier.trained), defense=self._of(classifier.defense)
        )

    def _clean(self, classifier: Classifier) -> Key:
        """Outcome of the protocol `clean`."""
        trained = classifier.trained
        test = self.plan.splits[trained.dataset, trained.fold].test.tolist()
        return self._key("clean", defended=self.defended(classifier), test=digest(test))

    def _undefended(self, cell: Cell) -> Cell | None:
        """The cell of the same attack on the classifier without its defense; None if it has none."""
        if cell.classifier.defense.id == BASELINE:
            return None
        baseline = cast("Defense", self.registry.build(Ref(Kind.DEFENSE, BASELINE)))
        return dataclasses.replace(cell, classifier=dataclasses.replace(cell.classifier, defense=baseline))

    def _cell(self, cell: Cell) -> Key:
        """Outcome of a cell."""
        clean = self.clean(cell.classifier)
        if cell.protocol is Protocol.CLEAN:
            return clean
        assert cell.attack is not None
        if cell.protocol is Protocol.TRANSFER:
            assert cell.target is not None
            source = self.cell(dataclasses.replace(cell, protocol=Protocol.BOUNDED, target=None))
            return self._key("transfer", source=source, target=self.clean(cell.target))
        undefended = self.undefended(cell) if cell.protocol is Protocol.BOUNDED else None
        return self._key(
            cell.protocol,
            clean=clean,
            undefended=None if undefended is None else self.cell(undefended),
            attack=self._of(cell.attack),
            budget=dataclasses.asdict(self.plan.suite.budget),
        )

    def examples(self, cell: Cell) -> Key:
        """The examples of a `bounded` cell."""
        return self._key("examples", bounded=self.cell(cell))

    def _key(self, stage: str, **parts: Any) -> Key:
        return Key.of(stage, environment=self._identity, **parts)

    def _train_part(self, trained: Trained) -> str:
        split = self.plan.splits[trained.dataset, trained.fold]
        return digest([split.train.tolist(), split.validation.tolist()])

    def _fingerprint(self, component: Component) -> dict[str, Any]:
        """A component's fingerprint, with those of the components that it names."""
        refs = {name: value for name, value in component.parameters().items() if isinstance(value, Ref)}
        inner = {name: self._of(self.registry.build(ref)) for name, ref in sorted(refs.items())}
        files = {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in component.files}
        return {**fingerprint(component), "inner": inner, "files": files}


def seed_of(stage: str, trained: Trained, *components: Component) -> list[Any]:
    """What a stage's randomness derives from: coordinates only, so that an upgrade does not reshuffle."""
    named = (trained.dataset, trained.representation, trained.model, *components)
    return [stage, [coordinate(component) for component in named], trained.fold, trained.seed]
