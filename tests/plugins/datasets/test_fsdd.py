import numpy as np
import pytest

from publications import fsdd, write
from soundproof.contract.discovery import discover
from soundproof.errors import DataError, PluginError
from soundproof.planning.splits import fold_count, split
from soundproof.types import Kind, Ref, Scheme

pytestmark = pytest.mark.slow


def data(**parameters):
    return discover().build(Ref(Kind.DATASET, "fsdd", parameters))


def test_file_names_tell_everything(tmp_path):
    fsdd(tmp_path)
    index = data().index(tmp_path)
    assert len(index.names) == 210
    assert index.classes == tuple("0123456789")
    for name, label, group in zip(index.names, index.labels, index.groups, strict=True):
        digit, speaker, _ = name.split("_")
        assert int(digit) == label
        assert ("ann", "bob", "cleo")[group] == speaker


def test_by_default_official_holds_out_one_speaker_a_fold(tmp_path):
    fsdd(tmp_path)
    index = data().index(tmp_path)
    assert fold_count(index, Scheme.OFFICIAL) == 3
    for fold, speaker in enumerate(("ann", "bob", "cleo")):
        parts = split(index, Scheme.OFFICIAL, fold)
        heard = {
            part: {index.names[row].split("_")[1] for row in getattr(parts, part)}
            for part in ("train", "validation", "test")
        }
        assert heard["test"] == {speaker}
        assert len(heard["validation"]) == len(heard["train"]) == 1
        assert not parts.leaky


def test_the_published_part_tests_five_takes_and_is_leaky(tmp_path):
    fsdd(tmp_path)
    index = data(held_out="takes").index(tmp_path)
    assert fold_count(index, Scheme.OFFICIAL) == 1
    parts = split(index, Scheme.OFFICIAL, 0)
    assert parts.leaky
    takes = np.array([int(name[:-4].rpartition("_")[2]) for name in index.names])
    assert set(takes[parts.test]) == {0, 1, 2, 3, 4}
    assert set(takes[np.concatenate([parts.train, parts.validation])]) == {5, 6}
    assert index.checksum != data().index(tmp_path).checksum


def test_group70_tests_two_of_six_speakers(tmp_path):
    fsdd(tmp_path, speakers="abcdef", takes=1)
    index = data().index(tmp_path)
    assert fold_count(index, Scheme.GROUP70) == 4
    parts = split(index, Scheme.GROUP70, 0)
    speakers = index.groups
    heard = [set(speakers[part]) for part in (parts.train, parts.validation, parts.test)]
    assert [len(part) for part in heard] == [3, 1, 2]
    assert set.union(*heard) == set(range(6))


def test_every_missing_damaged_and_misnamed_file_is_told_at_once(tmp_path):
    recordings = fsdd(tmp_path) / "recordings"
    (recordings / "3_bob_2.wav").unlink()
    (recordings / "9_cleo_6.wav").unlink()
    (recordings / "0_ann_0.wav").write_bytes(b"")
    write(recordings / "5_ann_1.wav", rate=16000)
    write(recordings / "ten_ann_0.wav")
    with pytest.raises(DataError) as caught:
        data().index(tmp_path)
    told = {problem.partition(": ")[0].rpartition("/")[2]: problem for problem in caught.value.problems}
    assert set(told) == {"3_bob_2.wav", "9_cleo_6.wav", "0_ann_0.wav", "5_ann_1.wav", "ten_ann_0.wav"}
    assert "missing" in told["3_bob_2.wav"]
    assert "16000 Hz, not 8000 Hz" in told["5_ann_1.wav"]
    assert "not named DIGIT_SPEAKER_TAKE.wav" in told["ten_ann_0.wav"]


def test_an_empty_folder_is_no_data_set(tmp_path):
    (tmp_path / "free-spoken-digit-dataset" / "recordings").mkdir(parents=True)
    with pytest.raises(DataError, match="free-spoken-digit-dataset: holds no clips"):
        data().index(tmp_path)


def test_clips_have_the_length_that_was_asked_for(tmp_path):
    fsdd(tmp_path, speakers="a", takes=1)
    assert data().waveforms(tmp_path, 8000).shape == (10, 8000)
    assert data(seconds=0.5).waveforms(tmp_path, 16000).shape == (10, 8000)
    with pytest.raises(PluginError, match=r"fsdd\.held_out"):
        data(held_out="nobody")


def test_the_real_recordings(real_audio):
    if not (real_audio / "free-spoken-digit-dataset").is_dir():
        pytest.skip("SOUNDPROOF_DATA holds no free-spoken-digit-dataset")
    index = data().index(real_audio)
    assert np.bincount(index.labels).tolist() == list(data().class_sizes)
    assert np.bincount(index.groups).tolist() == [500] * 6
    assert data().unexpected(real_audio) == []
    tested = [split(index, Scheme.OFFICIAL, fold) for fold in range(6)]
    assert not any(parts.leaky for parts in tested)
    assert sorted(np.concatenate([parts.test for parts in tested])) == list(range(3000))
    published = data(held_out="takes").index(real_audio)
    assert len(split(published, Scheme.OFFICIAL, 0).test) == 300
    waveforms = data().waveforms(real_audio, 8000)
    assert waveforms.shape == (3000, 8000)
    assert (np.abs(waveforms).max(axis=1) > 0.01).all()


def test_speakers_can_be_what_is_recognised(tmp_path):
    fsdd(tmp_path)
    index = data(classes="speakers", speakers=["ann", "cleo"]).index(tmp_path)
    assert index.classes == ("ann", "cleo")
    assert len(index.names) == 140
    assert all(index.classes[label] in name for name, label in zip(index.names, index.labels, strict=True))
    # The same digit's take of both voices is one group: sentences do not cross.
    takes = {tuple(name.split("_")[::2]) for name in index.names}
    assert len(np.unique(index.groups)) == len(takes) == 70
    with pytest.raises(DataError, match="nobody is called 'dora'; set speakers to some of ann, bob, cleo"):
        data(classes="speakers", speakers=["dora"]).index(tmp_path)
