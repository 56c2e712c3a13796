import numpy as np
import pytest

from publications import asvspoof, regrouped, write
from soundproof.contract.discovery import discover
from soundproof.errors import DataError
from soundproof.planning.splits import split
from soundproof.types import Kind, Ref, Scheme

DATA = discover().build(Ref(Kind.DATASET, "asvspoof2019-la"))


def test_the_published_protocols(tmp_path):
    asvspoof(tmp_path)
    index = DATA.index(tmp_path)
    assert index.classes == ("bonafide", "spoof")
    assert np.bincount(index.labels).tolist() == [12, 24]
    assert len(set(index.groups)) == 12
    parts = split(index, Scheme.OFFICIAL, 0)
    assert not parts.leaky
    for part, letter in (("train", "T"), ("validation", "D"), ("test", "E")):
        rows = getattr(parts, part)
        assert {index.names[row][:5] for row in rows} == {f"LA_{letter}_"}
        assert np.bincount(index.labels[rows]).tolist() == [4, 8]
    assert not split(index, Scheme.GROUP70, 0).leaky
    assert DATA.waveforms(tmp_path, 16000).shape == (36, 64000)


def test_enrolment_utterances_are_expected_and_strangers_are_not(tmp_path):
    folder = asvspoof(tmp_path)
    assert DATA.unexpected(tmp_path) == []
    write(folder / "ASVspoof2019_LA_dev" / "flac" / "LA_D_A79.flac")
    assert DATA.unexpected(tmp_path) == ["ASVspoof2019_LA_dev/flac/LA_D_A79.flac"]


def test_the_regrouped_folders(tmp_path):
    regrouped(tmp_path)
    index = DATA.index(tmp_path)
    assert len(index.names) == 18
    assert [index.classes[label] for label in index.labels] == [name.split("/")[1] for name in index.names]
    assert len(set(index.groups)) == 18
    parts = split(index, Scheme.OFFICIAL, 0)
    for part, name in (("train", "train"), ("validation", "dev"), ("test", "eval")):
        assert {index.names[row].split("/")[0] for row in getattr(parts, part)} == {name}


def test_what_is_wrong_with_the_protocols_and_files_is_told_at_once(tmp_path):
    folder = asvspoof(tmp_path)
    protocols = folder / "ASVspoof2019_LA_cm_protocols"
    train = protocols / "ASVspoof2019.LA.cm.train.trn.txt"
    first, second, *rest = train.read_text().splitlines()
    bad = [
        "LA_T0 LA_T_1 - - fake",
        "LA_T0 LA_T_2 - A01 bonafide",
        "LA_T0 ../x - - bonafide",
        "LA_T0 LA_T_3",
        second,
    ]
    train.write_text("\n".join([first, second, *rest, *bad]))
    (protocols / "ASVspoof2019.LA.cm.eval.trl.txt").unlink()
    gone = folder / "ASVspoof2019_LA_train" / "flac" / f"{first.split()[1]}.flac"
    gone.unlink()
    with pytest.raises(DataError) as caught:
        DATA.index(tmp_path)
    problems = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 7
    for words in (
        "the key 'fake' is not one of bonafide, spoof",
        "the system 'A01' does not fit the key 'bonafide'",
        "'../x' is not a file's name",
        "train.trn.txt:16: 2 columns, not 5",
        "listed more than once",
        "ASVspoof2019.LA.cm.eval.trl.txt: missing",
        f"{gone}: missing",
    ):
        assert words in problems


def test_what_is_wrong_with_the_folders_is_told_at_once(tmp_path):
    folder = regrouped(tmp_path)
    (folder / "dev" / "spoof").rename(folder / "dev" / "spoofed")
    (folder / "eval" / "bonafide" / "LA_1.flac").write_bytes(b"no audio")
    with pytest.raises(DataError) as caught:
        DATA.index(tmp_path)
    name, empty, damaged = caught.value.problems
    assert name == f"{folder / 'dev' / 'spoofed'}: no class; the folders must be called bonafide and spoof"
    assert empty == f"{folder / 'dev' / 'spoof'}: holds no FLAC files; add them"
    assert damaged.startswith(f"{folder / 'eval' / 'bonafide' / 'LA_1.flac'}: not decodable")


def test_the_published_sizes_agree():
    assert sum(DATA.class_sizes) == sum(DATA.fold_sizes) == 121_461
