"""The stages from clips to outcomes, each made once and kept in the store."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from soundproof.environment import prepare
from soundproof.errors import DataError
from soundproof.identity import seed_from
from soundproof.keys import Keys, seed_of
from soundproof.outcome import Outcome
from soundproof.plan import Cell, Classifier, Plan, Trained
from soundproof.protocols import Subject, measure_bounded, measure_clean, measure_reach, measure_transfer
from soundproof.training import Epoch, Trainer
from soundproof.types import Examples, Protocol, TrainingData

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    from torch import nn

    from soundproof.interfaces import Dataset
    from soundproof.store import Artifact, Key, Store

_T = TypeVar("_T")

# Clips a representation transforms at once.
TRANSFORM_BATCH = 64


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
    _memory: dict[str, Any] = field(default_factory=dict)
    _failures: dict[str, Exception] = field(default_factory=dict)

    @property
    def device(self) -> str:
        """Where everything is computed."""
        return self.keys.environment.device

    def outcome(self, cell: Cell) -> Outcome:
        """The outcome of a cell, from the store or computed."""
        key = self.keys.cell(cell)
        found = self.store.get(key)
        if found is not None:
            return Outcome.from_record(found.record, found.arrays())
        with self._failing_once(key):
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
        needed = {(cell.classifier.trained.dataset, cell.classifier.trained.representation.rate) for cell in cells}
        problems: dict[str, None] = {}
        for dataset, rate in sorted(needed, key=lambda pair: (pair[0].id, pair[1])):
            try:
                self._waveforms(dataset, rate)
            except DataError as error:
                problems |= dict.fromkeys(f"{dataset.id}: {problem}" for problem in error.problems)
        if problems:
            raise DataError(list(problems))

    def forget(self) -> None:
        """Free the inputs and classifiers held in memory, before another family of classifiers."""
        self._memory.clear()

    def _compute(self, cell: Cell) -> Outcome:
        classifier, attack, budget = cell.classifier, cell.attack, self.plan.suite.budget
        if cell.protocol is Protocol.CLEAN:
            return measure_clean(self._subject(classifier))
        assert attack is not None
        if cell.protocol is Protocol.TRANSFER:
            return self._transfer(cell)
        subject = self._subject(classifier, seed_of(cell.protocol, classifier.trained, classifier.defense, attack))
        if cell.protocol is Protocol.REACH:
            return _within_memory(subject, lambda part: measure_reach(part, attack, budget))
        outcome, examples = _within_memory(subject, lambda part: measure_bounded(part, attack, budget))
        if examples is not None:
            self.store.put(self.keys.examples(cell), {}, {"examples": examples})
        return outcome

    def _transfer(self, cell: Cell) -> Outcome:
        assert cell.target is not None
        bounded = replace(cell, protocol=Protocol.BOUNDED, target=None)
        source = self.outcome(bounded)
        if not source.samples:
            return Outcome(status=source.status, reason=source.reason)
        stored = self.store.get(self.keys.examples(bounded))
        if stored is None:  # damaged since: both are made again
            source = self._compute(bounded)
            stored = self.store.get(self.keys.examples(bounded))
            assert stored is not None
        clean = self.outcome(Cell(Protocol.CLEAN, cell.target))
        examples = stored.tensors(self.device)["examples"]
        return measure_transfer(self._subject(cell.target), examples, source, clean)

    def _subject(self, classifier: Classifier, seed: object = None) -> Subject:
        trained = classifier.trained
        index = self.plan.indexes[trained.dataset]
        test = self.plan.splits[trained.dataset, trained.fold].test
        return Subject(
            module=self._classifier(classifier),
            examples=self._examples(trained, test),
            clips=test,
            groups=index.groups,
            classes=len(index.classes),
            seed=seed,
        )

    def _classifier(self, classifier: Classifier) -> nn.Module:
        """The defended classifier, frozen and in evaluation mode."""
        trained = classifier.trained
        key = self.keys.defended(classifier)
        if key.digest in self._memory:
            return self._memory[key.digest]  # type: ignore[no-any-return]
        with self._failing_once(key):
            stored = self.store.get(key) or self._defend(classifier, key)
            module = self._wrapped(classifier)
            weights = stored if stored.record["weights"] == "own" else self._train(trained)
            module.load_state_dict(weights.tensors(self.device))
        module.requires_grad_(requires_grad=False).eval()
        self._memory[key.digest] = module
        return module

    def _defend(self, classifier: Classifier, key: Key) -> Artifact:
        trained = classifier.trained
        before = self._train(trained).tensors(self.device)
        module = self._build(trained)
        module.load_state_dict(before)
        seed = seed_from(seed_of("defended", trained, classifier.defense))
        with _seeded(seed, self.device):
            defended = classifier.defense.wrap(module, self.plan.shape(trained), self._classes(trained))
            defended.to(self.device)
            classifier.defense.fit(defended, self._training_data(trained), self._trainer(trained, seed))
        after = defended.state_dict()
        # A defense that leaves the weights alone (`none`) does not store them twice.
        same = before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
        return self.store.put(key, {"weights": "same" if same else "own"}, {} if same else after)

    def _train(self, trained: Trained) -> Artifact:
        """Weights and learning curve of a classifier before any defense."""
        key = self.keys.trained(trained)
        found = self.store.get(key)
        if found is not None:
            return found
        with self._failing_once(key):
            seed = seed_from(seed_of("trained", trained))
            with _seeded(seed, self.device):
                module = self._build(trained)
                curve = self._trainer(trained, seed).fit(module, self._training_data(trained))
            return self.store.put(key, {"curve": _plain(curve)}, module.state_dict())

    def _trainer(self, trained: Trained, seed: int) -> Trainer:
        return Trainer(
            self.plan.suite.recipe(trained.model),
            seed,
            device=self.device,
            build=self.keys.registry.build,
            on_epoch=self.on_epoch,
        )

    def _build(self, trained: Trained) -> nn.Module:
        module = trained.model.build(self.plan.shape(trained), self._classes(trained))
        # Convolutions are faster with channels last, on CPUs and GPUs alike.
        return module.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def _wrapped(self, classifier: Classifier) -> nn.Module:
        trained = classifier.trained
        shape, classes = self.plan.shape(trained), self._classes(trained)
        return classifier.defense.wrap(self._build(trained), shape, classes).to(self.device)

    def _classes(self, trained: Trained) -> int:
        return len(self.plan.indexes[trained.dataset].classes)

    def _training_data(self, trained: Trained) -> TrainingData:
        split = self.plan.splits[trained.dataset, trained.fold]
        parts = (self._examples(trained, split.train), self._examples(trained, split.validation))
        return TrainingData(*parts, classes=self._classes(trained))

    def _examples(self, trained: Trained, clips: npt.NDArray[np.int64]) -> Examples:
        index = self.plan.indexes[trained.dataset]
        inputs = self._inputs(trained)[torch.from_numpy(clips).to(self.device)]
        return Examples(inputs, torch.from_numpy(index.labels[clips]).to(self.device))

    def _inputs(self, trained: Trained) -> torch.Tensor:
        """What classifiers see of every clip of the data set, `[N, ...]` on the device."""
        key = self.keys.inputs(trained)
        if key.digest not in self._memory:
            with self._failing_once(key):
                stored = self.store.get(key) or self._represent(trained, key)
                self._memory[key.digest] = stored.tensors(self.device)["inputs"]
        return self._memory[key.digest]  # type: ignore[no-any-return]

    def _represent(self, trained: Trained, key: Key) -> Artifact:
        representation = trained.representation
        waveforms = torch.from_numpy(self._waveforms(trained.dataset, representation.rate))
        train = self.plan.splits[trained.dataset, trained.fold].train
        transform = representation.fit(waveforms[torch.from_numpy(train)].to(self.device)).to(self.device)
        with torch.inference_mode():
            batches = (transform(part.to(self.device)) for part in torch.split(waveforms, TRANSFORM_BATCH))
            inputs = torch.cat([batch.float() for batch in batches])
        expected = (len(waveforms), *self.plan.shape(trained))
        if tuple(inputs.shape) != expected:
            raise ValueError(f"{representation.id} made inputs {tuple(inputs.shape)} where it promised {expected}")
        if not torch.isfinite(inputs).all() or inputs.min() < 0 or inputs.max() > 1:
            raise ValueError(f"{representation.id} made values outside of [0, 1]")
        return self.store.put(key, {}, {"inputs": inputs})

    def _waveforms(self, dataset: Dataset, rate: int) -> npt.NDArray[np.float32]:
        key = self.keys.clips(dataset, rate)
        stored = self.store.get(key)
        if stored is None:
            stored = self.store.put(key, {}, {"waveforms": dataset.waveforms(self.root, rate)})
        return stored.arrays()["waveforms"]  # type: ignore[return-value]

    @contextlib.contextmanager
    def _failing_once(self, key: Key) -> Iterator[None]:
        """What failed in this run fails again at once, instead of being tried again by every cell."""
        if key.digest in self._failures:
            raise self._failures[key.digest]
        try:
            yield
        except Exception as error:
            self._failures[key.digest] = error
            raise


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


@contextlib.contextmanager
def _seeded(seed: int, device: str) -> Iterator[None]:
    """Seed torch's global generators, which initialise weights and drive dropout, and restore them after."""
    with torch.random.fork_rng(enabled=True, devices=[0] if device == "cuda" else []):
        torch.manual_seed(seed)
        yield


def _plain(curve: list[Epoch]) -> list[list[float]]:
    return [[epoch.loss, epoch.score] for epoch in curve]
