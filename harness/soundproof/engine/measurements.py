"""Measurements: the outcome of every cell, each measured once and kept in the store."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from soundproof.digest import seed_from
from soundproof.engine.classifiers import ClassifierMaker, seeded
from soundproof.engine.inputs import InputMaker
from soundproof.engine.keys import seed_of
from soundproof.engine.memory import within_memory
from soundproof.measuring.outcome import Outcome
from soundproof.measuring.protocols.base import Material
from soundproof.measuring.subject import Subject
from soundproof.types import Surface
from soundproof.victim.expectation import Expectation
from soundproof.victim.hearing import Hearing

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch
    from torch import nn

    from soundproof.engine.workshop import Workshop
    from soundproof.measuring.classifier import Classifier
    from soundproof.measuring.protocols.base import Cell
    from soundproof.types import Examples, Split


@dataclass(eq=False)
class Measurements:
    """Makes outcomes of cells, through the store.

    Attributes:
        workshop: What they are made with.
        inputs: What classifiers see.
        classifiers: What is measured.
    """

    workshop: Workshop
    inputs: InputMaker = field(init=False)
    classifiers: ClassifierMaker = field(init=False)

    def __post_init__(self) -> None:
        self.inputs = InputMaker(self.workshop)
        self.classifiers = ClassifierMaker(self.workshop, self.inputs)

    def outcome(self, cell: Cell) -> Outcome:
        """The outcome of a cell, from the store or measured."""
        key = self.workshop.keys.of(cell)
        found = self.workshop.store.get(key)
        if found is not None:
            return Outcome.from_record(found.record, found.arrays())
        outcome = self._measure(cell)
        # Of what lacks something that broke, the next run may know more.
        if all(self.workshop.has(each) for each in cell.protocol.needs(cell).welcome):
            self.workshop.keep(cell, key, outcome.record(), outcome.samples)
        return outcome

    def forget(self) -> None:
        """Free the inputs and classifiers held in memory, before another family of classifiers."""
        self.inputs.forget()
        self.classifiers.forget()

    def _measure(self, cell: Cell) -> Outcome:
        """Measure, and keep the examples apart. A random classifier draws from torch's global generator."""
        needs = cell.protocol.needs(cell)
        outcomes = {each: self.outcome(each) for each in needs.cells}
        outcomes |= {each: there for each in needs.welcome if (there := self._there(each)) is not None}
        examples = {each: self.examples(each) for each in outcomes}
        named = [component for component in (cell.classifier.defense, cell.attack) if component is not None]
        seed = seed_of(cell.protocol.id, cell.classifier.trained, *named)
        with self.workshop.once(self.workshop.keys.of(cell)):
            material = Material(
                cell=cell,
                subject=self.subject(cell.judged, seed),
                budget=self.workshop.plan.budget(cell),
                outcomes=outcomes,
                examples={each: made for each, made in examples.items() if made is not None},
                learning=lambda: self.classifiers.learning(cell.classifier),
                training_clips=len(self._split(cell.classifier).train),
                moved=lambda made, clips: self._moved(cell, made, clips),
                training=lambda: self._training(cell.judged),
                fresh=lambda: self.classifiers.fresh(cell.judged),
                recordings=lambda: self.inputs.recordings(cell.judged.trained),
            )
            try:
                with seeded(seed_from(seed), self.workshop.device):
                    outcome = within_memory(material)
            except BaseException:
                # Whatever raised may have changed the classifier before: the next cell gets it as it was made.
                self.classifiers.drop(cell.judged)
                raise
            self.classifiers.inspect(cell.judged)
        fetched = {*self.classifiers.flags(cell.classifier), *self.classifiers.flags(cell.judged)}
        outcome = replace(outcome, flags=(*outcome.flags, *sorted(fetched)))
        if outcome.examples is not None:
            key = self.workshop.keys.examples(cell)
            self.workshop.keep(cell, key, {}, {"examples": outcome.examples})
        return outcome

    def _there(self, cell: Cell) -> Outcome | None:
        """The outcome of a cell that has run, or None where it broke: its own row says why."""
        found = self.workshop.store.get(self.workshop.keys.of(cell))
        return None if found is None else Outcome.from_record(found.record, found.arrays())

    def examples(self, cell: Cell) -> torch.Tensor | None:
        """The examples that a cell left; None if it makes none. Damaged ones are made again."""
        if not cell.protocol.leaves_examples:
            return None
        stored = self.workshop.store.get(self.workshop.keys.examples(cell))
        if stored is not None:
            return stored.tensors(self.workshop.device)["examples"]
        makes_some = cell.protocol.leaves_examples and bool(self.outcome(cell).samples)
        return self._measure(cell).examples if makes_some else None

    def subject(self, classifier: Classifier, seed: object) -> Subject:
        """A classifier with its test clips; attacks on it derive their randomness from the seed."""
        plan, trained = self.workshop.plan, classifier.trained
        test, module = plan.test(trained), self.classifiers.module(classifier)
        heard = self.workshop.plan.surface is Surface.WAVEFORM
        return Subject(
            module=module,
            examples=self.inputs.heard(trained, test) if heard else self.inputs.examples(trained, test),
            clips=test,
            groups=plan.indexes[trained.dataset].groups,
            classes=plan.classes(trained),
            seed=seed,
            represent=_represented(module) if heard else None,
            rate=trained.representation.rate if heard else None,
        )

    def _training(self, classifier: Classifier) -> Examples:
        """What a classifier was trained on; where attacks change the sound, the sound of its original clips."""
        trained, split = classifier.trained, self._split(classifier)
        if self.workshop.plan.surface is Surface.INPUT:
            return self.inputs.training_data(trained).train
        originals = len(self.workshop.plan.originals(trained.dataset).names)
        return self.inputs.heard(trained, split.train[split.train < originals])

    def _moved(self, cell: Cell, examples: torch.Tensor, clips: npt.NDArray[np.int64]) -> torch.Tensor:
        """Examples of a cell's classifier as its target gets them."""
        if self.workshop.plan.surface is Surface.INPUT:
            return examples
        return self.inputs.moved(examples, cell.classifier.trained, cell.judged.trained, clips.astype(np.int64))

    def _split(self, classifier: Classifier) -> Split:
        return self.workshop.plan.splits[classifier.trained.dataset, classifier.trained.fold]


def _represented(module: nn.Module) -> nn.Module:
    """The representation inside of a classifier of sound."""
    hearing = module.inner if isinstance(module, Expectation) else module
    assert isinstance(hearing, Hearing)
    return hearing.represent
