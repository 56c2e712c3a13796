"""ESC-50 and its subset ESC-10: environmental sound classification (Piczak, ACM Multimedia 2015)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from soundproof import Download
from soundproof_datasets._published import Clip, Published, Survey
from soundproof_datasets._tables import number, read_csv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COLUMNS = ("filename", "fold", "target", "category", "esc10", "src_file", "take")
ESC10_TARGETS = (0, 1, 10, 11, 12, 20, 21, 38, 40, 41)
ALL_TARGETS = tuple(range(50))
FOLDS = (1, 2, 3, 4, 5)
CLIPS_A_FOLD = 8
RATE = 44_100
_SHOWN = 3
_REMEDY = "unpack https://github.com/karolpiczak/ESC-50 there again"


class _Row(NamedTuple):
    """One row of `meta/esc50.csv`."""

    filename: str
    fold: int
    target: int
    category: str
    source: int


@dataclass(frozen=True)
class _ESC(Published):
    """Base of both: the layout `ESC-50-master/{audio,meta}` below the data folder.

    A group is a Freesound recording, folds are the publisher's.
    """

    folder: ClassVar[str] = "ESC-50-master"
    homepage: ClassVar[str] = "https://github.com/karolpiczak/ESC-50"
    # GitHub packs the branch anew now and then: neither size nor checksum last.
    downloads: ClassVar[tuple[Download, ...]] = (
        Download("https://github.com/karolpiczak/ESC-50/archive/refs/heads/master.zip"),
    )
    native_rate: ClassVar[int | None] = RATE
    title: ClassVar[str]
    targets: ClassVar[tuple[int, ...]]

    @property
    def seconds(self) -> float:
        """Every clip was cut or padded to five seconds by the publisher."""
        return 5.0

    def survey(self, folder: Path) -> Survey:
        """The rows of `meta/esc50.csv` that belong to this data set."""
        problems: list[str] = []
        table = folder / "meta" / "esc50.csv"
        rows = read_csv(table, COLUMNS, _parse, problems, _REMEDY)
        problems += _contradictions(table, rows)
        if problems:
            return Survey((), problems=problems)
        kept = [row for row in rows if row.target in self.targets]
        problems, absent = self._missing(folder, kept)
        names = dict(sorted((row.target, row.category) for row in kept))
        order = tuple(names)
        clips = [
            Clip(row.filename, f"audio/{row.filename}", order.index(row.target), row.source, row.fold)
            for row in sorted(kept)
            if row.target not in absent
        ]
        # ESC-10 is published alone, too: to ESC-50 that is another distribution, and no damage.
        partial = len(names.keys() - absent) < len(self.targets)
        return Survey(tuple(names.values()), clips, ("audio",), problems, partial)

    def beside(self, folder: Path) -> set[str]:
        """The clips of ESC-50, to ESC-10."""
        rows = read_csv(folder / "meta" / "esc50.csv", COLUMNS, _parse, [], _REMEDY)
        return {f"audio/{row.filename}" for row in rows}

    def _missing(self, folder: Path, rows: Sequence[_Row]) -> tuple[list[str], set[int]]:
        """One line about all missing clips, and the targets of which no file is there."""
        listed = Counter((row.target, row.fold) for row in rows)
        expected = {(target, fold) for target in self.targets for fold in FOLDS}
        unlisted = sum(max(0, CLIPS_A_FOLD - listed[cell]) for cell in expected)
        gone = [row for row in sorted(rows) if not (folder / "audio" / row.filename).exists()]
        if not (unlisted or gone):
            return [], set()
        reasons = []
        if gone:
            more = f" and {len(gone) - _SHOWN} more" if len(gone) > _SHOWN else ""
            reasons.append(f"no {', '.join(row.filename for row in gone[:_SHOWN])}{more} in audio")
        if unlisted:
            short = [t for t in self.targets if sum(listed[t, fold] for fold in FOLDS) < CLIPS_A_FOLD * len(FOLDS)]
            shown = ", ".join(map(str, short[:_SHOWN]))
            reasons.append(f"{unlisted} not listed in meta/esc50.csv, e.g. of targets {shown}")
        hint = ", or use esc10" if self.targets == ALL_TARGETS else ""
        line = (
            f"{folder}: {unlisted + len(gone)} of the {CLIPS_A_FOLD * len(expected)} clips of {self.title} are "
            f"missing ({'; '.join(reasons)}); {_REMEDY}{hint}"
        )
        return [line], {row.target for row in gone} - {row.target for row in set(rows) - set(gone)}


@dataclass(frozen=True)
class ESC10(_ESC):
    """ESC-10: 400 environmental clips of 5 s, 10 classes, 5 folds (CC BY 3.0).

    Labels are the subset's ESC-50 targets renumbered in ascending order.
    """

    id: ClassVar[str] = "esc10"
    licence: ClassVar[str] = "CC BY 3.0"
    title: ClassVar[str] = "ESC-10"
    targets: ClassVar[tuple[int, ...]] = ESC10_TARGETS
    class_sizes: ClassVar[tuple[int, ...]] = (CLIPS_A_FOLD * len(FOLDS),) * len(ESC10_TARGETS)
    fold_sizes: ClassVar[tuple[int, ...]] = (CLIPS_A_FOLD * len(ESC10_TARGETS),) * len(FOLDS)


@dataclass(frozen=True)
class ESC50(_ESC):
    """ESC-50: 2000 environmental clips of 5 s, 50 classes, 5 folds (CC BY-NC 3.0)."""

    id: ClassVar[str] = "esc50"
    licence: ClassVar[str] = "CC BY-NC 3.0"
    title: ClassVar[str] = "ESC-50"
    targets: ClassVar[tuple[int, ...]] = ALL_TARGETS
    class_sizes: ClassVar[tuple[int, ...]] = (CLIPS_A_FOLD * len(FOLDS),) * len(ALL_TARGETS)
    fold_sizes: ClassVar[tuple[int, ...]] = (CLIPS_A_FOLD * len(ALL_TARGETS),) * len(FOLDS)


def _parse(row: list[str]) -> _Row:
    filename, fold, target, category, esc10, source, take = row
    numbers = {"fold": fold, "target": target, "src_file": source}
    fold_number, label, recording = (number(name, text) for name, text in numbers.items())
    if fold_number not in FOLDS or label not in ALL_TARGETS:
        raise ValueError(f"fold {fold} and target {target} are not in 1 to 5 and 0 to 49")
    if esc10 != str(label in ESC10_TARGETS):
        raise ValueError(f"esc10 is {esc10!r} for target {target}")
    if not category or not take.isalpha():
        raise ValueError(f"category {category!r} and take {take!r} are not a name and a letter")
    if filename != f"{fold}-{source}-{take}-{target}.wav":
        raise ValueError(f"the file name {filename!r} does not fit the other columns")
    return _Row(filename, fold_number, label, category, recording)


def _contradictions(table: Path, rows: Sequence[_Row]) -> list[str]:
    """Contradictions between rows that are right by themselves."""
    times = Counter(row.filename for row in rows)
    names = Counter(target for target, _ in {(row.target, row.category) for row in rows})
    return [f"{table}: {name} is listed more than once; {_REMEDY}" for name in times if times[name] > 1] + [
        f"{table}: target {target} has {names[target]} different categories; {_REMEDY}"
        for target in names
        if names[target] > 1
    ]
