"""A bonafide/spoof set from anybody's recordings of speech."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Augmentation, ClipIndex, DataError, Kind, OwnAudio, Ref

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

    All WAV, FLAC or Ogg files below `PATH` in the data folder, in folders or not. Each becomes a bonafide clip;
    what `augmentation` makes of it, `copies` times, becomes spoof. The draws depend on the seed and the file's
    name, so that other files do not change them. Clips of one recording or speaker share a group: copies never
    cross from one part of a split into another. Everything is heard at 16 kHz first.

    Attributes:
        augmentation: Makes the spoofs.
    """

    id: ClassVar[str] = "spoofed-speech"
    seconds: Annotated[float, Field(ge=0.25, le=60, description="length that clips are cut or padded to, s")] = 1.0
    seed: Annotated[int, Field(ge=0, description="of all transformations")] = 0
    copies: Annotated[int, Field(ge=1, le=100, description="times that each recording is augmented")] = 1
    augmentation: Ref = field(default_factory=lambda: Ref(Kind.AUGMENTATION, "spoof"))

    def index(self, root: Path) -> ClipIndex:
        """Recordings sorted by path, each followed by its copies; there are no folds."""
        import numpy as np

        from soundproof.data.audio import checksum, hashes

        files = self._files(root)
        groups = self.group_names(files)
        sha256 = hashes(files)
        self.check_doubles(files, sha256, groups)
        recordings = self._names(files, root)
        spoofs = self.copies * self._augmentation.copies
        names = tuple(
            name
            for recording in recordings
            for name in (recording, *(f"{recording}#{number}" for number in range(spoofs)))
        )
        index = ClipIndex(
            names=names,
            labels=np.tile(np.array([0] + [1] * spoofs, dtype=np.int64), len(files)),
            groups=np.repeat(np.unique(groups, return_inverse=True)[1].astype(np.int64), 1 + spoofs),
            folds=None,
            classes=("bonafide", "spoof"),
            checksum="",
        )
        content = {
            "files": dict(zip(recordings, sha256, strict=True)),
            "augmentation": {"id": self.augmentation.id, **self.augmentation.parameters},
            "seed": self.seed,
            "seconds": self.seconds,
        }
        return replace(index, checksum=checksum(content, index))

    def waveforms(self, root: Path, rate: int) -> npt.NDArray[np.float32]:
        """All clips in the order of `index`."""
        import numpy as np

        from soundproof.data.audio import read, resample

        files = self._files(root)
        recordings = read(files, RATE, self.sample_count(RATE))
        clips = [
            part
            for name, recording in zip(self._names(files, root), recordings, strict=True)
            for part in (recording[None], *(self._spoofed(name, recording, n) for n in range(self.copies)))
        ]
        return resample(np.concatenate(clips), RATE, rate, self.sample_count(rate))

    def _spoofed(self, name: str, recording: npt.NDArray[np.float32], number: int) -> npt.NDArray[np.float32]:
        """The augmentation's copies of a recording `[T]`, drawn for the number-th time: `[copies, T]`."""
        import numpy as np

        generator = np.random.default_rng([self.seed, number, *name.encode()])
        return self._augmentation.augment(recording[None], RATE, generator)[:, 0]

    @property
    def _augmentation(self) -> Augmentation:
        """Augmentation that makes spoof of speech."""
        made = self.augmentation.component
        if not isinstance(made, Augmentation):
            raise TypeError(f"{self.id} was not built by the registry: give its augmentation's Ref a component")
        return made

    def _names(self, files: list[Path], root: Path) -> list[str]:
        """Files by their path below the folder."""
        return [file.relative_to(root / self.path).as_posix() for file in files]

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
