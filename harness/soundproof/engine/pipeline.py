"""From cells to outcomes: each measured once and kept in the store."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

import torch

from soundproof.digest import seed_from
from soundproof.engine.classifiers import Classifiers, seeded
from soundproof.engine.environment import prepare
from soundproof.engine.inputs import Inputs
from soundproof.engine.keys import Keys, seed_of
from soundproof.engine.store import Failures
from soundproof.measuring.outcome import Outcome
from soundproof.measuring.protocols import (
    Subject,
    measure_bounded,
    measure_clean,
    measure_grey,
    measure_reach,
    measure_transfer,
)
from soundproof.planning.plan import Cell, Classifier, Plan
from soundproof.types import Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from soundproof.engine.store import Store

_T = TypeVar("_T")


@dataclass(eq=False)
class Pipeline:
    """Makes outcomes of cells, through the store.

    Attributes:
        plan: What there is to do.
        store: Where artifacts are kept.
        keys: Their keys.
        root: The data folder.
        on_epoch: Called after every epoch of training.
    """

    plan: Plan
    store: Store
    keys: Keys
    root: Path
    on_epoch: Callable[[], None] = lambda: None
    _failures: Failures = field(default_factory=Failures)
    _inputs: Inputs = field(init=False)
    _classifiers: Classifiers = field(init=False)

    def __post_init__(self) -> None:
        self._inputs = Inputs(self.plan, self.store, self.keys, self.root, self._failures)
        self._classifiers = Classifiers(
            self.plan, self.store, self.keys, self._inputs, self._failures, self.on_epoch
        )

    def outcome(self, cell: Cell) -> Outcome:
        """The outcome of a cell, from the store or computed."""
        key = self.keys.cell(cell)
        found = self.store.get(key)
        if found is not None:
            return Outcome.from_record(found.record, found.arrays())
        with self._failures.once(key):
            # Again, for entries that were taken for whole and turn out to be damaged.
            prepare(self.keys.environment)
            outcome = self._compute(cell)
            self.store.put(key, outcome.record(), outcome.samples)
        return outcome

    def decode(self, cells: Sequence[Cell]) -> None:
        """Decode all audio that cells need, before the first of them runs.

        Raises:
            DataError: Audio is missing or damaged; it lists every file of every data set.
        """
        self._inputs.decode(cells)

    def forget(self) -> None:
        """Free the inputs and classifiers held in memory, before another family of classifiers."""
        self._inputs.forget()
        self._classifiers.forget()

    def _compute(self, cell: Cell) -> Outcome:
        """Measure. A random classifier draws from torch's global generator, which is therefore seeded."""
        named = [component for component in (cell.classifier.defense, cell.attack) if component is not None]
        seed = seed_of(cell.protocol, cell.classifier.trained, *named)
        measure = {Protocol.CLEAN: self._clean, Protocol.TRANSFER: self._transfer}.get(
            cell.protocol, self._attacked
        )
        with seeded(seed_from(seed), self.keys.environment.device):
            return measure(cell, seed)

    def _clean(self, cell: Cell, seed: object) -> Outcome:
        outcome = measure_clean(self._subject(cell.classifier, seed))
        model, defense = self._classifiers.learning(cell.classifier)
        trained = cell.classifier.trained
        clips = len(self.plan.splits[trained.dataset, trained.fold].train)
        noted = defense.metrics(clips)
        taken = sorted(noted.keys() & outcome.metrics.keys())
        if taken:
            raise ValueError(f"{cell.classifier.defense.id} reports {', '.join(taken)}, which is measured already")
        return replace(
            outcome,
            metrics={**outcome.metrics, **noted},
            samples={**outcome.samples, **model.samples("model"), **defense.samples("defense")},
        )

    def _attacked(self, cell: Cell, seed: object) -> Outcome:
        attack, budget, subject = cell.attack, self.plan.suite.budget, self._subject(cell.classifier, seed)
        assert attack is not None
        if cell.protocol is Protocol.REACH:
            return _within_memory(subject, lambda part: measure_reach(part, attack, budget))
        outcome, examples = _within_memory(subject, lambda part: measure_bounded(part, attack, budget))
        if examples is None:
            return outcome
        self.store.put(self.keys.examples(cell), {}, {"examples": examples})
        undefended = self.keys.undefended(cell)
        if undefended is None:
            return outcome
        return measure_grey(subject, outcome, *self._bounded(undefended))

    def _transfer(self, cell: Cell, seed: object) -> Outcome:
        assert cell.target is not None
        source, examples = self._bounded(replace(cell, protocol=Protocol.BOUNDED, target=None))
        if examples is None:
            return Outcome(status=source.status, reason=source.reason)
        clean = self.outcome(Cell(Protocol.CLEAN, cell.target))
        return measure_transfer(self._subject(cell.target, seed), examples, source, clean)

    def _bounded(self, cell: Cell) -> tuple[Outcome, torch.Tensor | None]:
        """The outcome and the examples of a `bounded` cell; no examples where there was nothing to attack."""
        source = self.outcome(cell)
        if not source.samples:
            return source, None
        stored = self.store.get(self.keys.examples(cell))
        if stored is None:  # damaged since: both are made again
            source = self._compute(cell)
            stored = self.store.get(self.keys.examples(cell))
            assert stored is not None
        return source, stored.tensors(self.keys.environment.device)["examples"]

    def _subject(self, classifier: Classifier, seed: object) -> Subject:
        trained = classifier.trained
        index = self.plan.indexes[trained.dataset]
        test = self.plan.splits[trained.dataset, trained.fold].test
        return Subject(
            module=self._classifiers.module(classifier),
            examples=self._inputs.examples(trained, test),
            clips=test,
            groups=index.groups,
            classes=len(index.classes),
            seed=seed,
        )


def _within_memory(subject: Subject, measure: Callable[[Subject], _T]) -> _T:
    """Measure, in smaller batches when memory runs out."""
    while True:
        try:
            return measure(subject)
        except torch.OutOfMemoryError:
            if subject.batch == 1:
                raise
            subject = replace(subject, batch=subject.batch // 2)
            torch.cuda.empty_cache()
