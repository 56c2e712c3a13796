"""A bonafide/spoof set from anybody's recordings of speech."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import ClipIndex, DataError, OwnAudio

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

# What the transformations were made for, Hz. Originals pass through it, too: a band that copies lack would give
# them away.
RATE = 16000


@dataclass(frozen=True)
class SpoofedSpeech(OwnAudio):
    """Recordings of speech (class bonafide) and transformed copies of them (class spoof).

    All WAV, FLAC or Ogg files below `PATH` in the data folder, in folders or not. Each becomes a bonafide clip and
    `copies` spoof clips, each by a transformation of `spoof-augmentation` that is drawn from the seed and the
    file's name, so that other files do not change it. Clips of one recording or speaker share a group: copies
    never cross from one part of a split into another. Everything is heard at 16 kHz first.
    """

    id: ClassVar[str] = "spoofed-speech"
    seconds: Annotated[float, Field(ge=0.25, le=60, description="length that clips are cut or padded to, s")] = 1.0
    seed: Annotated[int, Field(ge=0, description="of all transformations")] = 0
    copies: Annotated[int, Field(ge=1, le=100, description="spoof clips for each recording")] = 1
    transformations: Annotated[
        tuple[str, ...], Field(description="names of those that a copy's is drawn from; none means all")
    ] = ()

    def __post_init__(self) -> None:
        from soundproof_defenses.spoof_augmentation import check_names

        super().__post_init__()
        if self.transformations:
            check_names(self.transformations)

    def index(self, root: Path) -> ClipIndex:
        """Recordings sorted by path, each followed by its copies; there are no folds."""
        import numpy as np

        from soundproof.data.audio import checksum, hashes

        files = self._files(root)
        groups = self.group_names(files)
        sha256 = hashes(files)
        self.check_doubles(files, sha256, groups)
        recordings = [file.relative_to(root / self.path).as_posix() for file in files]
        names = tuple(
            name
            for recording in recordings
            for name in (
                recording,
                *(f"{recording}#{n}-{self._drawn(recording, n)[0]}" for n in range(self.copies)),
            )
        )
        index = ClipIndex(
            names=names,
            labels=np.tile(np.array([0] + [1] * self.copies, dtype=np.int64), len(files)),
            groups=np.repeat(np.unique(groups, return_inverse=True)[1].astype(np.int64), 1 + self.copies),
            folds=None,
            classes=("bonafide", "spoof"),
            checksum="",
        )
        content = {"files": dict(zip(recordings, sha256, strict=True)), "seed": self.seed, "seconds": self.seconds}
        return replace(index, checksum=checksum(content, index))

    def waveforms(self, root: Path, rate: int) -> npt.NDArray[np.float32]:
        """All clips in the order of `index`."""
        import numpy as np

        from soundproof.data.audio import read, resample
        from soundproof_defenses._spoof_table import transformed

        files = self._files(root)
        recordings = read(files, RATE, self.sample_count(RATE))
        clips = np.repeat(recordings, 1 + self.copies, axis=0)
        for row, (file, recording) in enumerate(zip(files, recordings, strict=True)):
            for number in range(self.copies):
                name, generator = self._drawn(file.relative_to(root / self.path).as_posix(), number)
                copy = transformed(name, recording, RATE, generator)
                clips[row * (1 + self.copies) + 1 + number] = copy
        return resample(clips, RATE, rate, self.sample_count(rate))

    def _drawn(self, recording: str, number: int) -> tuple[str, np.random.Generator]:
        """The transformation of a recording's copy, and what its parameters are drawn from."""
        import numpy as np

        from soundproof_defenses._spoof_table import TRANSFORMATIONS

        generator = np.random.default_rng([self.seed, number, *recording.encode()])
        return str(generator.choice(self.transformations or tuple(TRANSFORMATIONS))), generator

    def _files(self, root: Path) -> list[Path]:
        """All audio files, sorted; raises DataError if there are too few."""
        from soundproof.data.audio import SUFFIXES

        problems: list[str] = []
        found = self.audio_below(root, problems)
        if not (found or problems):
            problems.append(
                f"{root / self.path}: holds no {', '.join(sorted(SUFFIXES))} file; add recordings of speech"
            )
        if problems:
            raise DataError(problems)
        return found
