from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundproof.errors import DataError, SuiteError
from soundproof.planning.splits import fold_count, split, with_copies
from soundproof.types import ClipIndex, Scheme

pytestmark = pytest.mark.slow


def index_of(
    labels: np.ndarray, groups: np.ndarray, folds: np.ndarray | None = None, classes: int | None = None
) -> ClipIndex:
    return ClipIndex(
        names=tuple(f"clip-{row:04d}" for row in range(len(labels))),
        labels=np.asarray(labels, dtype=np.int64),
        groups=np.asarray(groups, dtype=np.int64),
        folds=None if folds is None else np.asarray(folds, dtype=np.int64),
        classes=tuple(f"class-{c}" for c in range(classes or int(np.max(labels)) + 1)),
        checksum="",
    )


def even(classes: int = 4, recordings: int = 10, clips: int = 3) -> ClipIndex:
    """Every class has as many recordings, every recording as many clips; five folds of recordings."""
    groups = np.repeat(np.arange(classes * recordings), clips)
    return index_of(groups // recordings, groups, groups % 5 + 1)


def shuffled(index: ClipIndex, seed: int) -> tuple[ClipIndex, np.ndarray]:
    """The same clips in another order and with other group numbers, and where each went."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(index.names))
    renumbered = rng.permutation(index.groups.max() + 1)[index.groups]
    return (
        dataclasses.replace(
            index,
            names=tuple(index.names[row] for row in order),
            labels=index.labels[order],
            groups=renumbered[order],
            folds=None if index.folds is None else index.folds[order],
        ),
        order,
    )


@st.composite
def indices(draw: st.DrawFn) -> ClipIndex:
    """Data sets of 2 to 5 classes, each with 10 to 16 recordings of 1 to 6 clips, in some order."""
    sizes: list[int] = []
    labels: list[int] = []
    for label in range(draw(st.integers(2, 5))):
        of_class = draw(st.lists(st.integers(1, 6), min_size=10, max_size=16))
        sizes += of_class
        labels += [label] * len(of_class)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    folds = np.concatenate([np.arange(labels.count(c)) % 5 for c in range(max(labels) + 1)])
    index = index_of(np.repeat(labels, sizes), groups, folds[groups])
    return shuffled(index, draw(st.integers(0, 2**32 - 1)))[0]


# The others leave clips to train on.
DIVIDING = [scheme for scheme in Scheme if scheme is not Scheme.ALL]


@settings(deadline=None, max_examples=60)
@given(index=indices(), scheme=st.sampled_from(DIVIDING), fold=st.integers(0, 4), seed=st.integers(0, 999))
def test_every_split_is_a_partition_that_keeps_its_promises(index, scheme, fold, seed):
    parts = split(index, scheme, fold)
    clips = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(clips) == list(range(len(index.names)))
    assert all(len(part) and (np.diff(part) > 0).all() for part in (parts.train, parts.validation, parts.test))
    assert set(index.labels[parts.train]) == set(index.labels)
    assert parts.leaky is (scheme is Scheme.PAPER)
    if scheme is not Scheme.PAPER:
        of_part = [set(index.groups[part]) for part in (parts.train, parts.validation, parts.test)]
        assert sum(map(len, of_part)) == len(set(index.groups))

    moved, order = shuffled(index, seed)
    again = split(moved, scheme, fold)
    for part in ("train", "validation", "test"):
        assert sorted(order[getattr(again, part)]) == list(getattr(parts, part))


@pytest.mark.parametrize("scheme", [Scheme.GROUP70, Scheme.PAPER])
def test_the_test_part_is_the_same_30_percent_for_every_fold_and_each_other_clip_validates_once(scheme):
    index = even(recordings=20)
    folds = [split(index, scheme, fold) for fold in range(fold_count(index, scheme))]
    assert len(folds) == 5
    assert all((parts.test == folds[0].test).all() for parts in folds)
    assert len(folds[0].test) == 0.3 * len(index.names)
    # With recordings of equal size every class is in the test part with 30 % of its clips.
    assert set(np.bincount(index.labels[folds[0].test])) == {18}
    validated = np.concatenate([parts.validation for parts in folds])
    assert sorted([*validated, *folds[0].test]) == list(range(len(index.names)))


def test_official_folds_are_tested_in_the_order_of_their_numbers():
    index = even()
    assert index.folds is not None
    index = dataclasses.replace(index, folds=index.folds * 10)
    assert fold_count(index, Scheme.OFFICIAL) == 5
    for fold in range(5):
        parts = split(index, Scheme.OFFICIAL, fold)
        assert set(index.folds[parts.test]) == {(fold + 1) * 10}
        assert len(parts.test) == 24
        # Eight recordings a class are left; one of them validates.
        assert set(np.bincount(index.labels[parts.validation])) == {3}


def test_official_parts_that_are_not_folds_are_never_tested():
    index = even()
    assert index.folds is not None
    folds = np.choose(index.folds - 1, [ClipIndex.TRAINING, 0, ClipIndex.VALIDATION, ClipIndex.TRAINING, 3])
    index = dataclasses.replace(index, folds=folds)
    assert fold_count(index, Scheme.OFFICIAL) == 2
    for fold, number in enumerate([0, 3]):
        parts = split(index, Scheme.OFFICIAL, fold)
        assert not parts.leaky
        assert (index.folds[parts.test] == number).all()
        assert (index.folds[parts.validation] == ClipIndex.VALIDATION).all()
        assert len(parts.test) == len(parts.validation) == 24
    with pytest.raises(SuiteError, match="the scheme 'official' has folds 0 to 1"):
        split(index, Scheme.OFFICIAL, 2)


def test_a_published_test_part_without_a_validation_part_leaves_an_eighth_of_the_rest_to_validate():
    index = even()
    assert index.folds is not None
    index = dataclasses.replace(index, folds=np.where(index.folds == 1, 0, ClipIndex.TRAINING))
    assert fold_count(index, Scheme.OFFICIAL) == 1
    parts = split(index, Scheme.OFFICIAL, 0)
    assert [len(part) for part in (parts.train, parts.validation, parts.test)] == [84, 12, 24]


def test_too_few_recordings_of_a_set_with_folds_point_to_official():
    index = even(recordings=2)
    with pytest.raises(DataError, match="class-3 has 2; add some, or use the scheme 'official'"):
        split(index, Scheme.GROUP70, 0)


@pytest.mark.parametrize(
    ("speakers", "tests", "folds"), [(3, 1, 2), (4, 1, 3), (5, 2, 3), (6, 2, 4), (7, 2, 5), (8, 2, 5), (9, 3, 5)]
)
def test_few_speakers_are_left_out_whole(speakers, tests, folds):
    # Everybody says everything, as in a set of spoken digits.
    labels, voices, _ = (axis.ravel() for axis in np.meshgrid(range(4), range(speakers), range(5)))
    index = index_of(labels, voices)
    assert fold_count(index, Scheme.GROUP70) == folds
    heard = [split(index, Scheme.GROUP70, fold) for fold in range(folds)]
    tested = set(voices[heard[0].test])
    assert len(tested) == tests
    validated: list[int] = []
    for parts in heard:
        assert set(voices[parts.test]) == tested, "every fold is tested on the same speakers"
        assert not parts.leaky
        validated += set(voices[parts.validation])
        assert not set(voices[parts.validation]) & set(voices[parts.train])
        assert set(voices[parts.train]) == set(range(speakers)) - tested - set(voices[parts.validation])
    assert sorted([*validated, *tested]) == list(range(speakers)), "each of the others validates once"


@st.composite
def few_groups(draw: st.DrawFn) -> ClipIndex:
    """Classes of 3 to 14 recordings of their own, at least one of them of fewer than ten."""
    counts = [draw(st.integers(3, 9)), *draw(st.lists(st.integers(3, 14), min_size=1, max_size=4))]
    sizes = [draw(st.integers(1, 5)) for _ in range(sum(counts))]
    groups = np.repeat(np.arange(len(sizes)), sizes)
    labels = np.repeat(np.arange(len(counts)), counts)[groups]
    return shuffled(index_of(labels, groups), draw(st.integers(0, 99)))[0]


@settings(deadline=None, max_examples=60)
@given(index=few_groups(), seed=st.integers(0, 99))
def test_few_recordings_of_a_class_keep_all_promises(index, seed):
    folds = fold_count(index, Scheme.GROUP70)
    for fold in range(folds):
        parts = split(index, Scheme.GROUP70, fold)
        of_part = [parts.train, parts.validation, parts.test]
        assert sorted(np.concatenate(of_part)) == list(range(len(index.names)))
        assert sum(len(set(index.groups[part])) for part in of_part) == len(set(index.groups))
        # Every class has at least one recording on each side.
        assert all(set(index.labels[part]) == set(index.labels) for part in of_part)
    moved, order = shuffled(index, seed)
    assert sorted(order[split(moved, Scheme.GROUP70, folds - 1).test]) == list(parts.test)


def test_official_takes_a_larger_share_where_recordings_are_few():
    # Four speakers, each in every class and in every fold, as in a set of spoken digits.
    labels, speakers, folds = (axis.ravel() for axis in np.meshgrid(range(3), range(4), range(2)))
    parts = split(index_of(labels, speakers, folds), Scheme.OFFICIAL, 1)
    assert len(set(speakers[parts.validation])) == 1
    assert not set(speakers[parts.validation]) & set(speakers[parts.train])
    assert parts.leaky  # every speaker of the test fold is also heard in training


def test_paper_separates_clips_of_one_recording():
    index = even()
    parts = split(index, Scheme.PAPER, 0)
    assert set(index.groups[parts.test]) & set(index.groups[parts.train])
    assert parts.leaky


@pytest.mark.parametrize(("scheme", "needed"), [(Scheme.GROUP70, "3 recordings"), (Scheme.PAPER, "10 clips")])
def test_too_few_recordings_are_reported_once_for_all_classes(scheme, needed):
    sizes = {0: 12, 1: 2, 2: 1}
    labels = np.repeat(list(sizes), list(sizes.values()))
    with pytest.raises(DataError) as caught:
        split(index_of(labels, np.arange(len(labels)), classes=4), scheme, 0)
    (problem,) = caught.value.problems
    assert problem == (
        f"the scheme {scheme.value!r} needs {needed} of every class, but class-1 has 2, class-2 has 1, "
        "class-3 has 0; add some, or use another scheme"
    )


def test_many_clips_of_few_recordings_are_few():
    index = even(classes=2, recordings=2, clips=50)
    with pytest.raises(DataError, match="needs 3 recordings of every class, but class-0 has 2, class-1 has 2"):
        split(index, Scheme.GROUP70, 0)


def test_official_needs_recordings_outside_the_test_fold():
    index = index_of(np.array([0, 0, 1, 1]), np.arange(4), np.array([0, 1, 0, 1]))
    with pytest.raises(DataError, match="2 recordings outside the test fold of every class, but class-0 has 1"):
        split(index, Scheme.OFFICIAL, 0)


def test_official_needs_published_folds():
    index = dataclasses.replace(even(), folds=None)
    with pytest.raises(DataError, match="published without folds; use the scheme 'group70'"):
        split(index, Scheme.OFFICIAL, 0)


@pytest.mark.parametrize("fold", [-1, 5])
def test_a_fold_that_does_not_exist_is_refused(fold):
    with pytest.raises(SuiteError, match=f"no fold {fold}: the scheme 'group70' has folds 0 to 4"):
        split(even(), Scheme.GROUP70, fold)


def test_a_class_that_grouping_keeps_out_of_training_is_reported():
    # Class 2 shares its two recordings outside fold 0 with others, and both fall to the validation part.
    labels = np.array([2, 0, 1, 2, 1, 0, 2, 2, 2, 2, 1, 2, 2, 1, 2, 1, 0, 1])
    groups = np.array([3, 5, 5, 5, 0, 2, 3, 1, 2, 3, 4, 3, 1, 4, 5, 1, 3, 2])
    with pytest.raises(DataError, match="needs 1 training clips of every class, but class-2 has 0"):
        split(index_of(labels, groups, np.arange(18) % 2), Scheme.OFFICIAL, 0)


def test_large_recordings_are_not_favoured_for_the_test_part():
    # One recording a class holds most of its clips: tested on it, a classifier would learn from next to none.
    sizes = np.where(np.arange(40) % 10 == 0, 60, 2)
    groups = np.repeat(np.arange(40), sizes)
    parts = split(index_of(groups // 10, groups), Scheme.GROUP70, 0)
    assert not set(groups[parts.test]) & {0, 10, 20, 30}


@pytest.mark.parametrize("scheme", [Scheme.GROUP70, Scheme.OFFICIAL])
def test_copies_train_with_their_originals(scheme):
    index = even()
    count = len(index.names)
    plain, enlarged = split(index, scheme, 1), split(index, scheme, 1, copies=3)
    np.testing.assert_array_equal(enlarged.test, plain.test)
    np.testing.assert_array_equal(enlarged.validation, plain.validation)
    np.testing.assert_array_equal(enlarged.train[: len(plain.train)], plain.train)
    np.testing.assert_array_equal(np.unique(enlarged.train % count), plain.train)
    assert len(enlarged.train) == 4 * len(plain.train)
    assert not enlarged.leaky


def test_paper_divides_copies_like_clips():
    index = even()
    parts = split(index, Scheme.PAPER, 0, copies=4)
    count = len(index.names)
    together = np.concatenate([parts.train, parts.validation, parts.test])
    np.testing.assert_array_equal(np.sort(together), np.arange(5 * count))
    assert len(parts.test) == pytest.approx(0.3 * 5 * count, rel=0.02)
    assert np.isin(parts.test % count, parts.train % count).mean() > 0.9, "copies of tested clips are trained on"
    assert parts.leaky


def test_an_index_with_copies_repeats_everything_but_names():
    index = even()
    enlarged = with_copies(index, 2)
    count = len(index.names)
    assert len(set(enlarged.names)) == 3 * count
    for row in (0, count - 1):
        for copy in range(3):
            assert enlarged.labels[copy * count + row] == index.labels[row]
            assert enlarged.groups[copy * count + row] == index.groups[row]
            assert enlarged.folds[copy * count + row] == index.folds[row]


def test_all_tests_every_clip_and_trains_on_none():
    index = index_of(np.arange(9) % 3, np.arange(9))
    parts = split(index, Scheme.ALL, 0)
    assert parts.test.tolist() == list(range(9))
    assert len(parts.train) == len(parts.validation) == 0
    assert not parts.leaky
    with pytest.raises(SuiteError, match="there is no fold 1"):
        split(index, Scheme.ALL, 1)
