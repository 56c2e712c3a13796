"""Divides clips into training, validation and test parts (docs/protocols.md).

Recordings never cross from one part into another, except under the scheme `paper`, which says so. Augmented
copies train with their originals; only `paper` divides them as if they were clips of their own. A split
depends on the names, labels and recordings of the clips, not on their order or on any seed of the run, so
that all folds and seeds of one scheme are tested on the same clips.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from soundproof.errors import DataError, SuiteError
from soundproof.types import ClipIndex, Scheme, Split

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Rows = npt.NDArray[np.int64]

# 3 of 10 equal parts are the 30 % test clips of the papers' protocol; 5 folds divide the rest.
PARTS, TEST_PARTS, FOLDS = 10, 3, 5
# One recording to test, one to validate and one to train is the least that keeps recordings apart.
FEWEST = 3
# Under `official` the publisher names only the test clips; one of so many parts of the rest validates.
OFFICIAL_PARTS = 8
# A fixed seed: another one would be another benchmark.
_STATE = 0


@dataclass(frozen=True, eq=False)
class _Table:
    """Some clips of an index, in an order and with group numbers that depend on their names alone.

    Attributes:
        rows: Rows of the index.
        labels: Of these rows.
        groups: Of these rows.
    """

    rows: Rows
    labels: Rows
    groups: Rows

    @classmethod
    def of(cls, index: ClipIndex) -> _Table:
        """All clips, sorted by name; groups are numbered as they come."""
        rows = np.array(sorted(range(len(index.names)), key=index.names.__getitem__), dtype=np.int64)
        _, first, inverse = np.unique(index.groups[rows], return_index=True, return_inverse=True)
        return cls(rows, index.labels[rows], np.argsort(np.argsort(first))[inverse])

    def __getitem__(self, chosen: npt.NDArray[np.bool_]) -> _Table:
        return _Table(self.rows[chosen], self.labels[chosen], self.groups[chosen])

    def recordings(self, classes: int) -> Rows:
        """Number of different groups of each class, `[classes]`."""
        pairs = np.unique(np.stack([self.labels, self.groups]), axis=1)
        return np.bincount(pairs[0], minlength=classes)

    def parts(self, count: int) -> Rows:
        """Into which of `count` equal parts each clip goes: groups whole, classes in equal shares."""
        from sklearn.model_selection import StratifiedGroupKFold

        splitter = StratifiedGroupKFold(count, shuffle=True, random_state=_STATE)
        return self._numbered(splitter.split(self.labels, self.labels, self.groups))

    def parts_ignoring_groups(self, count: int) -> Rows:
        """Into which of `count` equal parts each clip goes: classes in equal shares, groups torn apart."""
        from sklearn.model_selection import StratifiedKFold

        splitter = StratifiedKFold(count, shuffle=True, random_state=_STATE)
        return self._numbered(splitter.split(self.labels, self.labels))

    def _numbered(self, folds: Iterator[tuple[Rows, Rows]]) -> Rows:
        part = np.empty_like(self.rows)
        for number, (_, held_out) in enumerate(folds):
            part[held_out] = number
        return part


def with_copies(index: ClipIndex, copies: int) -> ClipIndex:
    """The index followed by so many augmented copies of every clip."""
    if not copies:
        return index
    return replace(
        index,
        names=index.names + tuple(f"{name} copy {copy + 1}" for copy in range(copies) for name in index.names),
        labels=np.tile(index.labels, copies + 1),
        groups=np.tile(index.groups, copies + 1),
        folds=None if index.folds is None else np.tile(index.folds, copies + 1),
    )


def without_copies(index: ClipIndex, copies: int) -> ClipIndex:
    """The inverse of `with_copies`."""
    count = len(index.names) // (copies + 1)
    return replace(
        index,
        names=index.names[:count],
        labels=index.labels[:count],
        groups=index.groups[:count],
        folds=None if index.folds is None else index.folds[:count],
    )


def fold_count(index: ClipIndex, scheme: Scheme) -> int:
    """Number of folds of a scheme.

    Raises:
        DataError: The scheme is `official` and the data set was published without folds, or it is `group70` and
            some classes have too few recordings.
    """
    if scheme is Scheme.GROUP70:
        return _Shares.by_group(index, _Table.of(index)).folds
    if scheme is Scheme.PAPER:
        return FOLDS
    if scheme is Scheme.ALL:
        return 1
    if index.folds is None:
        raise DataError("the data set was published without folds; use the scheme 'group70'")
    return len(_published(index.folds))


def split(index: ClipIndex, scheme: Scheme, fold: int, copies: int = 0) -> Split:
    """Divide the clips of a data set.

    `group70`: 30 % of the recordings, stratified by class, are the test clips of every fold; the rest falls
    into five folds by recording, of which number `fold` validates and the others train. Where a class has fewer
    than ten recordings, whole ones are left out instead, see `_Shares`.
    `official`: the publisher's fold in place `fold` is the test part. The publisher's validation part validates;
    where there is none, an eighth of the recordings of the rest (more where a class has fewer than eight).
    `paper`: as `group70`, but by clip and with augmented copies as clips: recordings, and even copies of one
    clip, leak from training into test.

    Args:
        index: The data set, without copies.
        scheme: How to divide it.
        fold: From 0 to `fold_count(index, scheme) - 1`.
        copies: Augmented copies of every clip, which follow the clips as in `with_copies`.

    Returns:
        Sorted rows of `with_copies(index, copies)`; only under `paper` are there copies in the validation and
        test parts. `leaky` is true of `paper`, and of `official` folds that a recording crosses.

    Raises:
        DataError: Some classes have too few recordings (or clips), or there are no official folds.
        SuiteError: There is no such fold.
    """
    folds = fold_count(index, scheme)
    if not 0 <= fold < folds:
        raise SuiteError(f"there is no fold {fold}: the scheme {scheme.value!r} has folds 0 to {folds - 1}")
    if scheme is Scheme.ALL:
        nothing = np.zeros(0, np.int64)
        return Split(nothing, nothing, np.arange(len(index.names), dtype=np.int64))
    table = _Table.of(with_copies(index, copies) if scheme is Scheme.PAPER else index)
    if scheme is Scheme.OFFICIAL:
        tested, validates = _official(index, table, fold)
    else:
        tested, validates = _seventy_thirty(index, table, scheme, fold)
    rest = table[~tested]
    train = np.sort(rest.rows[~validates])
    if scheme is not Scheme.PAPER:
        train = np.concatenate([train + copy * len(index.names) for copy in range(copies + 1)])
    parts = Split(
        train=train,
        validation=np.sort(rest.rows[validates]),
        test=np.sort(table.rows[tested]),
        leaky=scheme is Scheme.PAPER or bool(np.isin(rest.groups, table.groups[tested]).any()),
    )
    assert len(parts.validation), "a part of the divided recordings is empty"
    assert len(parts.test), "a part of the divided recordings is empty"
    # A class of few, large recordings shared with other classes can still end up outside the training part.
    labels = index.labels[parts.train % len(index.names)]
    trained = np.bincount(labels, minlength=len(index.classes))
    _require(index, scheme, trained, 1, "training clips")
    return parts


@dataclass(frozen=True)
class _Shares:
    """Into how many equal parts clips fall, how many of these test, and how many folds divide the others."""

    parts: int = PARTS
    tests: int = TEST_PARTS
    folds: int = FOLDS

    @classmethod
    def by_group(cls, index: ClipIndex, table: _Table) -> _Shares:
        """30 % and five folds where every class has ten recordings; else one part a recording of the rarest class.

        Of these, the number nearest to 30 % tests, and each of the others is a fold of its own, up to five.

        Raises:
            DataError: Some classes have too few recordings.
        """
        held = table.recordings(len(index.classes))
        _require(index, Scheme.GROUP70, held, FEWEST, "recordings")
        parts = min(PARTS, int(held.min()))
        tests = max(1, round(parts * TEST_PARTS / PARTS))
        return cls(parts, tests, min(FOLDS, parts - tests))


def _seventy_thirty(
    index: ClipIndex, table: _Table, scheme: Scheme, fold: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Masks of the clips of the table that are tested, and of those of the rest that validate."""
    if scheme is Scheme.GROUP70:
        divide, shares = _Table.parts, _Shares.by_group(index, table)
    else:
        divide, shares = _Table.parts_ignoring_groups, _Shares()
        held = np.bincount(table.labels, minlength=len(index.classes))
        _require(index, scheme, held, PARTS, "clips")
    tested = _fairest(divide(table, shares.parts), table.labels, shares.tests)
    return tested, divide(table[~tested], shares.folds) == fold


def _official(index: ClipIndex, table: _Table, fold: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Masks of the clips of the table that are tested, and of those of the rest that validate."""
    assert index.folds is not None
    tested = index.folds[table.rows] == _published(index.folds)[fold]
    rest = table[~tested]
    validates = index.folds[rest.rows] == ClipIndex.VALIDATION
    if validates.any():
        return tested, validates
    held = rest.recordings(len(index.classes))
    _require(index, Scheme.OFFICIAL, held, 2, "recordings outside the test fold")
    return tested, _fairest(rest.parts(min(OFFICIAL_PARTS, int(held.min()))), rest.labels, 1)


def _published(folds: Rows) -> Rows:
    """The numbers of the folds that are tested, ascending; negative ones mark clips that are not."""
    numbers = np.unique(folds)
    return numbers[numbers >= 0]


def _fairest(part: Rows, labels: Rows, take: int) -> npt.NDArray[np.bool_]:
    """The clips of those `take` parts that together come nearest to their share of every class.

    scikit-learn deals the largest recordings out first, so its first parts would be a biased choice.
    """
    clips = np.zeros((part.max() + 1, labels.max() + 1))
    np.add.at(clips, (part, labels), 1)
    shares = clips / np.maximum(clips.sum(axis=0), 1)
    choices = np.array(list(combinations(range(len(shares)), take)))
    missed = shares[choices].sum(axis=1) - take / len(shares)
    # Rounded, so that equally fair choices stay equal whatever the order of summation: the first one counts.
    best = np.argmin(np.round((missed**2).sum(axis=1), 12))
    return np.isin(part, choices[best])


def _require(index: ClipIndex, scheme: Scheme, held: Rows, needed: int, what: str) -> None:
    """Raise DataError if some classes hold fewer than they need."""
    short = [f"{name} has {count}" for name, count in zip(index.classes, held, strict=True) if count < needed]
    if short:
        other = "another scheme" if index.folds is None or scheme is Scheme.OFFICIAL else "the scheme 'official'"
        raise DataError(
            f"the scheme {scheme.value!r} needs {needed} {what} of every class, but {', '.join(short)}; "
            f"add some, or use {other}"
        )
