"""ESC-50 and its subset ESC-10: environmental sound classification (Piczak, ACM Multimedia 2015)."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from soundproof import ClipIndex, DataError, Dataset

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

COLUMNS = ("filename", "fold", "target", "category", "esc10", "src_file", "take")
ESC10_TARGETS = (0, 1, 10, 11, 12, 20, 21, 38, 40, 41)
ALL_TARGETS = tuple(range(50))
FOLDS = (1, 2, 3, 4, 5)
CLIPS_A_FOLD = 8
RATE = 44_100
_SHOWN = 3
_REMEDY = "unpack https://github.com/karolpiczak/ESC-50 there again"


class _Clip(NamedTuple):
    """One row of `meta/esc50.csv`."""

    filename: str
    fold: int
    target: int
    category: str
    source: int


@dataclass(frozen=True)
class _ESC(Dataset):
    """What both have in common: the layout `ESC-50-master/{audio,meta}` below the data folder."""

    title: ClassVar[str]
    targets: ClassVar[tuple[int, ...]]

    @property
    def seconds(self) -> float:
        """Every clip was cut or padded to five seconds by the publisher."""
        return 5.0

    def index(self, root: Path) -> ClipIndex:
        """All clips, sorted by file name; a group is a Freesound recording, folds are the publisher's."""
        import numpy as np

        from soundproof.audio import checksum, hashes

        clips = self._clips(root)
        sha256 = hashes(self._files(root, clips), expected_rate=RATE)
        _, labels = np.unique([clip.target for clip in clips], return_inverse=True)
        _, groups = np.unique([clip.source for clip in clips], return_inverse=True)
        index = ClipIndex(
            names=tuple(clip.filename for clip in clips),
            labels=labels.astype(np.int64),
            groups=groups.astype(np.int64),
            folds=np.array([clip.fold for clip in clips], dtype=np.int64),
            classes=tuple(dict(sorted((clip.target, clip.category) for clip in clips)).values()),
            checksum="",
        )
        return replace(index, checksum=checksum(dict(zip(index.names, sha256, strict=True)), index))

    def waveforms(self, root: Path, rate: int) -> npt.NDArray[np.float32]:
        """All clips in the order of `index`."""
        from soundproof.audio import read

        files = self._files(root, self._clips(root))
        return read(files, rate, self.sample_count(rate), expected_rate=RATE)

    def _files(self, root: Path, clips: Iterable[_Clip]) -> list[Path]:
        return [root / "ESC-50-master" / "audio" / clip.filename for clip in clips]

    def _clips(self, root: Path) -> list[_Clip]:
        """The clips of this data set, sorted by file name; raises DataError if any is missing."""
        listed = _read_table(root / "ESC-50-master" / "meta" / "esc50.csv")
        clips = sorted(clip for clip in listed if clip.target in self.targets)
        there = Counter((clip.target, clip.fold) for clip in clips)
        expected = {(target, fold) for target in self.targets for fold in FOLDS}
        unlisted = sum(max(0, CLIPS_A_FOLD - there[cell]) for cell in expected)
        absent = [str(f.name) for f in self._files(root, clips) if not f.exists()]
        if not (unlisted or absent):
            return clips
        reasons = []
        if absent:
            more = f" and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else ""
            reasons.append(f"no {', '.join(absent[:_SHOWN])}{more} in audio")
        if unlisted:
            short = [t for t in self.targets if sum(there[t, fold] for fold in FOLDS) < CLIPS_A_FOLD * len(FOLDS)]
            shown = ", ".join(map(str, short[:_SHOWN]))
            reasons.append(f"{unlisted} not listed in meta/esc50.csv, e.g. of targets {shown}")
        hint = ", or use esc10" if self.targets == ALL_TARGETS else ""
        raise DataError(
            f"{root / 'ESC-50-master'}: {unlisted + len(absent)} of the {CLIPS_A_FOLD * len(expected)} clips of "
            f"{self.title} are missing ({'; '.join(reasons)}); {_REMEDY}{hint}"
        )


@dataclass(frozen=True)
class ESC10(_ESC):
    """ESC-10: 400 environmental clips of 5 s, 10 classes, 5 folds (CC BY 3.0).

    Labels are the subset's ESC-50 targets renumbered in ascending order.
    """

    id: ClassVar[str] = "esc10"
    title: ClassVar[str] = "ESC-10"
    targets: ClassVar[tuple[int, ...]] = ESC10_TARGETS


@dataclass(frozen=True)
class ESC50(_ESC):
    """ESC-50: 2000 environmental clips of 5 s, 50 classes, 5 folds (CC BY-NC 3.0)."""

    id: ClassVar[str] = "esc50"
    title: ClassVar[str] = "ESC-50"
    targets: ClassVar[tuple[int, ...]] = ALL_TARGETS


def _read_table(path: Path) -> list[_Clip]:
    """All rows of `meta/esc50.csv`; raises DataError with every row that is not as published."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = list(csv.reader(file)) or [[]]
    except FileNotFoundError as error:
        raise DataError(f"{path}: missing; {_REMEDY}, or name the data folder with --data") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a readable CSV file ({error}); {_REMEDY}") from error
    if tuple(header) != COLUMNS:
        raise DataError(f"{path}: its header is {','.join(header)!r}, not {','.join(COLUMNS)!r}; {_REMEDY}")
    clips: list[_Clip] = []
    problems: list[str] = []
    for number, row in enumerate(rows, start=2):
        try:
            clips.append(_parse(row))
        except ValueError as error:
            problems.append(f"{path}:{number}: {error}; {_REMEDY}")
    repeated = [name for name, times in Counter(clip.filename for clip in clips).items() if times > 1]
    problems += [f"{path}: {name} is listed more than once; {_REMEDY}" for name in repeated]
    for target, names in Counter(target for target, _ in {(c.target, c.category) for c in clips}).items():
        if names > 1:
            problems.append(f"{path}: target {target} has {names} different categories; {_REMEDY}")
    if problems:
        raise DataError(problems)
    return clips


def _parse(row: list[str]) -> _Clip:
    """One row; raises ValueError if it contradicts itself or the published layout."""
    if len(row) != len(COLUMNS):
        raise ValueError(f"{len(row)} columns, not {len(COLUMNS)}")
    filename, fold, target, category, esc10, source, take = row
    for name, text in (("fold", fold), ("target", target), ("src_file", source)):
        if not (text.isascii() and text.isdecimal()):
            raise ValueError(f"{name} is {text!r}, not a number")
    if int(fold) not in FOLDS or int(target) not in ALL_TARGETS:
        raise ValueError(f"fold {fold} and target {target} are not in 1 to 5 and 0 to 49")
    if esc10 != str(int(target) in ESC10_TARGETS):
        raise ValueError(f"esc10 is {esc10!r} for target {target}")
    if not category or not take.isalpha():
        raise ValueError(f"category {category!r} and take {take!r} are not a name and a letter")
    if filename != f"{fold}-{source}-{take}-{target}.wav":
        raise ValueError(f"the file name {filename!r} does not fit the other columns")
    return _Clip(filename, int(fold), int(target), category, int(source))
