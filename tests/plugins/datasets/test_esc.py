import csv
import io

import numpy as np
import pytest
import soundfile

from soundproof.contract.discovery import discover
from soundproof.errors import DataError
from soundproof.planning.splits import split
from soundproof.types import Kind, Ref, Scheme
from soundproof_datasets.esc import ALL_TARGETS, COLUMNS, ESC10_TARGETS

pytestmark = pytest.mark.slow

RATE = 44100
ESC10 = discover().build(Ref(Kind.DATASET, "esc10"))
ESC50 = discover().build(Ref(Kind.DATASET, "esc50"))


def wav(seed, rate=RATE):
    """A small WAV file whose level tells its seed."""
    content = io.BytesIO()
    soundfile.write(content, np.full(441, seed / 32768), rate, format="WAV", subtype="PCM_16")
    return content.getvalue()


def rows_of(targets):
    """Eight clips a target and fold, as published; takes A and B come from one recording."""
    for target in targets:
        for fold in range(1, 6):
            for number in range(8):
                source = 100_000 + 1000 * target + 10 * fold + number // 2
                take = "AB"[number % 2]
                name = f"{fold}-{source}-{take}-{target}.wav"
                yield [name, fold, target, f"sound_{target:02d}", target in ESC10_TARGETS, source, take]


def lay_out(root, targets, rows=None):
    """`ESC-50-master` with the clips of these targets, and a table of these rows."""
    folder = root / "ESC-50-master"
    (folder / "audio").mkdir(parents=True)
    (folder / "meta").mkdir()
    for seed, row in enumerate(rows_of(targets)):
        (folder / "audio" / row[0]).write_bytes(wav(seed))
    write_table(folder, list(rows_of(targets)) if rows is None else rows)
    return folder


def write_table(folder, rows, header=COLUMNS):
    with (folder / "meta" / "esc50.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def esc10_only(tmp_path):
    return lay_out(tmp_path, ESC10_TARGETS)


def test_the_whole_distribution(tmp_path):
    folder = lay_out(tmp_path, ALL_TARGETS)
    for dataset, targets in ((ESC50, ALL_TARGETS), (ESC10, ESC10_TARGETS)):
        index = dataset.index(tmp_path)
        assert sorted(index.names) == sorted(row[0] for row in rows_of(targets))
        assert index.classes == tuple(f"sound_{target:02d}" for target in targets)
        for name, label, fold in zip(index.names, index.labels, index.folds, strict=True):
            assert name.endswith(f"-{targets[label]}.wav")
            assert name.startswith(f"{fold}-")
        sources = [name.split("-")[1] for name in index.names]
        pairs = set(zip(sources, index.groups.tolist(), strict=True))
        assert len(pairs) == len(set(sources)) == len(set(index.groups.tolist()))
    checksum = ESC50.index(tmp_path).checksum
    (folder / "audio" / "not-in-the-table.wav").write_bytes(b"")
    write_table(folder, list(rows_of(ALL_TARGETS))[::-1])
    assert ESC50.index(tmp_path).checksum == checksum


def test_waveforms_stand_in_the_order_of_the_index(tmp_path, esc10_only):
    waveforms = ESC10.waveforms(tmp_path, 8000)
    assert waveforms.shape == (400, 40000)
    level = {row[0]: seed for seed, row in enumerate(rows_of(ESC10_TARGETS))}
    names = ESC10.index(tmp_path).names
    # A sample amid the 10 ms of sound, away from the resampler's edges: louder and louder.
    assert (np.argsort(waveforms[:, 40]) == np.argsort([level[name] for name in names])).all()


def test_esc10_needs_no_more_than_its_own_clips(tmp_path, esc10_only):
    index = ESC10.index(tmp_path)
    assert len(index.names) == 400
    for fold in range(5):
        assert not split(index, Scheme.OFFICIAL, fold).leaky
    with pytest.raises(DataError) as caught:
        ESC50.index(tmp_path)
    (problem,) = caught.value.problems
    assert problem == (
        f"{esc10_only}: 1600 of the 2000 clips of ESC-50 are missing (1600 not listed in meta/esc50.csv, e.g. of "
        "targets 2, 3, 4); unpack https://github.com/karolpiczak/ESC-50 there again, or use esc10"
    )


def test_a_full_table_with_the_clips_of_esc10_names_the_files_that_are_missing(tmp_path):
    folder = lay_out(tmp_path, ESC10_TARGETS, list(rows_of(ALL_TARGETS)))
    assert len(ESC10.index(tmp_path).names) == 400
    with pytest.raises(DataError) as caught:
        ESC50.waveforms(tmp_path, RATE)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{folder}: 1600 of the 2000 clips of ESC-50 are missing (no 1-102010-A-2.wav, ")
    assert " and 1597 more in audio)" in problem


def test_missing_files_and_rows_are_counted_together(tmp_path, esc10_only):
    rows = list(rows_of(ESC10_TARGETS))
    write_table(esc10_only, rows[:-3])
    (esc10_only / "audio" / rows[0][0]).unlink()
    with pytest.raises(DataError) as caught:
        ESC10.index(tmp_path)
    assert caught.value.problems == (
        (
            f"{esc10_only}: 4 of the 400 clips of ESC-10 are missing (no {rows[0][0]} in audio; 3 not listed in "
            "meta/esc50.csv, e.g. of targets 41); unpack https://github.com/karolpiczak/ESC-50 there again"
        ),
        f"{esc10_only / 'audio' / rows[0][0]}: missing; restore it from the original distribution",
    )


def test_every_damaged_clip_is_named(tmp_path, esc10_only):
    names = [row[0] for row in rows_of(ESC10_TARGETS)]
    audio = esc10_only / "audio"
    (audio / names[3]).write_bytes(wav(3)[:-100])
    (audio / names[5]).write_bytes(wav(5, rate=22050))
    (audio / names[7]).write_bytes(b"")
    for reading in (ESC10.index, lambda root: ESC10.waveforms(root, 8000)):
        with pytest.raises(DataError) as caught:
            reading(tmp_path)
        found = {problem.partition(": ")[0]: problem for problem in caught.value.problems}
        assert set(found) == {str(audio / names[number]) for number in (3, 5, 7)}
        assert "22050 Hz, not 44100 Hz" in found[str(audio / names[5])]


def test_the_checksum_follows_audio_labels_groups_and_folds(tmp_path, esc10_only):
    before = ESC10.index(tmp_path).checksum
    rows = list(rows_of(ESC10_TARGETS))
    (esc10_only / "audio" / rows[0][0]).write_bytes(wav(9999))
    changed = ESC10.index(tmp_path).checksum
    assert changed != before
    for row in rows:
        row[3] = row[3].upper()
    write_table(esc10_only, rows)
    assert ESC10.index(tmp_path).checksum not in {before, changed}


def test_without_the_folder_the_message_says_where_it_belongs(tmp_path):
    with pytest.raises(
        DataError, match=r"ESC-50-master: no such folder; .*`bench data fetch esc10`.* with --data"
    ):
        ESC10.index(tmp_path)
    (tmp_path / "ESC-50-master").mkdir()
    with pytest.raises(DataError, match=r"ESC-50-master/meta/esc50\.csv: missing; unpack https://.* with --data"):
        ESC10.index(tmp_path)


@pytest.mark.parametrize("header", [COLUMNS[:-1], ("name", *COLUMNS[1:]), ()])
def test_another_header_is_refused(tmp_path, esc10_only, header):
    write_table(esc10_only, rows_of(ESC10_TARGETS), header)
    with pytest.raises(DataError, match=r"esc50\.csv: its header is '.*', not 'filename,fold,target,"):
        ESC10.index(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01 no text \x80"])
def test_a_table_that_is_none_is_refused(tmp_path, esc10_only, content):
    (esc10_only / "meta" / "esc50.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"esc50\.csv: (not a readable CSV file|its header is '')"):
        ESC10.index(tmp_path)


def test_every_row_that_is_not_as_published_is_named(tmp_path, esc10_only):
    rows = list(rows_of(ESC10_TARGETS))
    changes = {
        2: (slice(6, None), [], "6 columns, not 7"),
        3: (slice(1, 2), ["one"], "fold is 'one', not a number"),
        4: (slice(1, 2), [6], "fold 6 and target 0 are not in 1 to 5 and 0 to 49"),
        5: (slice(2, 3), [50], "fold 1 and target 50 are not in 1 to 5 and 0 to 49"),
        6: (slice(4, 5), ["False"], "esc10 is 'False' for target 0"),
        7: (slice(3, 4), [""], "category '' and take 'B' are not a name and a letter"),
        8: (slice(0, 1), ["../../../secret.wav"], "the file name '../../../secret.wav' does not fit"),
        9: (slice(5, 6), ["²"], "src_file is '²', not a number"),
    }
    for line, (columns, values, _) in changes.items():
        rows[line - 2][columns] = values
    rows[20][3] = "cat"
    write_table(esc10_only, [*rows, rows[-1]])
    with pytest.raises(DataError) as caught:
        ESC10.index(tmp_path)
    path = esc10_only / "meta" / "esc50.csv"
    *problems, repeated, renamed = caught.value.problems
    assert len(problems) == len(changes)
    for problem, (line, (_, _, words)) in zip(problems, changes.items(), strict=True):
        assert problem.startswith(f"{path}:{line}: ")
        assert words in problem
    assert repeated.startswith(f"{path}: {rows[-1][0]} is listed more than once")
    assert renamed.startswith(f"{path}: target 0 has 2 different categories")


def test_real_esc10(real_audio):
    if not (real_audio / "ESC-50-master").is_dir():
        pytest.skip("the data folder holds no ESC-50-master")
    index = ESC10.index(real_audio)
    assert index.classes == (
        *("dog", "rooster", "rain", "sea_waves", "crackling_fire"),
        *("crying_baby", "sneezing", "clock_tick", "helicopter", "chainsaw"),
    )
    assert np.bincount(index.labels).tolist() == [40] * 10
    # The publisher promises that no recording crosses folds.
    assert all(len(set(index.folds[index.groups == group])) == 1 for group in set(index.groups))
    for scheme in (Scheme.GROUP70, Scheme.OFFICIAL):
        parts = split(index, scheme, 0)
        assert not parts.leaky
        share = np.bincount(index.labels[parts.test], minlength=10) / 40
        assert share == pytest.approx([0.3 if scheme is Scheme.GROUP70 else 0.2] * 10, abs=0.08)
    waveforms = ESC10.waveforms(real_audio, 8000)
    assert waveforms.shape == (400, 40000)
    assert (np.abs(waveforms).max(axis=1) > 0).all()
