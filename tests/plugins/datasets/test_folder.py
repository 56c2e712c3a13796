import numpy as np
import pytest
import soundfile

from soundproof.contract.discovery import discover
from soundproof.errors import DataError, PluginError
from soundproof.types import Kind, Ref

pytestmark = pytest.mark.slow

RATE = 8000


def folder(**parameters):
    """The component as a suite would make it."""
    return discover().build(Ref(Kind.DATASET, "folder", {"path": "voices", **parameters}))


def write(path, level=0.1, samples=400, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(samples, level), rate)
    return path


@pytest.fixture
def voices(tmp_path):
    """Two classes, three formats, and what should be ignored."""
    root = tmp_path / "voices"
    write(root / "mom" / "sen_1.WAV", 0.1)
    write(root / "mom" / "sen_2.flac", 0.2)
    write(root / "me" / "sen_1.wav", 0.3, rate=16000, samples=800)
    write(root / "me" / "sen_10.Ogg", 0.4)
    write(root / "me" / ".hidden.wav")
    write(root / ".cache" / "x.wav")
    write(root / "beside.wav")
    (root / "me" / "notes.txt").write_text("no audio")
    (root / "me" / "deeper.wav").mkdir()
    return tmp_path


def test_classes_are_sorted_folders_and_clips_sorted_files(voices):
    index = folder().index(voices)
    assert index.names == ("me/sen_1.wav", "me/sen_10.Ogg", "mom/sen_1.WAV", "mom/sen_2.flac")
    assert index.classes == ("me", "mom")
    assert index.labels.tolist() == [0, 0, 1, 1]
    assert len(set(index.groups.tolist())) == 4
    assert index.folds is None


def test_clips_are_resampled_and_cut_or_padded(voices):
    data = folder(seconds=0.1)
    assert data.sample_count(RATE) == 800
    waveforms = data.waveforms(voices, RATE)
    assert waveforms.shape == (4, 800)
    # Samples in the middle of each file, away from the edges that resampling and Vorbis touch.
    assert waveforms[:, 150:250].mean(axis=1) == pytest.approx([0.3, 0.4, 0.1, 0.2], abs=0.02)
    assert not waveforms[[0, 2, 3], 401:].any()
    assert folder(seconds=0.05).waveforms(voices, RATE).shape == (4, 400)


def test_an_expected_rate_is_enforced(voices):
    with pytest.raises(DataError) as caught:
        folder(rate=RATE).index(voices)
    path = voices / "voices" / "me" / "sen_1.wav"
    assert caught.value.problems == (f"{path}: its rate is 16000 Hz, not 8000 Hz; use the original file",)


def test_a_captured_group_holds_clips_together_across_classes(voices):
    index = folder(group=r"^sen_(\d+)$").index(voices)
    same = index.groups[:, None] == index.groups
    assert same.tolist() == [
        [True, False, True, False],
        [False, True, False, False],
        [True, False, True, False],
        [False, False, False, True],
    ]


def test_every_file_without_a_recording_is_named(voices):
    with pytest.raises(DataError) as caught:
        folder(group=r"_(\d\d)|_\d").index(voices)
    names = ("me/sen_1.wav", "mom/sen_1.WAV", "mom/sen_2.flac")
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == [
        str(voices / "voices" / name) for name in names
    ]
    assert all("captures nothing here; mend it, or rename the file" in p for p in caught.value.problems)


def test_every_empty_class_is_named(voices):
    for name in ("empty", "only-text"):
        (voices / "voices" / name).mkdir()
    (voices / "voices" / "only-text" / "a.txt").write_text("")
    with pytest.raises(DataError) as caught:
        folder().index(voices)
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == [
        str(voices / "voices" / name) for name in ("empty", "only-text")
    ]


def test_one_class_is_no_data_set(tmp_path):
    write(tmp_path / "voices" / "mom" / "a.wav")
    with pytest.raises(DataError, match="voices: holds 1 class folders; it takes at least two"):
        folder().index(tmp_path)


def test_copies_of_one_file_need_one_group(voices):
    copy = voices / "voices" / "mom" / "sen_3.flac"
    copy.write_bytes((voices / "voices" / "mom" / "sen_2.flac").read_bytes())
    with pytest.raises(DataError) as caught:
        folder().index(voices)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{copy}: the same as {copy.with_name('sen_2.flac')}, but of another recording; ")
    assert folder(group=r"^(sen)_").index(voices).names[-1] == "mom/sen_3.flac"


def test_every_link_that_leads_nowhere_is_named(voices):
    links = [voices / "voices" / "me" / "lost.wav", voices / "voices" / "you"]
    for link in links:
        link.symlink_to(voices / "nowhere")
    with pytest.raises(DataError) as caught:
        folder().index(voices)
    assert {problem.partition(": ")[0] for problem in caught.value.problems} == set(map(str, links))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="voices: no such folder; set the parameter path"):
        folder().index(tmp_path)


def test_every_damaged_file_is_named(voices):
    bad = [write(voices / "voices" / "mom" / f"bad-{number}.wav") for number in range(2)]
    bad[0].write_bytes(b"")
    bad[1].write_bytes(bad[1].read_bytes()[:-10])
    for reading in (folder().index, lambda root: folder().waveforms(root, RATE)):
        with pytest.raises(DataError) as caught:
            reading(voices)
        assert [problem.partition(": ")[0] for problem in caught.value.problems] == list(map(str, bad))


def test_the_checksum_follows_content_names_and_groups(voices):
    before = folder().index(voices).checksum
    assert folder().index(voices).checksum == before
    grouped = folder(group=r"(\d+)").index(voices).checksum
    write(voices / "voices" / "mom" / "sen_2.flac", 0.25)
    louder = folder().index(voices).checksum
    (voices / "voices" / "mom").rename(voices / "voices" / "mum")
    renamed = folder().index(voices).checksum
    assert len({before, grouped, louder, renamed}) == 4


@pytest.mark.parametrize("path", ["", ".", "..", "../voices", "a/../../b", "/etc", "C:\\voices", "a\\..\\..\\b"])
def test_a_path_cannot_leave_the_data_folder(path):
    with pytest.raises(PluginError, match=r"folder.*(below the data folder|at least 1 character)"):
        folder(path=path)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"group": "("}, "is no regular expression: missing"),
        ({"group": "sen"}, "must capture one group in parentheses, not 0"),
        ({"group": "(a)(b)"}, "must capture one group in parentheses, not 2"),
        ({"seconds": 0}, "folder.seconds: Input should be greater than or equal to 0.05"),
        ({"rate": 0}, "folder.rate: Input should be greater than or equal to 1"),
    ],
)
def test_impossible_parameters_are_refused(parameters, words):
    with pytest.raises(PluginError) as caught:
        folder(**parameters)
    assert words in str(caught.value)


def test_the_path_is_required():
    with pytest.raises(PluginError, match="folder needs the parameter 'path'"):
        discover().build(Ref(Kind.DATASET, "folder"))


@pytest.mark.parametrize("name", ["folder", "spoofed-speech"])
def test_files_without_groups_are_flagged(name):
    registry = discover()
    assert registry.build(Ref(Kind.DATASET, name, {"path": "mine"})).flags == ("ungrouped",)
    assert registry.build(Ref(Kind.DATASET, name, {"path": "mine", "group": "^(.)"})).flags == ()
    assert registry.build(Ref(Kind.DATASET, "synth")).flags == ()
