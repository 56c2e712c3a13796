"""SC09: the digits of Speech Commands (Warden, arXiv 1804.03209; Donahue et al., arXiv 1802.04208)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soundproof import ClipIndex, Download
from soundproof_datasets._published import Clip, Published, Survey
from soundproof_datasets._tables import read_words

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEST = 0
PARTS = {"train": ClipIndex.TRAINING, "valid": ClipIndex.VALIDATION, "test": TEST}
LISTS = {"validation_list.txt": ClipIndex.VALIDATION, "testing_list.txt": TEST}
_MARK = "_nohash_"
_REMEDY = "unpack the original archive there again"


@dataclass(frozen=True)
class SC09(Published):
    """SC09: 23666 spoken digits of up to 1 s at 16 kHz, 10 classes (CC BY 4.0).

    Reads both layouts: the folders `zero` to `nine` and the two lists of the Speech Commands archive (version
    0.01), or `{train,valid,test}/Word_*.wav` as repacked for WaveGAN. The scheme `official` has one fold: the
    published test list, with the published validation list. A group is a speaker where file names tell
    (`SPEAKER_nohash_TAKE`); other clips are groups of their own, and only `official` keeps speakers apart then.
    """

    id: ClassVar[str] = "sc09"
    folder: ClassVar[str] = "sc09"
    licence: ClassVar[str] = "CC BY 4.0"
    homepage: ClassVar[str] = "https://arxiv.org/abs/1804.03209"
    downloads: ClassVar[tuple[Download, ...]] = (
        Download(
            url="https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v0.01.tar.gz",
            size=1_489_096_277,
            checksum="sha256:743935421bb51cccdb6bdd152e04c5c70274e935c82119ad7faeec31780d811d",
            into="sc09",
        ),
    )
    class_sizes: ClassVar[tuple[int, ...]] = (2376, 2370, 2373, 2356, 2372, 2357, 2369, 2377, 2352, 2364)
    # Validation, training, test.
    fold_sizes: ClassVar[tuple[int, ...]] = (2494, 18620, 2552)
    fold_numbers: ClassVar[tuple[int, ...]] = (ClipIndex.VALIDATION, ClipIndex.TRAINING, 0)
    native_rate: ClassVar[int | None] = 16_000

    @property
    def seconds(self) -> float:
        """The longest clip; shorter ones are padded."""
        return 1.0

    def survey(self, folder: Path) -> Survey:
        """Whichever of the two layouts is there."""
        repacked = any((folder / part).is_dir() for part in PARTS)
        return _repacked(folder) if repacked else _original(folder)

    def beside(self, folder: Path) -> set[str]:
        """Repacked clips of another name: the survey has told of them."""
        return {f"{part}/{file.name}" for part in PARTS for file in (folder / part).glob("*.wav")}


def _repacked(folder: Path) -> Survey:
    found = Survey(CLASSES, folders=tuple(PARTS))
    words = ", ".join(digit.title() for digit in CLASSES)
    for part, fold in PARTS.items():
        names = _names(folder / part, found.problems)
        for name in names:
            word, _, rest = name.partition("_")
            if word.lower() not in CLASSES or not rest:
                found.problems.append(
                    f"{folder / part / name}: not named WORD_ID.wav with a word of {words}; remove it"
                )
                continue
            path = f"{part}/{name}"
            found.clips.append(Clip(path, path, CLASSES.index(word.lower()), _speaker(rest, path), fold))
    found.clips.sort()
    return found


def _original(folder: Path) -> Survey:
    found = Survey(CLASSES, folders=CLASSES)
    folds: dict[str, int] = {}
    for file, fold in LISTS.items():
        listed = [path for path in _listed(folder / file, found.problems) if path.partition("/")[0] in CLASSES]
        found.problems += [
            f"{folder / path}: listed in both of {' and '.join(LISTS)}; {_REMEDY}"
            for path in listed
            if path in folds
        ]
        folds |= dict.fromkeys(listed, fold)
    there = [f"{word}/{name}" for word in CLASSES for name in _names(folder / word, found.problems)]
    # What is listed and not there stays: reading tells that it is missing.
    for path in sorted({*there, *folds}):
        word, _, name = path.partition("/")
        fold = folds.get(path, ClipIndex.TRAINING)
        found.clips.append(Clip(path, path, CLASSES.index(word), _speaker(name, path), fold))
    return found


def _listed(path: Path, problems: list[str]) -> list[str]:
    def parse(cells: list[str]) -> str:
        word, slash, name = cells[0].partition("/")
        if not (slash and name.endswith(".wav")) or "/" in name or "\\" in name or word.startswith("."):
            raise ValueError(f"{cells[0]!r} is not WORD/NAME.wav")
        return cells[0]

    return read_words(path, 1, parse, problems, _REMEDY)


def _names(folder: Path, problems: list[str]) -> list[str]:
    if not folder.is_dir():
        problems.append(f"{folder}: missing; {_REMEDY}")
        return []
    return sorted(file.name for file in folder.glob("*.wav") if not file.name.startswith("."))


def _speaker(name: str, path: str) -> str:
    speaker, mark, _ = name.partition(_MARK)
    return speaker if mark else path
