"""Data sets as their publishers describe them: enough to plan with where the audio is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soundproof.errors import SuiteError
from soundproof.planning.splits import FOLDS, OFFICIAL_PARTS, PARTS, TEST_PARTS
from soundproof.types import ClipIndex, Scheme, Split

if TYPE_CHECKING:
    import numpy.typing as npt

    from soundproof.contract.components import Dataset


def described(dataset: Dataset) -> ClipIndex | None:
    """An index of as many clips, classes and folds as were published; None where the publisher does not say.

    Names, and which clip is in which fold, are made up: only sizes are to be taken from it.
    """
    if not dataset.class_sizes:
        return None
    clips = sum(dataset.class_sizes)
    return ClipIndex(
        names=tuple(map(str, range(clips))),
        labels=np.repeat(np.arange(len(dataset.class_sizes)), dataset.class_sizes).astype(np.int64),
        groups=np.arange(clips, dtype=np.int64),
        folds=_folds(dataset, clips),
        classes=dataset.class_names or tuple(f"class {number}" for number in range(len(dataset.class_sizes))),
        checksum="as published",
    )


def divided(index: ClipIndex, scheme: Scheme, fold: int, copies: int) -> Split:
    """Parts of about the sizes that a scheme gives `described` clips; see `soundproof.planning.splits.split`.

    Raises:
        SuiteError: The data set has no such fold.
    """
    rows = np.arange(len(index.names))
    if scheme is not Scheme.OFFICIAL:
        _require(fold, FOLDS, scheme)
        tested = rows % PARTS < TEST_PARTS
        validates = ~tested & (rows // PARTS % FOLDS == fold)
    else:
        # A data set without folds has no fold to test.
        folds = np.full(len(rows), ClipIndex.TRAINING) if index.folds is None else index.folds
        numbers = np.unique(folds[folds >= 0])
        _require(fold, len(numbers), scheme)
        tested, validates = folds == numbers[fold], folds == ClipIndex.VALIDATION
        if not validates.any():
            validates = ~tested & (rows % OFFICIAL_PARTS == 0)
    train = rows[~tested & ~validates]
    return Split(
        train=np.concatenate([train + copy * len(rows) for copy in range(copies + 1)]),
        validation=rows[validates],
        test=rows[tested],
    )


def _folds(dataset: Dataset, clips: int) -> npt.NDArray[np.int64] | None:
    """The fold of each clip, classes spread evenly over them."""
    if sum(dataset.fold_sizes) != clips:
        return None
    numbers = dataset.fold_numbers or tuple(range(len(dataset.fold_sizes)))
    return np.random.default_rng(0).permutation(np.repeat(np.array(numbers, dtype=np.int64), dataset.fold_sizes))


def _require(fold: int, folds: int, scheme: Scheme) -> None:
    if fold >= folds:
        raise SuiteError(f"split.folds: {fold + 1}, but {scheme} has {folds} folds")
