import pytest

from publications import sc09, speech_commands, write
from soundproof.contract.discovery import discover
from soundproof.errors import DataError
from soundproof.planning.splits import fold_count, split
from soundproof.types import Kind, Ref, Scheme
from soundproof_datasets.sc09 import CLASSES

DATA = discover().build(Ref(Kind.DATASET, "sc09"))


def speakers(index, rows):
    return {index.names[row].split("/")[1].split("_")[0] for row in rows}


def test_the_original_folders_and_lists(tmp_path):
    folder = speech_commands(tmp_path)
    index = DATA.index(tmp_path)
    assert index.classes == CLASSES
    assert len(index.names) == 10 * 12 * 2
    assert all(
        name.startswith(f"{CLASSES[label]}/") for name, label in zip(index.names, index.labels, strict=True)
    )
    assert len(set(index.groups)) == 12
    assert fold_count(index, Scheme.OFFICIAL) == 1
    parts = split(index, Scheme.OFFICIAL, 0)
    assert not parts.leaky
    listed = (folder / "testing_list.txt").read_text().split()
    assert {index.names[row] for row in parts.test} == {path for path in listed if not path.startswith("bed/")}
    assert speakers(index, parts.validation) == {"00000002"}
    assert not split(index, Scheme.GROUP70, 0).leaky
    assert DATA.waveforms(tmp_path, 16000).shape == (240, 16000)
    assert DATA.unexpected(tmp_path) == []


def test_the_repacked_folders(tmp_path):
    sc09(tmp_path)
    index = DATA.index(tmp_path)
    assert len(index.names) == 90
    assert index.classes == CLASSES
    for name, label in zip(index.names, index.labels, strict=True):
        assert name.split("/")[1].startswith(f"{CLASSES[label].title()}_")
    assert len(set(index.groups)) == 90
    parts = split(index, Scheme.OFFICIAL, 0)
    for part, name in (("train", "train"), ("validation", "valid"), ("test", "test")):
        assert {index.names[row].split("/")[0] for row in getattr(parts, part)} == {name}
    assert not parts.leaky


def test_repacked_names_may_tell_the_speaker(tmp_path):
    sc09(tmp_path, ident="00ab{:04d}_nohash_0")
    index = DATA.index(tmp_path)
    # Three speakers who say every word in every part: the names tell, and the split says so.
    assert len(set(index.groups)) == 3
    assert split(index, Scheme.OFFICIAL, 0).leaky


def test_what_is_wrong_in_the_original_layout_is_told_at_once(tmp_path):
    folder = speech_commands(tmp_path)
    listed = (folder / "testing_list.txt").read_text().split()
    gone = folder / listed[0]
    gone.unlink()
    for file in (folder / "nine").iterdir():
        file.unlink()
    (folder / "nine").rmdir()
    with (folder / "validation_list.txt").open("a") as lists:
        lists.write(f"{listed[1]}\nzero/../../x.wav\nzero\n")
    write(folder / "one" / "00000009_nohash_0.wav", rate=8000)
    with pytest.raises(DataError) as caught:
        DATA.index(tmp_path)
    problems = "\n".join(caught.value.problems)
    for words in (
        f"{gone}: missing",
        f"{folder / 'nine'}: missing",
        f"{folder / listed[1]}: listed in both of validation_list.txt and testing_list.txt",
        "'zero/../../x.wav' is not WORD/NAME.wav",
        "'zero' is not WORD/NAME.wav",
        f"{folder / 'one' / '00000009_nohash_0.wav'}: its rate is 8000 Hz",
    ):
        assert words in problems
    (folder / "testing_list.txt").unlink()
    with pytest.raises(DataError, match=r"testing_list\.txt: missing"):
        DATA.index(tmp_path)


def test_what_is_wrong_in_the_repacked_layout_is_told_at_once(tmp_path):
    folder = sc09(tmp_path)
    write(folder / "train" / "Ten_0001.wav")
    (folder / "train" / "One_0001.wav").write_bytes(b"")
    for file in (folder / "test").iterdir():
        file.unlink()
    (folder / "test").rmdir()
    with pytest.raises(DataError) as caught:
        DATA.index(tmp_path)
    missing, name, empty = sorted(caught.value.problems)
    assert missing.startswith(f"{folder / 'test'}: missing")
    assert "Ten_0001.wav: not named WORD_ID.wav with a word of Zero, One, " in empty
    assert "One_0001.wav: empty" in name


def test_strangers_are_named(tmp_path):
    folder = speech_commands(tmp_path)
    write(folder / "zero" / "x.ogg")
    assert DATA.unexpected(tmp_path) == ["zero/x.ogg"]
