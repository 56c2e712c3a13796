"""ASVspoof 2019, logical access: synthesised and converted speech (Wang et al. 2020, arXiv 1911.01601)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import ClipIndex, Download
from soundproof_datasets._published import Clip, Published, Survey
from soundproof_datasets._tables import read_words

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = ("bonafide", "spoof")
TEST = 0
FOLDS = {"train": ClipIndex.TRAINING, "dev": ClipIndex.VALIDATION, "eval": TEST}
PROTOCOLS = "ASVspoof2019_LA_cm_protocols"
_ENDINGS = {"train": "train.trn", "dev": "dev.trl", "eval": "eval.trl"}
_REMEDY = "unpack LA.zip of https://doi.org/10.7488/ds/2555 there again"


@dataclass(frozen=True)
class ASVspoof2019LA(Published):
    """ASVspoof 2019 LA: 121461 utterances at 16 kHz, bona fide or spoofed (ODC-By 1.0).

    Reads the published layout, and `{train,dev,eval}/{bonafide,spoof}/*.flac` where there are no protocols. The
    scheme `official` has one fold: tested on `eval`, validated on `dev`. A group is the speaker that the protocol
    names; without protocols every clip is a group of its own, and only `official` keeps speakers apart then.
    """

    id: ClassVar[str] = "asvspoof2019-la"
    folder: ClassVar[str] = "LA"
    licence: ClassVar[str] = "ODC-By 1.0"
    homepage: ClassVar[str] = "https://doi.org/10.7488/ds/2555"
    downloads: ClassVar[tuple[Download, ...]] = (
        Download(
            url="https://datashare.ed.ac.uk/server/api/core/bitstreams/a9f87c35-f055-4015-80e2-2fdff0d46269/content",
            size=7_640_952_520,
            checksum="md5:30c98f11d8b2bc21f2c257bfd78bb5c5",
        ),
    )
    class_names: ClassVar[tuple[str, ...]] = CLASSES
    class_sizes: ClassVar[tuple[int, ...]] = (2580 + 2548 + 7355, 22_800 + 22_296 + 63_882)
    # Dev, train, eval.
    fold_sizes: ClassVar[tuple[int, ...]] = (24_844, 25_380, 71_237)
    fold_numbers: ClassVar[tuple[int, ...]] = (ClipIndex.VALIDATION, ClipIndex.TRAINING, 0)
    native_rate: ClassVar[int | None] = 16_000
    seconds: Annotated[
        float, Field(ge=0.05, le=20, description="length that utterances are cut or padded to, s")
    ] = 4.0

    def survey(self, folder: Path) -> Survey:
        """The protocols' rows, or the files of the class folders."""
        regrouped = any((folder / part).is_dir() for part in FOLDS)
        published = (folder / PROTOCOLS).is_dir() or not regrouped
        return _published(folder) if published else _regrouped(folder)

    def beside(self, folder: Path) -> set[str]:
        """Enrolment utterances of speaker verification, which lie among the clips."""
        lists = sorted((folder / "ASVspoof2019_LA_asv_protocols").glob("*.txt"))
        stems = {stem for file in lists for stem in re.split(r"[\s,]+", file.read_text("utf-8", errors="replace"))}
        return {_path(part, stem) for part in FOLDS for stem in stems}


def _published(folder: Path) -> Survey:
    found = Survey(CLASSES, folders=tuple(f"ASVspoof2019_LA_{part}/flac" for part in FOLDS))
    for part, fold in FOLDS.items():

        def parse(cells: list[str], part: str = part, fold: int = fold) -> Clip:
            speaker, stem, _, system, key = cells
            if key not in CLASSES:
                raise ValueError(f"the key {key!r} is not one of {', '.join(CLASSES)}")
            if (key == "bonafide") != (system == "-"):
                raise ValueError(f"the system {system!r} does not fit the key {key!r}")
            if not re.fullmatch(r"\w+", stem):
                raise ValueError(f"{stem!r} is not a file's name")
            return Clip(f"{stem}.flac", _path(part, stem), CLASSES.index(key), speaker, fold)

        protocol = folder / PROTOCOLS / f"ASVspoof2019.LA.cm.{_ENDINGS[part]}.txt"
        found.clips += read_words(protocol, 5, parse, found.problems, _REMEDY)
    found.clips.sort()
    found.problems += [
        f"{folder / clip.path}: listed more than once in {PROTOCOLS}; {_REMEDY}"
        for clip, other in zip(found.clips[1:], found.clips, strict=False)
        if clip.name == other.name
    ]
    return found


def _path(part: str, stem: str) -> str:
    return f"ASVspoof2019_LA_{part}/flac/{stem}.flac"


def _regrouped(folder: Path) -> Survey:
    found = Survey(CLASSES, folders=tuple(FOLDS))
    for part, fold in FOLDS.items():
        inside = sorted(entry.name for entry in (folder / part).glob("[!.]*") if entry.is_dir())
        found.problems += [
            f"{folder / part / name}: no class; the folders must be called {' and '.join(CLASSES)}"
            for name in inside
            if name not in CLASSES
        ]
        for label, name in enumerate(CLASSES):
            files = sorted((folder / part / name).glob("[!.]*.flac"))
            if not files:
                found.problems.append(f"{folder / part / name}: holds no FLAC files; add them")
            paths = [f"{part}/{name}/{file.name}" for file in files]
            found.clips += [Clip(path, path, label, path, fold) for path in paths]
    found.clips.sort()
    return found
