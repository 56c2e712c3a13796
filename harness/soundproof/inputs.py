"""From audio to what classifiers see: decoding, augmenting and representing clips, each kept in the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.errors import DataError
from soundproof.identity import coordinate, seed_from
from soundproof.types import Examples, Sounds, TrainingData

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt
    from torch import nn

    from soundproof.failures import Failures
    from soundproof.interfaces import Augmentation, Dataset
    from soundproof.keys import Keys
    from soundproof.plan import Cell, Plan, Trained
    from soundproof.store import Artifact, Key, Store

    Waveforms = npt.NDArray[np.float32]

# Clips that are augmented and represented at once.
BATCH = 64


@dataclass(eq=False)
class Inputs:
    """Makes classifiers' inputs, through the store.

    Attributes:
        plan: Clips and splits.
        store: Where artifacts are kept.
        keys: Their keys.
        root: The data folder.
        failures: What failed before.
    """

    plan: Plan
    store: Store
    keys: Keys
    root: Path
    failures: Failures
    _memory: dict[str, torch.Tensor] = field(default_factory=dict)

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
        """Free what is held in memory."""
        self._memory.clear()

    def examples(self, trained: Trained, rows: npt.NDArray[np.int64]) -> Examples:
        """Inputs and labels of some rows of the plan's index, on the device."""
        labels = self.plan.indexes[trained.dataset].labels[rows]
        inputs = self._all(trained)[torch.from_numpy(rows).to(self._device)]
        return Examples(inputs, torch.from_numpy(labels).to(self._device))

    def training_data(self, trained: Trained) -> TrainingData:
        """What a classifier and its defense may learn from."""
        split = self.plan.splits[trained.dataset, trained.fold]
        rate = trained.representation.rate

        def originals(rows: npt.NDArray[np.int64]) -> Waveforms:
            waveforms = self._waveforms(trained.dataset, rate)
            return waveforms[rows[rows < len(waveforms)]]

        return TrainingData(
            train=self.examples(trained, split.train),
            validation=self.examples(trained, split.validation),
            classes=len(self.plan.indexes[trained.dataset].classes),
            sounds=Sounds(
                rate=rate,
                waveforms=lambda: originals(split.train),
                validation=lambda: originals(split.validation),
                represent=lambda waveforms: self._represented(trained, _batches(waveforms)),
            ),
        )

    @property
    def _device(self) -> str:
        return self.keys.environment.device

    def _all(self, trained: Trained) -> torch.Tensor:
        """What a classifier sees of every clip of the data set and of every augmented copy, `[N, ...]`."""
        stages = [None, *self.plan.suite.augmentations]
        name = ".".join(self.keys.inputs(trained, augmentation).digest for augmentation in stages)
        if name not in self._memory:
            self._memory[name] = torch.cat([self._stage(trained, augmentation) for augmentation in stages])
        return self._memory[name]

    def _stage(self, trained: Trained, augmentation: Augmentation | None) -> torch.Tensor:
        """Inputs of all clips, or of one augmentation's copies of them, copy after copy."""
        key = self.keys.inputs(trained, augmentation)
        with self.failures.once(key):
            stored = self.store.get(key) or self._make(trained, augmentation, key)
            return stored.tensors(self._device)["inputs"]

    def _make(self, trained: Trained, augmentation: Augmentation | None, key: Key) -> Artifact:
        representation = trained.representation
        waveforms = self._waveforms(trained.dataset, representation.rate)
        batches = _batches(waveforms)
        if augmentation is None:
            inputs = self._represented(trained, batches)
        else:
            seed = [coordinate(trained.dataset), coordinate(augmentation)]
            copied = _augmented(augmentation, batches, representation.rate, seed)
            inputs = self._represented(trained, copied)
            inputs = _copy_after_copy(inputs, len(waveforms), augmentation.copies)
        expected = (len(waveforms) * (augmentation.copies if augmentation else 1), *self.plan.shape(trained))
        if tuple(inputs.shape) != expected:
            raise ValueError(f"{representation.id} made inputs {tuple(inputs.shape)} where it promised {expected}")
        if not torch.isfinite(inputs).all() or inputs.min() < 0 or inputs.max() > 1:
            raise ValueError(f"{representation.id} made values outside of [0, 1]")
        return self.store.put(key, {}, {"inputs": inputs})

    def _represented(self, trained: Trained, batches: Iterator[Waveforms]) -> torch.Tensor:
        transform = self._transform(trained)
        # Not in inference mode: defenses may train on what this returns.
        with torch.no_grad():
            return torch.cat([transform(torch.from_numpy(batch).to(self._device)).float() for batch in batches])

    def _transform(self, trained: Trained) -> nn.Module:
        """The representation, fitted to the original clips of the training part, or to those of one class."""
        representation = trained.representation
        waveforms = self._waveforms(trained.dataset, representation.rate)
        train = self.plan.splits[trained.dataset, trained.fold].train
        rows = train[train < len(waveforms)]
        if representation.fitted_class is not None:
            index = self.plan.indexes[trained.dataset]
            rows = rows[index.labels[rows] == index.classes.index(representation.fitted_class)]
        clips = torch.from_numpy(waveforms[rows])
        return representation.fit(clips.to(self._device)).to(self._device)

    def _waveforms(self, dataset: Dataset, rate: int) -> Waveforms:
        key = self.keys.clips(dataset, rate)
        stored = self.store.get(key)
        if stored is None:
            stored = self.store.put(key, {}, {"waveforms": dataset.waveforms(self.root, rate)})
        return stored.arrays()["waveforms"]  # type: ignore[return-value]


def _batches(waveforms: Waveforms) -> Iterator[Waveforms]:
    for start in range(0, len(waveforms), BATCH):
        yield waveforms[start : start + BATCH]


def _augmented(
    augmentation: Augmentation, batches: Iterator[Waveforms], rate: int, seed: object
) -> Iterator[Waveforms]:
    """The copies of each batch, copy after copy, drawn from the batch's own generator."""
    for number, batch in enumerate(batches):
        generator = np.random.default_rng(seed_from([seed, number]))
        copies = augmentation.augment(batch, rate, generator)
        if copies.shape != (augmentation.copies, *batch.shape):
            raise ValueError(
                f"{augmentation.id} made copies {copies.shape} of {batch.shape} where it promised "
                f"{augmentation.copies} of each"
            )
        yield copies.astype(np.float32, copy=False).reshape(-1, batch.shape[1])


def _copy_after_copy(inputs: torch.Tensor, clips: int, copies: int) -> torch.Tensor:
    """Inputs in the order of batches, each with all its copies, in the order of copies, each with all clips."""
    order = np.concatenate(
        [
            np.arange(start, min(start + BATCH, clips)) + copy * clips
            for start in range(0, clips, BATCH)
            for copy in range(copies)
        ]
    )
    return inputs[torch.from_numpy(np.argsort(order)).to(inputs.device)]
