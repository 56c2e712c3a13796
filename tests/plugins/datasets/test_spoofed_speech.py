"""A bonafide/spoof set made from a folder: names, groups, reproducibility, and no give-away but the spoof."""

import numpy as np
import pytest
import soundfile

from soundproof import DataError
from soundproof.contract.discovery import discover
from soundproof.errors import PluginError
from soundproof.planning.splits import split
from soundproof.types import Kind, Ref, Scheme
from soundproof_augmentations.spoof import Spoof
from soundproof_datasets.spoofed_speech import SpoofedSpeech

pytestmark = pytest.mark.slow

CHEAP = ["limiter", "compressor", "butterworth"]


def spoof(*transformations):
    return {"id": "spoof", "transformations": list(transformations)}


def speech(**parameters):
    entry = {"path": "speech", "seconds": 0.25, "augmentation": spoof(*CHEAP), **parameters}
    return discover().build(Ref(Kind.DATASET, "spoofed-speech", entry))


def write(path, seed=0, rate=16000, seconds=0.25):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(seed).uniform(-0.5, 0.5, round(rate * seconds)), rate)


@pytest.fixture
def recordings(tmp_path):
    """Three speakers, two files each, in folders and beside them."""
    for number, name in enumerate(
        ["a/ann_0.wav", "a/ann_1.flac", "b/bob_0.wav", "b/bob_1.wav", "cat_0.wav", "cat_1.wav"]
    ):
        write(tmp_path / "speech" / name, number)
    write(tmp_path / "speech" / ".hidden" / "x.wav")
    (tmp_path / "speech" / "notes.txt").write_text("no audio")
    return tmp_path


def test_every_recording_is_followed_by_its_copies(recordings):
    index = speech(copies=2).index(recordings)
    originals = [name for name in index.names if "#" not in name]
    assert originals == ["a/ann_0.wav", "a/ann_1.flac", "b/bob_0.wav", "b/bob_1.wav", "cat_0.wav", "cat_1.wav"]
    assert index.classes == ("bonafide", "spoof")
    assert index.labels.tolist() == [0, 1, 1] * 6
    assert index.groups.tolist() == [group for group in range(6) for _ in range(3)]
    assert index.folds is None
    for row, name in enumerate(index.names):
        recording, _, copy = name.partition("#")
        assert recording == originals[row // 3]
        if copy:
            assert int(copy) == row % 3 - 1


def test_bonafide_clips_are_the_recordings_and_copies_are_not(recordings):
    clips = speech().waveforms(recordings, 16000)
    assert clips.shape == (12, 4000)
    assert np.abs(clips).max() <= 1
    stored, _ = soundfile.read(recordings / "speech" / "a/ann_0.wav", dtype="float32")
    np.testing.assert_array_equal(clips[0], stored)
    for recording, copy in clips.reshape(6, 2, -1):
        assert np.abs(recording - copy).max() > 0.01


@pytest.mark.parametrize("group", [r"^([a-z]+)_", None])
def test_copies_never_cross_a_split(recordings, group):
    for number in range(4):
        for speaker in "defghijklm":
            write(recordings / "speech" / f"{speaker}_{number}.wav", 100 * ord(speaker) + number)
    index = speech(group=group, copies=2).index(recordings)
    for fold in range(3):
        parts = split(index, Scheme.GROUP70, fold)
        held = [
            {index.names[row].partition("#")[0] for row in part}
            for part in (parts.train, parts.validation, parts.test)
        ]
        speakers = [{name.split("/")[-1].split("_")[0] for name in part} for part in held]
        for mine in range(3):
            for other in range(mine):
                assert not held[mine] & held[other]
                if group:
                    assert not speakers[mine] & speakers[other]


def test_a_copy_depends_on_its_own_name_and_seed_alone(recordings):
    data = speech()
    before, names = data.waveforms(recordings, 16000), data.index(recordings).names
    write(recordings / "speech" / "a/aaa.wav", 77)
    after = data.waveforms(recordings, 16000)
    assert data.index(recordings).names[2:] == names
    np.testing.assert_array_equal(after[2:], before)
    other = speech(seed=1)
    assert not np.array_equal(other.waveforms(recordings, 16000)[1::2], after[1::2])
    np.testing.assert_array_equal(other.waveforms(recordings, 16000)[::2], after[::2])


def test_the_checksum_tells_what_changed(recordings):
    first = speech().index(recordings).checksum
    assert speech().index(recordings).checksum == first
    others = [
        speech(seed=1),
        speech(copies=2),
        speech(seconds=0.5),
        speech(augmentation=spoof("limiter")),
    ]
    assert first not in {other.index(recordings).checksum for other in others}
    write(recordings / "speech" / "cat_1.wav", 99)
    assert speech().index(recordings).checksum != first


def test_no_band_gives_the_copies_away(recordings):
    """A recording at 44.1 kHz holds frequencies that transformed copies cannot have: both lose them."""
    write(recordings / "speech" / "a/ann_0.wav", rate=44100)
    clips = speech().waveforms(recordings, 44100)
    power = np.abs(np.fft.rfft(clips[:2] * np.hanning(clips.shape[1]))) ** 2
    above = np.fft.rfftfreq(clips.shape[1], 1 / 44100) > 8300
    assert (power[:, above].sum(axis=1) < 1e-4 * power.sum(axis=1)).all()


def test_another_rate_is_the_same_sound(recordings):
    high, low = (speech().waveforms(recordings, rate) for rate in (16000, 8000))
    assert low.shape == (12, 2000)
    spectra = [np.fft.rfft(clips)[:, 20:800] / clips.shape[1] for clips in (high, low)]
    error = np.linalg.norm(spectra[1] - spectra[0], axis=1) / np.linalg.norm(spectra[0], axis=1)
    # What is cut at full scale is cut anew.
    assert error.max() < 0.05


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"path": "../elsewhere"}, "must name a folder below the data folder"),
        ({"group": "("}, "is no regular expression"),
        ({"group": "a"}, "must capture one group"),
        ({"augmentation": spoof("mix")}, "transformations mix are unknown"),
        ({"seconds": 0.1}, "greater than or equal to 0.25"),
    ],
)
def test_wrong_parameters(parameters, message):
    with pytest.raises(PluginError, match=message):
        speech(**parameters)


def test_wrong_folders(recordings):
    with pytest.raises(DataError, match="no such folder; set the parameter path"):
        speech(path="nothing").index(recordings)
    (recordings / "empty").mkdir()
    with pytest.raises(DataError, match=r"holds no \.flac, \.ogg, \.wav file"):
        speech(path="empty").index(recordings)
    with pytest.raises(DataError) as caught:
        speech(group=r"^(ann)_").index(recordings)
    assert len(caught.value.problems) == 4


def test_real_speech(real_audio):
    """Spoken digits: every copy differs from its recording, and none is silent."""
    folder = real_audio / "free-spoken-digit-dataset" / "recordings"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    data = discover().build(Ref(Kind.DATASET, "spoofed-speech", {"path": "free-spoken-digit-dataset/recordings"}))
    some = sorted(folder.glob("*.wav"))[::400]

    class Some(type(data)):
        def _files(self, root):
            return some

    few = Some(path=data.path, augmentation=data.augmentation)
    clips = few.waveforms(real_audio, 8000).reshape(len(some), 2, -1)
    assert np.isfinite(clips).all()
    # A moving average as long as the clip leaves little but its mean.
    assert (np.abs(clips).max(axis=2) > 1e-5).all()
    assert (np.abs(clips[:, 0] - clips[:, 1]).max(axis=1) > 1e-4).all()


def test_any_augmentation_makes_its_copies(recordings):
    """Four pitches of each recording, twice: all of them are spoof, and stay with it."""
    data = speech(augmentation="pitch-shift", copies=2)
    index = data.index(recordings)
    assert index.labels.tolist() == [0, *[1] * 8] * 6
    clips = data.waveforms(recordings, 16000).reshape(6, 9, -1)
    np.testing.assert_array_equal(clips[:, 1:5], clips[:, 5:])  # it draws nothing
    assert len({clip.tobytes() for clip in clips[0]}) == 5


def test_without_a_registry_it_asks_for_the_augmentation(recordings):
    with pytest.raises(TypeError, match="give its augmentation's Ref a component"):
        SpoofedSpeech(path="speech").index(recordings)
    limiter = Ref(Kind.AUGMENTATION, "spoof", component=Spoof(transformations=("limiter",)))
    clips = SpoofedSpeech(path="speech", seconds=0.25, augmentation=limiter).waveforms(recordings, 16000)
    assert np.abs(clips[1]).max() > np.abs(clips[0]).max() / 0.8 - 1e-6
