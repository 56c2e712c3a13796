"""Base of the data sets that are published as files: they differ only in how they find their clips."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeVar

from soundproof import AbsentError, ClipIndex, DataError, Dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

_Result = TypeVar("_Result")


class Clip(NamedTuple):
    """One clip of a data set.

    Attributes:
        name: As in the index.
        path: Of its file, below the data set's folder, with slashes.
        label: An index into the classes.
        group: Names the recording or the speaker.
        fold: As in the index.
    """

    name: str
    path: str
    label: int
    group: str | int
    fold: int


@dataclass
class Survey:
    """Survey of a data set: what the names of files and the tables beside them tell of it.

    Attributes:
        classes: The class names.
        clips: All clips, sorted by name, also those whose file turns out to be missing.
        folders: Where they lie, below the data set's folder.
        problems: What is wrong, a line each.
        partial: Whether what is wrong is that another distribution is there, which lacks whole classes.
    """

    classes: tuple[str, ...]
    clips: list[Clip] = field(default_factory=list)
    folders: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)
    partial: bool = False


@dataclass(frozen=True)
class Published(Dataset):
    """Clips in one file each, found by a survey.

    Attributes:
        native_rate: The sampling rate of all files, Hz; None where it varies.
    """

    native_rate: ClassVar[int | None] = None

    @abstractmethod
    def survey(self, folder: Path) -> Survey:
        """Find the clips below the data set's folder, without opening audio files."""

    def index(self, root: Path) -> ClipIndex:
        """All clips, sorted by name; what groups and folds are stands at the class."""
        import numpy as np

        from soundproof.data.audio import checksum, hashes

        survey, sha256 = self._read(root, lambda files: hashes(files, expected_rate=self.native_rate))
        clips = survey.clips
        index = ClipIndex(
            names=tuple(clip.name for clip in clips),
            labels=np.array([clip.label for clip in clips], dtype=np.int64),
            groups=_joined(
                np.unique([clip.group for clip in clips], return_inverse=True)[1].astype(np.int64), sha256
            ),
            folds=np.array([clip.fold for clip in clips], dtype=np.int64),
            classes=survey.classes,
            checksum="",
        )
        return replace(index, checksum=checksum(dict(zip(index.names, sha256, strict=True)), index))

    def waveforms(self, root: Path, rate: int) -> npt.NDArray[np.float32]:
        """All clips in the order of `index`."""
        from soundproof.data.audio import read

        samples = self.sample_count(rate)
        return self._read(root, lambda files: read(files, rate, samples, expected_rate=self.native_rate))[1]

    def unexpected(self, root: Path) -> list[str]:
        """Audio files among the clips that neither names nor tables account for, below the data set's folder."""
        from soundproof.data.audio import SUFFIXES

        folder = root / self.folder
        survey = self.survey(folder)
        known = {clip.path for clip in survey.clips} | self.beside(folder)
        found = {
            file.relative_to(folder).as_posix()
            for place in survey.folders
            for file in (folder / place).rglob("*")
            if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
        }
        return sorted(found - known)

    def beside(self, folder: Path) -> set[str]:  # noqa: ARG002
        """Paths of audio files that belong to the publication and are no clips of this data set."""
        return set()

    def _read(self, root: Path, work: Callable[[list[Path]], _Result]) -> tuple[Survey, _Result]:
        """Survey, then work on all files; raises what was wrong with either as one DataError."""
        folder = root / self.folder
        if not folder.is_dir():
            raise AbsentError(
                f"{folder}: no such folder; get it with `bench data fetch {self.id}` or from {self.homepage}, "
                "or name the data folder with --data"
            )
        survey = self.survey(folder)
        problems = list(survey.problems)
        held = Counter((folder / clip.path).parent for clip in survey.clips)
        absent = {parent for parent in held if not parent.is_dir()}
        # Hundreds of lines would say no more.
        problems += [
            f"{parent}: missing, with {held[parent]} clips; restore it from the original distribution"
            for parent in sorted(absent)
        ]
        files = [folder / clip.path for clip in survey.clips]
        result = None
        try:
            result = work([file for file in files if file.parent not in absent])
        except DataError as error:
            problems += error.problems
        if not (problems or files):
            problems.append(f"{folder}: holds no clips; {_REMEDY}")
        if problems:
            raise (AbsentError if survey.partial else DataError)(problems)
        assert result is not None
        return survey, result


def _joined(groups: npt.NDArray[np.int64], sha256: Sequence[str]) -> npt.NDArray[np.int64]:
    """The groups, those that hold copies of one file made one: a copy elsewhere would test what was trained on."""
    import numpy as np

    content, copies = np.unique(sha256, return_inverse=True, return_counts=True)[1:]
    joined = groups
    for number in np.flatnonzero(copies > 1):
        # Earlier rounds may have joined some of them already.
        members = np.unique(joined[content == number])
        joined = np.where(np.isin(joined, members), members[0], joined)
    if joined is groups:
        return groups
    return np.unique(joined, return_inverse=True)[1].astype(np.int64)


_REMEDY = "restore it from the original distribution"
