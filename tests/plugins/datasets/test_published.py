"""What published data sets have in common."""

import shutil

import numpy as np

from publications import fsdd
from soundproof.contract.discovery import discover
from soundproof.types import Kind, Ref


def groups(root):
    index = discover().build(Ref(Kind.DATASET, "fsdd")).index(root)
    return index, dict(zip(index.names, index.groups.tolist(), strict=True))


def test_groups_that_hold_copies_of_one_file_become_one(tmp_path):
    """Two copies chain three of four speakers together."""
    folder = fsdd(tmp_path, speakers=("ann", "bob", "cleo", "dan"), takes=2) / "recordings"
    index, before = groups(tmp_path)
    assert [before[f"0_{name}_0.wav"] for name in ("ann", "bob", "cleo", "dan")] == [0, 1, 2, 3]
    shutil.copy(folder / "1_ann_0.wav", folder / "1_cleo_1.wav")
    shutil.copy(folder / "2_cleo_0.wav", folder / "2_dan_1.wav")
    changed, after = groups(tmp_path)
    assert [after[f"0_{name}_0.wav"] for name in ("ann", "bob", "cleo", "dan")] == [0, 1, 0, 0]
    assert np.array_equal(index.labels, changed.labels)
    assert changed.groups.dtype == np.int64
