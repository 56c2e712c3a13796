"""UrbanSound8K: urban sounds (Salamon, Jacoby and Bello, ACM Multimedia 2014)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soundproof import Download
from soundproof_datasets._published import Clip, Published, Survey
from soundproof_datasets._tables import number, read_csv

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = ("slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class")
CLASSES = (
    "air_conditioner",
    "car_horn",
    "children_playing",
    "dog_bark",
    "drilling",
    "engine_idling",
    "gun_shot",
    "jackhammer",
    "siren",
    "street_music",
)
_REMEDY = "unpack https://zenodo.org/records/1203745 there again"


@dataclass(frozen=True)
class UrbanSound8K(Published):
    """UrbanSound8K: 8732 urban clips of up to 4 s, 10 classes, 10 folds (CC BY-NC 3.0).

    Many slices overlap in time: a group is the Freesound recording (`fsID`) that they were cut from. Folds are
    the publisher's, from 1 to 10. Rates, bit depths and channels vary.
    """

    id: ClassVar[str] = "urbansound8k"
    folder: ClassVar[str] = "UrbanSound8K"
    licence: ClassVar[str] = "CC BY-NC 3.0"
    homepage: ClassVar[str] = "https://urbansounddataset.weebly.com/urbansound8k.html"
    downloads: ClassVar[tuple[Download, ...]] = (
        Download(
            url="https://zenodo.org/records/1203745/files/UrbanSound8K.tar.gz",
            size=6_023_741_708,
            checksum="md5:9aa69802bbf37fb986f71ec1483a196e",
        ),
    )
    class_sizes: ClassVar[tuple[int, ...]] = (1000, 429, 1000, 1000, 1000, 1000, 374, 1000, 929, 1000)
    fold_sizes: ClassVar[tuple[int, ...]] = (873, 888, 925, 990, 936, 823, 838, 806, 816, 837)

    @property
    def seconds(self) -> float:
        """The longest clip; shorter ones are padded."""
        return 4.0

    def survey(self, folder: Path) -> Survey:
        """The rows of `metadata/UrbanSound8K.csv`."""
        found = Survey(CLASSES, folders=("audio",))
        table = folder / "metadata" / "UrbanSound8K.csv"
        found.clips = sorted(read_csv(table, COLUMNS, _parse, found.problems, _REMEDY))
        times = Counter(clip.name for clip in found.clips)
        found.problems += [
            f"{table}: {name} is listed more than once; {_REMEDY}" for name in times if times[name] > 1
        ]
        return found


def _parse(row: list[str]) -> Clip:
    name, source, _, _, _, fold, target, category = row
    source_id, fold_number, label = number("fsID", source), number("fold", fold), number("classID", target)
    if not 1 <= fold_number <= len(UrbanSound8K.fold_sizes):
        raise ValueError(f"fold {fold} is not in 1 to {len(UrbanSound8K.fold_sizes)}")
    if label >= len(CLASSES) or CLASSES[label] != category:
        raise ValueError(f"class {category!r} is not number {target} of {', '.join(CLASSES)}")
    parts = name.removesuffix(".wav").split("-")
    if not name.endswith(".wav") or parts[:2] != [source, target] or len(parts) != 4:
        raise ValueError(f"the file name {name!r} does not fit the other columns")
    # The occurrence and the slice are part of a path: nothing but digits may come in by them.
    number("the occurrence in the file name", parts[2])
    number("the slice in the file name", parts[3])
    return Clip(name, f"audio/fold{fold_number}/{name}", label, source_id, fold_number)
