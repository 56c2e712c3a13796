"""What holds for every data set that is installed, on a small folder in each of its layouts."""

import shutil
from collections import defaultdict

import numpy as np
import pytest

from installed import registry
from publications import LAYOUTS
from soundproof import DataError, Kind, Ref

pytestmark = pytest.mark.slow

# Low, and whole parts of 44.1 kHz: ESC-50 is 2000 clips of 5 s.
RATES = (4410, 6300)
EVERY = [(name, *layout) for name in registry().ids(Kind.DATASET) for layout in LAYOUTS.get(name, [])]


@pytest.fixture(scope="module", params=EVERY, ids=[f"{name}-{lay_out.__name__}" for name, lay_out, _ in EVERY])
def published(request, tmp_path_factory):
    """A data set and the folder that holds a small publication of it."""
    name, lay_out, parameters = request.param
    root = tmp_path_factory.mktemp(name)
    lay_out(root)
    return registry().build(Ref(Kind.DATASET, name, parameters)), root


@pytest.fixture(scope="module")
def index(published):
    dataset, root = published
    return dataset.index(root)


def test_every_data_set_has_a_layout_to_be_tested_on():
    assert set(registry().ids(Kind.DATASET)) <= set(LAYOUTS), "describe the new one in tests/publications.py"


def test_clips_have_names_of_their_own_and_labels_within_the_classes(index):
    assert len(set(index.names)) == len(index.names) > 0
    assert all(index.names)
    assert len(set(index.classes)) == len(index.classes) >= 2
    assert index.labels.dtype == np.int64
    assert np.array_equal(np.unique(index.labels), np.arange(len(index.classes)))


def test_every_column_has_a_row_a_clip(index):
    for column in (index.labels, index.groups, index.folds):
        assert column is None or (column.dtype == np.int64 and column.shape == (len(index.names),))


def test_no_group_lies_in_two_of_the_publisher_s_folds(index):
    if index.folds is None:
        pytest.skip("it has none")
    folds = defaultdict(set)
    for group, fold in zip(index.groups.tolist(), index.folds.tolist(), strict=True):
        folds[group].add(fold)
    assert all(len(found) == 1 for found in folds.values())
    assert index.folds.min() >= index.VALIDATION


def test_the_index_is_the_same_wherever_the_folder_lies(published, index, tmp_path):
    dataset, root = published
    shutil.copytree(root, tmp_path / "moved")
    moved = dataset.index(tmp_path / "moved")
    assert (moved.names, moved.classes, moved.checksum) == (index.names, index.classes, index.checksum)
    assert index.checksum
    for column in ("labels", "groups", "folds"):
        assert np.array_equal(getattr(moved, column), getattr(index, column))


@pytest.mark.parametrize("rate", RATES)
def test_waveforms_are_clips_of_one_length_in_the_order_of_the_index(published, index, rate):
    dataset, root = published
    waveforms = dataset.waveforms(root, rate)
    assert waveforms.shape == (len(index.names), dataset.sample_count(rate))
    assert dataset.sample_count(rate) == round(dataset.seconds * rate)
    assert waveforms.dtype == np.float32
    assert np.isfinite(waveforms).all()
    assert 0 < np.abs(waveforms).max() <= 1


def test_the_same_files_give_the_same_samples(published):
    dataset, root = published
    assert np.array_equal(dataset.waveforms(root, RATES[0]), dataset.waveforms(root, RATES[0]))


def test_all_files_are_accounted_for(published):
    dataset, root = published
    assert dataset.unexpected(root) == []


def test_other_sound_has_another_checksum(published, index, tmp_path):
    dataset, root = published
    shutil.copytree(root, tmp_path / "changed")
    files = sorted(file for file in (tmp_path / "changed").rglob("*.*") if file.is_file())
    sounds = [file for file in files if f"/{file.as_posix()}".endswith(tuple(f"/{name}" for name in index.names))]
    if not sounds:
        pytest.skip("it is generated")
    changed = bytearray(sounds[0].read_bytes())
    changed[-1] ^= 1
    sounds[0].write_bytes(changed)
    assert dataset.index(tmp_path / "changed").checksum != index.checksum


def test_a_missing_folder_is_named(published, tmp_path):
    dataset, root = published
    if not any(root.iterdir()):
        pytest.skip("it is generated")
    with pytest.raises(DataError, match="no such folder"):
        dataset.index(tmp_path)
