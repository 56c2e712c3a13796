import hashlib
from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from soundproof.data import audio
from soundproof.errors import DataError
from soundproof.types import ClipIndex

RATE = 8000


def noise(samples=RATE, channels=None, seed=0):
    shape = samples if channels is None else (samples, channels)
    return np.random.default_rng(seed).uniform(-0.5, 0.5, shape).astype(np.float32)


def write(path, samples=None, rate=RATE, **kwargs):
    soundfile.write(path, noise() if samples is None else samples, rate, **kwargs)
    return path


def cut(path, keep):
    """Keep so many bytes of a file, or this share of them."""
    content = path.read_bytes()
    path.write_bytes(content[: keep if isinstance(keep, int) else int(keep * len(content))])
    return path


def floats(path, value):
    samples = noise()
    samples[17] = value
    return write(path, samples, subtype="FLOAT")


# What can be wrong with a file, how it comes about, and what the message must say.
HEADER_FAULTS = {
    "missing.wav": (lambda path: path, "missing; restore it"),
    "folder.wav": (lambda path: path.mkdir(), "missing; restore it"),
    "no-bytes.wav": (lambda path: path.write_bytes(b""), "empty (0 bytes)"),
    "no-samples.wav": (lambda path: write(path, np.zeros(0)), "empty (0 samples)"),
    "no-samples.ogg": (lambda path: write(path, np.zeros(0)), "empty (0 samples)"),
    "page-of-html.wav": (
        lambda path: path.write_text("<html>404</html>"),
        "not decodable (Format not recognised)",
    ),
    "half.wav": (lambda path: cut(write(path), 0.5), "truncated: its header promises 16044 bytes, it has 8022"),
    "half-big-endian.wav": (
        lambda path: cut(write(path, endian="BIG"), 0.5),
        "truncated: its header promises 16044",
    ),
    "half.ogg": (lambda path: cut(write(path), 0.5), "truncated: its last Ogg page does not end the stream"),
    "head.ogg": (lambda path: cut(write(path), 20), "truncated: its last Ogg page does not end the stream"),
    "rate.flac": (lambda path: write(path, rate=16000), "its rate is 16000 Hz, not 8000 Hz"),
}
CONTENT_FAULTS = {
    "half.flac": (lambda path: cut(write(path), 0.5), "truncated or damaged (Error : flac decoder lost sync)"),
    "nan.wav": (lambda path: floats(path, np.nan), "1 of 8000 samples are NaN or infinite"),
    "infinite.wav": (lambda path: floats(path, -np.inf), "1 of 8000 samples are NaN or infinite"),
    "integers.wav": (lambda path: floats(path, 12000), "its samples reach 1.2e+04, not [-1, 1]"),
}


def lay_out(folder, faults):
    """A folder with every fault, good files between them."""
    for name, (make, _) in faults.items():
        make(folder / name)
    good = [write(folder / f"good-{number}.wav") for number in range(3)]
    bad = [folder / name for name in faults]
    return [good[0], *bad[: len(bad) // 2], good[1], *bad[len(bad) // 2 :], good[2]]


def expect(problems, folder, faults):
    """One line a bad file, in the order of the files, naming it, its fault and a remedy."""
    assert len(problems) == len(faults)
    for problem, (name, (_, words)) in zip(problems, faults.items(), strict=True):
        assert problem.startswith(f"{folder / name}: ")
        assert words in problem
        assert "; " in problem
        assert "\n" not in problem


def test_hashes_names_every_file_whose_header_or_size_is_wrong(tmp_path):
    files = lay_out(tmp_path, HEADER_FAULTS)
    with pytest.raises(DataError) as caught:
        audio.hashes(files, expected_rate=RATE)
    expect(caught.value.problems, tmp_path, HEADER_FAULTS)


def test_read_names_every_file_that_is_wrong_in_any_way(tmp_path):
    faults = HEADER_FAULTS | CONTENT_FAULTS
    files = lay_out(tmp_path, faults)
    with pytest.raises(DataError) as caught:
        audio.read(files, RATE, 100, expected_rate=RATE)
    expect(caught.value.problems, tmp_path, faults)


def test_a_file_that_may_not_be_opened_is_named_with_the_rest(tmp_path, monkeypatch):
    locked, good = write(tmp_path / "locked.wav"), write(tmp_path / "good.wav")
    opened = Path.open

    def refuse(path, *args, **kwargs):
        if path == locked:
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError) as caught:
        audio.hashes([locked, good])
    assert caught.value.problems == (f"{locked}: Permission denied; make it readable",)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
@pytest.mark.parametrize("share", [0.999, 0.9, 0.5, 0.1, 0.01])
def test_a_file_cut_anywhere_is_never_read(tmp_path, suffix, share):
    # Seconds long, so that no format holds it in one block.
    path = cut(write(tmp_path / f"clip.{suffix}", noise(40000)), share)
    with pytest.raises(DataError, match=r"truncated|not decodable"):
        audio.read([path], RATE, RATE)


@pytest.mark.parametrize("declared", [0, 0xFFFFFFFF])
def test_wav_files_of_streaming_writers_are_read(tmp_path, declared):
    path = write(tmp_path / "stream.wav")
    content = bytearray(path.read_bytes())
    content[4:8] = declared.to_bytes(4, "little")
    path.write_bytes(content)
    assert audio.read([path], RATE, RATE).any()


def test_a_missing_pad_byte_and_trailing_bytes_are_no_truncation(tmp_path):
    content = write(tmp_path / "pad.wav", noise(101), subtype="PCM_U8").read_bytes()
    assert len(content) % 2 == 0
    (tmp_path / "pad.wav").write_bytes(content[:-1])
    (tmp_path / "trailing.wav").write_bytes(write(tmp_path / "trailing.wav").read_bytes() + b"note from an editor")
    assert audio.read([tmp_path / "pad.wav", tmp_path / "trailing.wav"], RATE, 100).any(axis=1).all()


@pytest.mark.parametrize(("suffix", "tolerance"), [("wav", 2**-15), ("flac", 2**-15), ("ogg", 0.2)])
def test_channels_are_averaged_and_clips_cut_or_padded(tmp_path, suffix, tolerance):
    stereo = np.repeat(np.sin(np.arange(RATE) / 20)[:, None], 2, axis=1) * [0.5, 0.1]
    path = write(tmp_path / f"stereo.{suffix}", stereo)
    (short,) = audio.read([path], RATE, 500)
    (long,) = audio.read([path], RATE, RATE + 500)
    assert np.abs(short - stereo.mean(axis=1)[:500]).max() <= tolerance
    assert (long[:500] == short).all()
    assert not long[RATE:].any()
    assert long.dtype == np.float32


def test_files_of_several_rates_come_out_as_librosa_resamples_them(tmp_path):
    rates = {"a.wav": 8000, "b.wav": 11025, "c.wav": 44100, "d.wav": 16000}
    sounds = {name: noise(rate, seed=rate) for name, rate in rates.items()}
    files = [write(tmp_path / name, sounds[name], rate, subtype="FLOAT") for name, rate in rates.items()]
    read = audio.read(files, 16000, 16000)
    for clip, (name, rate) in zip(read, rates.items(), strict=True):
        expected = librosa.resample(sounds[name], orig_sr=rate, target_sr=16000, res_type="soxr_hq")
        assert np.abs(clip - expected[:16000]).max() <= 1e-6


def test_overshoots_are_clipped(tmp_path):
    path = write(tmp_path / "loud.wav", np.array([0.5, 1.5, -1.25, 1.0]), subtype="FLOAT")
    assert audio.read([path], RATE, 4).tolist() == [[0.5, 1.0, -1.0, 1.0]]


@settings(deadline=None, max_examples=25)
@given(rate=st.sampled_from([8000, 11025, 22050, 44100]), samples=st.integers(1, 3000), clips=st.integers(0, 3))
def test_generated_clips_are_resampled_like_files(tmp_path_factory, rate, samples, clips):
    folder = tmp_path_factory.mktemp("clips")
    waveforms = np.stack([noise(2000, seed=seed) for seed in range(clips)]) if clips else noise((0, 2000))
    files = [write(folder / f"{row}.wav", wave, 16000, subtype="FLOAT") for row, wave in enumerate(waveforms)]
    expected = audio.read(files, rate, samples)
    assert expected.shape == (clips, samples)
    assert (audio.resample(waveforms, 16000, rate, samples) == expected).all()


def test_hashes_are_sha256_in_the_order_of_the_files(tmp_path):
    files = [write(tmp_path / f"{row}.wav", noise(seed=row)) for row in range(20)]
    expected = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    assert audio.hashes(files) == expected
    assert audio.hashes(files[::-1]) == expected[::-1]
    assert audio.hashes([]) == []


def test_the_checksum_depends_on_everything_but_the_old_checksum():
    index = ClipIndex(("a", "b"), np.array([0, 1]), np.array([0, 1]), np.array([1, 2]), ("x", "y"), "")
    content = {"a": "0f", "b": "1f"}
    changed = [
        replace(index, names=("a", "c")),
        replace(index, labels=np.array([1, 0])),
        replace(index, groups=np.array([0, 0])),
        replace(index, folds=np.array([2, 1])),
        replace(index, folds=None),
        replace(index, classes=("x", "z")),
    ]
    checksums = [audio.checksum(content, index), *(audio.checksum(content, other) for other in changed)]
    checksums.append(audio.checksum({"a": "0f", "b": "2f"}, index))
    assert len(set(checksums)) == len(checksums)
    assert audio.checksum(content, replace(index, checksum="old")) == checksums[0]


def test_whoever_watches_hears_of_every_file_once_and_only_inside(tmp_path):
    files = [write(tmp_path / f"{row}.wav") for row in range(5)]
    heard = []
    with audio.watched(lambda done, total: heard.append((done, total))):
        audio.hashes(files)
        with pytest.raises(DataError):
            audio.read([*files, tmp_path / "none.wav"], RATE, 100)
    audio.hashes(files)
    assert heard == [(row, 5) for row in range(1, 6)] + [(row, 6) for row in range(1, 7)]
