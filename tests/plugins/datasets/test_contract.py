"""What holds for every data set that is installed, on a small folder in each of its layouts."""

import shutil

import numpy as np
import pytest

from installed import registry
from publications import LAYOUTS
from soundproof import DataError, Kind, Ref
from soundproof.conformance import checks_of, promised

pytestmark = pytest.mark.slow

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


@pytest.fixture(scope="module")
def promises(published):
    """The checks of what every data set promises, by name."""
    dataset, root = published
    return {check.name: check for check in checks_of(dataset, registry=registry(), root=root)}


@pytest.mark.parametrize("name", promised("dataset"))
def test_it_keeps_its_promises(promises, name):
    promises[name]()


def test_the_index_is_the_same_wherever_the_folder_lies(published, index, tmp_path):
    dataset, root = published
    shutil.copytree(root, tmp_path / "moved")
    moved = dataset.index(tmp_path / "moved")
    assert (moved.names, moved.classes, moved.checksum) == (index.names, index.classes, index.checksum)
    assert index.checksum
    for column in ("labels", "groups", "folds"):
        assert np.array_equal(getattr(moved, column), getattr(index, column))


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
