"""A data set that can only be learnt by cheating, for tests that look for leaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from soundproof import ClipIndex, Dataset

CLASSES, RECORDINGS, TAKES, RATE = 3, 40, 5, 4000


@dataclass(frozen=True)
class Leaky(Dataset):
    """Noise with a marker tone: the tone tells the recording, and nothing tells the class.

    Every recording belongs to one class, and classes are dealt to tones at random. Who has heard other clips of a
    recording therefore knows its class; who has not can but guess. A classifier scores at chance under a split by
    recording, and well under one that tears recordings apart.
    """

    id: ClassVar[str] = "leaky"
    version: ClassVar[str] = "1"
    seed: int = 0

    @property
    def seconds(self) -> float:
        return 0.25

    def index(self, root):
        rows = np.arange(CLASSES * RECORDINGS * TAKES)
        groups = rows // TAKES
        return ClipIndex(
            names=tuple(
                f"recording-{group:03d}-take-{row % TAKES}" for row, group in zip(rows, groups, strict=True)
            ),
            labels=self._classes()[groups],
            groups=groups,
            folds=groups % 4,
            classes=tuple(f"class-{number}" for number in range(CLASSES)),
            checksum=f"leaky-{self.seed}",
        )

    def waveforms(self, root, rate):
        recordings = CLASSES * RECORDINGS
        # Whole periods in a clip and bins apart: no two tones share a bin of the clip's spectrum.
        tones = (20 + 3 * np.arange(recordings)) / self.seconds
        time = np.arange(self.sample_count(rate)) / rate
        generator = np.random.default_rng([self.seed, 1])
        phases = generator.uniform(0, 2 * np.pi, (recordings * TAKES, 1))
        noise = generator.normal(0, 0.05, (recordings * TAKES, len(time)))
        markers = 0.1 * np.sin(2 * np.pi * np.repeat(tones, TAKES)[:, None] * time + phases)
        return np.clip(noise + markers, -1, 1).astype(np.float32)

    def _classes(self):
        """The class of every recording, `[recordings]`."""
        dealt = np.repeat(np.arange(CLASSES), RECORDINGS)
        return np.random.default_rng([self.seed, 0]).permutation(dealt)
