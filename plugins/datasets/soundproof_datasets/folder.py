"""Anybody's own audio: a folder of class folders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import ClipIndex, DataError, OwnAudio

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Folder(OwnAudio):
    """A folder of class folders with WAV, FLAC or Ogg files.

    `PATH/CLASS/*.wav` below the data folder; classes are numbered in the order of their names. Channels are
    averaged, clips are resampled and cut or padded to one length. Hidden files and other files are ignored.
    """

    id: ClassVar[str] = "folder"
    seconds: Annotated[float, Field(ge=0.05, le=600, description="length that clips are cut or padded to, s")] = (
        5.0
    )
    rate: Annotated[
        int | None, Field(ge=1, description="sampling rate that all files must have, Hz; none accepts any")
    ] = None

    def index(self, root: Path) -> ClipIndex:
        """All clips, class by class, sorted by file name; there are no folds."""
        import numpy as np

        from soundproof.data.audio import checksum, hashes

        folder = root / self.path
        files = self._files(root)
        groups = self.group_names(files)
        sha256 = hashes(files, expected_rate=self.rate)
        self.check_doubles(files, sha256, groups)
        names = tuple(file.relative_to(folder).as_posix() for file in files)
        classes = sorted({file.parent.name for file in files})
        index = ClipIndex(
            names=names,
            labels=np.array([classes.index(file.parent.name) for file in files], dtype=np.int64),
            groups=np.unique(groups, return_inverse=True)[1].astype(np.int64),
            folds=None,
            classes=tuple(classes),
            checksum="",
        )
        return replace(index, checksum=checksum(dict(zip(names, sha256, strict=True)), index))

    def waveforms(self, root: Path, rate: int) -> npt.NDArray[np.float32]:
        """All clips in the order of `index`."""
        from soundproof.data.audio import read

        return read(self._files(root), rate, self.sample_count(rate), expected_rate=self.rate)

    def _files(self, root: Path) -> list[Path]:
        """All audio files, sorted; raises DataError if they make no data set."""
        from soundproof.data.audio import SUFFIXES

        problems: list[str] = []
        found = {folder: self.audio_in(folder, problems) for folder in self.folders(root, problems)}
        problems += [
            f"{entry}: holds no {', '.join(sorted(SUFFIXES))} file; add clips, or remove the class folder"
            for entry, files in found.items()
            if not files
        ]
        if len(found) < 2:
            problems.append(f"{root / self.path}: holds {len(found)} class folders; it takes at least two")
        if problems:
            raise DataError(problems)
        return [file for files in found.values() for file in files]
