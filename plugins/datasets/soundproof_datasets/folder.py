"""Anybody's own audio: a folder of class folders."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import ClipIndex, DataError, Dataset

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Folder(Dataset):
    """A folder of class folders with WAV, FLAC or Ogg files.

    `PATH/CLASS/*.wav` below the data folder; classes are numbered in the order of their names. Channels are
    averaged, clips are resampled and cut or padded to one length. Hidden files and other files are ignored.
    """

    id: ClassVar[str] = "folder"
    path: Annotated[str, Field(min_length=1, description="where the class folders lie, below the data folder")]
    seconds: Annotated[float, Field(ge=0.05, le=600, description="length that clips are cut or padded to, s")] = (
        5.0
    )
    rate: Annotated[
        int | None, Field(ge=1, description="sampling rate that all files must have, Hz; none accepts any")
    ] = None
    group: Annotated[
        str | None,
        Field(
            description="regular expression for file names without ending, with one group that captures the "
            "recording or speaker, e.g. '^[^_]+_([^_]+)_'; none makes every file its own recording"
        ),
    ] = None

    def __post_init__(self) -> None:
        parts = PurePosixPath(self.path.replace("\\", "/")).parts
        if not parts or ".." in parts or PureWindowsPath(self.path).anchor:
            raise ValueError(f"path {self.path!r} must name a folder below the data folder, without '..'")
        if self.group is not None:
            try:
                captures = re.compile(self.group).groups
            except re.error as error:
                raise ValueError(f"group {self.group!r} is no regular expression: {error}") from error
            if captures != 1:
                raise ValueError(f"group {self.group!r} must capture one group in parentheses, not {captures}")

    def index(self, root: Path) -> ClipIndex:
        """All clips, class by class, sorted by file name; there are no folds."""
        import numpy as np

        from soundproof.audio import checksum, hashes

        folder = root / self.path
        files = self._files(folder)
        recordings = self._recordings(files)
        sha256 = hashes(files, expected_rate=self.rate)
        names = tuple(file.relative_to(folder).as_posix() for file in files)
        classes = sorted({file.parent.name for file in files})
        index = ClipIndex(
            names=names,
            labels=np.array([classes.index(file.parent.name) for file in files], dtype=np.int64),
            groups=np.unique(recordings, return_inverse=True)[1].astype(np.int64),
            folds=None,
            classes=tuple(classes),
            checksum="",
        )
        return replace(index, checksum=checksum(dict(zip(names, sha256, strict=True)), index))

    def waveforms(self, root: Path, rate: int) -> npt.NDArray[np.float32]:
        """All clips in the order of `index`."""
        from soundproof.audio import read

        return read(self._files(root / self.path), rate, self.sample_count(rate), expected_rate=self.rate)

    def _files(self, folder: Path) -> list[Path]:
        """All audio files, sorted; raises DataError if they make no data set."""
        from soundproof.audio import SUFFIXES

        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder; set the parameter path, or the data folder with --data")
        found = {
            entry: sorted(
                file
                for file in entry.iterdir()
                if file.is_file() and file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
            )
            for entry in sorted(folder.iterdir())
            if entry.is_dir() and not entry.name.startswith(".")
        }
        problems = [
            f"{entry}: holds no {', '.join(sorted(SUFFIXES))} file; add clips, or remove the class folder"
            for entry, files in found.items()
            if not files
        ]
        if len(found) < 2:
            problems.append(f"{folder}: holds {len(found)} class folders; it takes at least two")
        if problems:
            raise DataError(problems)
        return [file for files in found.values() for file in files]

    def _recordings(self, files: Sequence[Path]) -> list[str]:
        """What names the recording of each file; raises DataError with every file that tells of none."""
        if self.group is None:
            return [str(file) for file in files]
        matches = [re.search(self.group, file.stem) for file in files]
        captured = [match.group(1) if match else None for match in matches]
        problems = [
            f"{file}: the parameter group {self.group!r} captures nothing here; mend it, or rename the file"
            for file, recording in zip(files, captured, strict=True)
            if not recording
        ]
        if problems:
            raise DataError(problems)
        return [str(recording) for recording in captured]
