import numpy as np
import pytest

from publications import table, urbansound8k, write
from soundproof.contract.discovery import discover
from soundproof.errors import DataError
from soundproof.planning.splits import fold_count, split
from soundproof.types import Kind, Ref, Scheme
from soundproof_datasets.urbansound8k import CLASSES, COLUMNS

DATA = discover().build(Ref(Kind.DATASET, "urbansound8k"))


def test_the_published_layout_is_read(tmp_path):
    _, rows = urbansound8k(tmp_path)
    index = DATA.index(tmp_path)
    by_name = {row[0]: row for row in rows}
    assert index.names == tuple(sorted(by_name))
    assert index.classes == CLASSES
    assert [CLASSES[label] for label in index.labels] == [by_name[name][7] for name in index.names]
    assert index.folds.tolist() == [by_name[name][5] for name in index.names]
    sources = np.array([by_name[name][1] for name in index.names])
    assert ((sources[:, None] == sources) == (index.groups[:, None] == index.groups)).all()
    assert fold_count(index, Scheme.OFFICIAL) == 3
    parts = split(index, Scheme.OFFICIAL, 2)
    assert set(index.folds[parts.test]) == {3}
    assert not parts.leaky


def test_mixed_rates_depths_and_channels_become_one_array(tmp_path):
    urbansound8k(tmp_path)
    waveforms = DATA.waveforms(tmp_path, 16000)
    assert waveforms.shape == (120, 64000)
    # The middle of each constant clip, away from the resampler's edges; 8-bit µ-law is the coarsest.
    level = 0.05 * (DATA.index(tmp_path).labels + 1)
    assert np.abs(waveforms[:, 140:180].mean(axis=1) - level).max() < 0.02
    assert not waveforms[:, 400:].any()


def test_everything_that_is_wrong_is_told_at_once(tmp_path):
    folder, rows = urbansound8k(tmp_path, folds=2)
    audio = folder / "audio"
    missing, cut = audio / "fold1" / rows[0][0], audio / "fold1" / rows[1][0]
    missing.unlink()
    cut.write_bytes(cut.read_bytes()[:-20])
    for file in (audio / "fold2").iterdir():
        file.unlink()
    (audio / "fold2").rmdir()
    faults = {
        5: ("class 'dog_barf' is not number 1", [*rows[5][:7], "dog_barf"]),
        6: ("fold 11 is not in 1 to 10", [*rows[6][:5], 11, *rows[6][6:]]),
        7: ("does not fit the other columns", ["7-" + rows[7][0], *rows[7][1:]]),
        8: ("fsID is 'x', not a number", [rows[8][0], "x", *rows[8][2:]]),
        9: ("3 columns, not 8", rows[9][:3]),
        10: ("the slice in the file name is '../x'", [f"{rows[10][1]}-{rows[10][6]}-0-../x.wav", *rows[10][1:]]),
    }
    listed = [faults[number][1] if number in faults else row for number, row in enumerate(rows)]
    table(folder / "metadata" / "UrbanSound8K.csv", COLUMNS, [*listed, rows[2]])
    for reading in (DATA.index, lambda root: DATA.waveforms(root, 8000)):
        with pytest.raises(DataError) as caught:
            reading(tmp_path)
        problems = caught.value.problems
        assert len(problems) == len(faults) + 4
        for number, (words, _) in faults.items():
            (problem,) = [text for text in problems if f"UrbanSound8K.csv:{number + 2}: " in text]
            assert words in problem
        assert any(f"{rows[2][0]} is listed more than once" in problem for problem in problems)
        assert f"{audio / 'fold2'}: missing, with 40 clips; restore it from the original distribution" in problems
        assert any(problem.startswith(f"{missing}: missing") for problem in problems)
        assert any(problem.startswith(f"{cut}: truncated") for problem in problems)


def test_files_that_no_row_lists_are_only_named(tmp_path):
    folder, _ = urbansound8k(tmp_path)
    before = DATA.index(tmp_path).checksum
    assert DATA.unexpected(tmp_path) == []
    write(folder / "audio" / "fold1" / "1-2-3-4.wav")
    (folder / "audio" / "fold1" / ".DS_Store").write_bytes(b"x")
    (folder / "audio" / "readme.txt").write_text("x")
    assert DATA.unexpected(tmp_path) == ["audio/fold1/1-2-3-4.wav"]
    assert DATA.index(tmp_path).checksum == before


def test_without_the_folder_or_the_table_the_message_says_what_to_do(tmp_path):
    with pytest.raises(
        DataError, match="UrbanSound8K: no such folder; get it with `bench data fetch urbansound8k`"
    ):
        DATA.index(tmp_path)
    folder, _ = urbansound8k(tmp_path)
    (folder / "metadata" / "UrbanSound8K.csv").write_text("slice,fsID\n")
    with pytest.raises(
        DataError, match=r"UrbanSound8K\.csv: its header is 'slice,fsID', not 'slice_file_name,fsID,"
    ):
        DATA.index(tmp_path)


def test_the_published_sizes_agree():
    assert sum(DATA.class_sizes) == sum(DATA.fold_sizes) == 8732
