"""Looks at a data set on disk as closely as can be: every file is hashed and decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soundproof.data.checks import read_index, read_waveforms
from soundproof.errors import SoundproofError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from soundproof.contract.components import Dataset
    from soundproof.types import ClipIndex

# Decoding takes a rate. This one keeps a hundred thousand clips in a few hundred MB.
_RATE = 250


@dataclass(frozen=True)
class Inspection:
    """Findings of an inspection.

    Attributes:
        problems: A line each: files that are missing, damaged or unexpected, and sizes that are not as published.
        clips: Number of clips; this and the rest are 0 where they could not be counted.
        classes: Number of classes.
        recordings: Number of recordings, or of speakers.
        seconds: Length of all clips together, each cut or padded to its nominal length.
    """

    problems: tuple[str, ...]
    clips: int = 0
    classes: int = 0
    recordings: int = 0
    seconds: float = 0.0


def inspect(dataset: Dataset, root: Path) -> Inspection:
    """Read all of a data set below the data folder."""
    problems: list[str] = []
    index = None
    try:
        index = read_index(dataset, root)
    except SoundproofError as error:
        problems += error.problems
    try:
        if index is None:
            dataset.waveforms(root, _RATE)
        else:
            read_waveforms(dataset, root, _RATE, index)
    except SoundproofError as error:
        problems += error.problems
    if (root / dataset.folder).is_dir():
        problems += [
            f"{root / dataset.folder / path}: not a part of the published data set; remove it, or leave it: it is "
            "not used"
            for path in dataset.unexpected(root)
        ]
    # What the index finds, decoding finds again.
    if index is None:
        return Inspection(tuple(dict.fromkeys(problems)))
    return Inspection(
        problems=(*dict.fromkeys(problems), *_deviations(dataset, index)),
        clips=len(index.names),
        classes=len(index.classes),
        recordings=len(np.unique(index.groups)),
        seconds=len(index.names) * dataset.seconds,
    )


def _deviations(dataset: Dataset, index: ClipIndex) -> list[str]:
    """Numbers of clips that are not those that were published, a line each."""
    lines: list[str] = []
    if dataset.class_sizes:
        held = np.bincount(index.labels, minlength=len(index.classes)).tolist()
        lines += _compare([f"class {name}" for name in index.classes], held, dataset.class_sizes)
    if dataset.fold_sizes and index.folds is not None:
        numbers, counts = np.unique(index.folds, return_counts=True)
        if len(numbers) == len(dataset.fold_sizes):
            lines += _compare(
                [_fold(index, fold) for fold in numbers.tolist()], counts.tolist(), dataset.fold_sizes
            )
        else:
            lines.append(
                f"{len(numbers)} folds, but {len(dataset.fold_sizes)} were published; restore what is missing"
            )
    return lines


def _compare(names: Sequence[str], held: Sequence[int], published: Sequence[int]) -> list[str]:
    return [
        f"{name}: {here} clips, but {there} were published; restore the original distribution"
        for name, here, there in zip(names, held, published, strict=True)
        if here != there
    ]


def _fold(index: ClipIndex, fold: int) -> str:
    special = {index.TRAINING: "training part", index.VALIDATION: "validation part"}
    return special.get(fold, f"fold {fold}")
