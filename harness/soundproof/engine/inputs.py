"""From audio to what classifiers see: decoding, augmenting and representing clips, each kept in the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.contract.identity import coordinate
from soundproof.data.checks import read_waveforms
from soundproof.data.resampling import resampled
from soundproof.digest import seed_from
from soundproof.errors import DataError
from soundproof.measuring.recordings import Recordings
from soundproof.planning.graph import Clips
from soundproof.types import Examples, Sounds, Surface, TrainingData
from soundproof.victim.hearing import Boxed, boxed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    from torch import nn

    from soundproof.contract.components import Augmentation
    from soundproof.engine.workshop import Workshop
    from soundproof.measuring.classifier import Trained
    from soundproof.measuring.protocols.base import Cell
    from soundproof.planning.graph import Inputs

    Waveforms = npt.NDArray[np.float32]

# Clips that are augmented and represented at once.
BATCH = 64


@dataclass(eq=False)
class InputMaker:
    """Makes classifiers' inputs, through the store.

    Attributes:
        workshop: What they are made with.
    """

    workshop: Workshop
    _memory: dict[Trained, torch.Tensor] = field(default_factory=dict)
    _recordings: dict[Trained, Recordings] = field(default_factory=dict)

    def decode(self, cells: Sequence[Cell]) -> None:
        """Decode all audio that cells need, before the first of them runs.

        Raises:
            DataError: Audio is missing or damaged; it lists every file of every data set.
        """
        needed = dict.fromkeys(node for node in self.workshop.plan.graph.order(cells) if isinstance(node, Clips))
        problems: dict[str, None] = {}
        for clips in sorted(needed, key=lambda node: (node.dataset.id, node.rate)):
            try:
                self._waveforms(clips)
            except DataError as error:
                problems |= dict.fromkeys(f"{clips.dataset.id}: {problem}" for problem in error.problems)
        if problems:
            raise DataError(list(problems))

    def forget(self) -> None:
        """Free what is held in memory."""
        self._memory.clear()
        self._recordings.clear()

    def examples(self, trained: Trained, rows: npt.NDArray[np.int64]) -> Examples:
        """Inputs and labels of some rows of the plan's index, on the device."""
        labels = self.workshop.plan.indexes[trained.dataset].labels[rows]
        inputs = self._all(trained)[torch.from_numpy(rows).to(self.workshop.device)]
        return Examples(inputs, torch.from_numpy(labels).to(self.workshop.device))

    def heard(self, trained: Trained, rows: npt.NDArray[np.int64]) -> Examples:
        """Sound and labels of some original clips, as attacks on the sound see them: `[n, 1, T]` in [0, 1]."""
        plan, device = self.workshop.plan, self.workshop.device
        waveforms = self._waveforms(Clips(trained.dataset, trained.representation.rate))
        labels = torch.from_numpy(plan.indexes[trained.dataset].labels[rows])
        # In double precision, so that one rounding is all that samples lose.
        samples = torch.from_numpy(waveforms[rows]).double()
        return Examples(boxed(samples).float().to(device), labels.to(device))

    def representation(self, trained: Trained) -> nn.Module:
        """What makes a classifier's inputs of sound, `[n, T]` in [-1, 1]."""
        return self._transform(self.workshop.plan.graph.inputs(trained)[0])

    def moved(
        self, examples: torch.Tensor, source: Trained, target: Trained, rows: npt.NDArray[np.int64]
    ) -> torch.Tensor:
        """Examples of clips at the source's sampling rate, `[n, 1, T]`, as they sound at the target's.

        Between two rates it is the change that is resampled, and added to the clip as the target hears it: the
        attacker plays the whole recording, whatever part of it the source hears.
        """
        native, rate = source.representation.rate, target.representation.rate
        if native == rate:
            return examples
        change = 2 * (examples - self.heard(source, rows).inputs)[:, 0]
        clean = self.heard(target, rows).inputs
        there = resampled(change.cpu().numpy(), native, rate, clean.shape[-1])
        return (clean + torch.from_numpy(there / 2)[:, None].to(clean.device)).clamp(0, 1)

    def recordings(self, trained: Trained) -> Recordings:
        """The sound of the test clips, and the way from there to what attacks change and back."""
        if trained not in self._recordings:
            stage = self.workshop.plan.graph.inputs(trained)[0]
            waveforms = self._waveforms(_clips(stage))[self.workshop.plan.test(trained)]
            sounds = torch.from_numpy(np.ascontiguousarray(waveforms)).to(self.workshop.device)
            heard = self.workshop.plan.surface is Surface.WAVEFORM
            module = Boxed() if heard else self._transform(stage)
            self._recordings[trained] = Recordings(trained.representation.rate, sounds, module)
        return self._recordings[trained]

    def training_data(self, trained: Trained) -> TrainingData:
        """Data that a classifier and its defense may learn from."""
        plan = self.workshop.plan
        split = plan.splits[trained.dataset, trained.fold]
        stage = plan.graph.inputs(trained)[0]

        def originals(rows: npt.NDArray[np.int64]) -> Waveforms:
            waveforms = self._waveforms(_clips(stage))
            return waveforms[rows[rows < len(waveforms)]]

        return TrainingData(
            train=self.examples(trained, split.train),
            validation=self.examples(trained, split.validation),
            classes=plan.classes(trained),
            names=plan.indexes[trained.dataset].classes,
            sounds=Sounds(
                rate=trained.representation.rate,
                waveforms=lambda: originals(split.train),
                validation=lambda: originals(split.validation),
                represent=lambda waveforms: self._represented(stage, _batches(waveforms)),
            ),
        )

    def _all(self, trained: Trained) -> torch.Tensor:
        """Inputs of every clip of the data set and of every augmented copy, `[N, ...]`."""
        if trained not in self._memory:
            stages = self.workshop.plan.graph.inputs(trained)
            self._memory[trained] = torch.cat([self._stage(stage) for stage in stages])
        return self._memory[trained]

    def _stage(self, stage: Inputs) -> torch.Tensor:
        """Inputs of all clips, or of one augmentation's copies of them, copy after copy."""
        made = self.workshop.made(stage, lambda: ({}, {"inputs": self._make(stage)}))
        return made.tensors(self.workshop.device)["inputs"]

    def _make(self, stage: Inputs) -> torch.Tensor:
        representation, augmentation = stage.representation, stage.augmentation
        waveforms = self._waveforms(_clips(stage))
        batches = _batches(waveforms)
        if augmentation is None:
            inputs = self._represented(stage, batches)
        else:
            seed = [coordinate(stage.dataset), coordinate(augmentation)]
            copied = _augmented(augmentation, batches, representation.rate, seed)
            inputs = self._represented(stage, copied)
            inputs = _copy_after_copy(inputs, len(waveforms), augmentation.copies)
        copies = augmentation.copies if augmentation else 1
        expected = (len(waveforms) * copies, *representation.shape(waveforms.shape[1]))
        if tuple(inputs.shape) != expected:
            raise ValueError(f"{representation.id} made inputs {tuple(inputs.shape)} where it promised {expected}")
        if not torch.isfinite(inputs).all() or inputs.min() < 0 or inputs.max() > 1:
            raise ValueError(f"{representation.id} made values outside of [0, 1]")
        return inputs

    def _represented(self, stage: Inputs, batches: Iterator[Waveforms]) -> torch.Tensor:
        transform, device = self._transform(stage), self.workshop.device
        # Not in inference mode: defenses may train on what this returns.
        with torch.no_grad():
            return torch.cat([transform(torch.from_numpy(batch).to(device)).float() for batch in batches])

    def _transform(self, stage: Inputs) -> nn.Module:
        """The representation; a fitted one sees the original clips of the training part, or those of one class."""
        waveforms, device = self._waveforms(_clips(stage)), self.workshop.device
        rows = np.zeros(0, np.int64)
        if stage.fold is not None:
            train = self.workshop.plan.splits[stage.dataset, stage.fold].train
            rows = train[train < len(waveforms)]
            if stage.representation.fitted_class is not None:
                index = self.workshop.plan.indexes[stage.dataset]
                rows = rows[index.labels[rows] == index.classes.index(stage.representation.fitted_class)]
        return stage.representation.fit(torch.from_numpy(waveforms[rows]).to(device)).to(device)

    def _waveforms(self, clips: Clips) -> Waveforms:
        made = self.workshop.made(clips, lambda: ({}, {"waveforms": self._decoded(clips)}))
        return made.arrays()["waveforms"]  # type: ignore[return-value]

    def _decoded(self, clips: Clips) -> Waveforms:
        index = self.workshop.plan.originals(clips.dataset)
        return read_waveforms(clips.dataset, self.workshop.root, clips.rate, index)


def _clips(stage: Inputs) -> Clips:
    return Clips(stage.dataset, stage.representation.rate)


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
