"""The STFT against librosa, and back."""

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from soundproof import Kind, Ref
from soundproof.contract.discovery import discover
from soundproof_representations import STFT
from soundproof_representations._spectral import STFTPower
from sounds import difference, sound, sounds


def librosa_power(clip, n_fft, hop, window=None):
    return np.abs(librosa.stft(clip, n_fft=n_fft, hop_length=hop, win_length=window, pad_mode="constant")) ** 2


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"n_fft": 1024},
        {"n_fft": 512, "window_scale": 0.75},
        {"hop": 100},
        # arXiv 2007.13703, Fig. 4 as printed: the hop stays 512 whatever the window.
        {"n_fft": 1024, "window_scale": 0.25, "hop": 512},
        {"n_fft": 512, "window_scale": 0.5, "hop": 512},
    ],
)
def test_real_clips_agree_with_librosa(clips, parameters):
    representation = STFT(**parameters)
    waveforms = clips(representation.rate)
    ours = representation.fit(waveforms).transform(waveforms)
    for row, clip in zip(ours, waveforms.numpy(), strict=True):
        theirs = librosa_power(clip, representation.n_fft, representation.step, representation.window)
        assert difference(row, theirs) <= 1e-4


@pytest.mark.filterwarnings("ignore:n_fft")
@settings(max_examples=60, deadline=None)
@given(sounds(63, 64, 65, 255, 1000), st.sampled_from([16, 64]), st.sampled_from([0.25, 0.5, 1.0]))
def test_generated_clips_agree_with_librosa(clip, n_fft, scale):
    window = round(scale * n_fft)
    ours = STFTPower(n_fft, max(1, window // 2), window)(torch.from_numpy(clip)[None])[0]
    assert difference(ours, librosa_power(clip, n_fft, max(1, window // 2), window)) <= 1e-4


def test_hop_defaults_to_half_a_window_and_at_most_512():
    assert STFT(n_fft=2048).step == 512
    assert STFT(n_fft=512).step == 256
    assert STFT(n_fft=2048, window_scale=0.25).step == 256


def test_a_hop_above_the_window_leaves_samples_unseen():
    """Frame by frame: a Hann window of 16 samples in the middle of 64, every 100 samples."""
    clip = sound("noise", 1000)
    ours = (
        STFT(n_fft=64, window_scale=0.25, hop=100)
        .fit(torch.zeros(1, 1000))
        .transform(torch.from_numpy(clip)[None])
    )
    padded = np.pad(clip.astype(np.float64), 32)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(16) / 16)
    frames = [np.fft.rfft(np.pad(padded[at + 24 : at + 40] * hann, 24)) for at in range(0, 1001, 100)]
    assert difference(ours[0], np.abs(np.array(frames).T) ** 2) <= 1e-5


@pytest.mark.parametrize(("hop", "invertible"), [(256, True), (257, False), (600, False)])
def test_only_windows_that_overlap_by_half_give_sound_back(hop, invertible):
    clip = torch.from_numpy(sound("noise", 4000))[None]
    module = STFT(n_fft=512, hop=hop, size=(257, 1 + 4000 // hop)).fit(clip)
    assert hasattr(module, "inverse") is invertible
    if invertible:
        assert difference(module.inverse(module(clip), clip), clip) < 1e-3


@pytest.mark.parametrize("samples", [1000, 1024, 1025, 16384])
def test_end_padded_frames_begin_at_multiples_of_the_hop(samples):
    """As `tf.signal.stft(clip, 256, 128, pad_end=True)`: ⌈T / hop⌉ frames, zeros after the last sample."""
    clip = sound("noise", samples)
    framed = STFT(n_fft=256, hop=128, framing="end-padded", values="real").fit(torch.zeros(1, samples))
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(256) / 256)
    padded = np.pad(clip.astype(np.float64), (0, 256))
    expected = [np.fft.rfft(padded[at : at + 256] * hann).real for at in range(0, samples, 128)]
    assert difference(framed.transform(torch.from_numpy(clip)[None])[0], np.array(expected).T) <= 1e-5


def digits(values):
    clip = sound("noise", 16384)
    module = discover().build(Ref(Kind.REPRESENTATION, "stft", STFT.presets[values])).fit(torch.zeros(1, 16384))
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(256) / 256)
    padded = np.pad(clip.astype(np.float64), (0, 128))
    frames = np.array([np.fft.rfft(padded[at : at + 256] * hann) for at in range(0, 16384, 128)])
    return module(torch.from_numpy(clip)[None])[0, 0], frames.T, hann.sum()


def test_the_digit_network_s_real_part_keeps_every_value():
    picture, spectrum, largest = digits("004")
    assert picture.shape == (129, 128)
    assert difference(picture, (spectrum.real / largest + 1) / 2) <= 1e-6


def test_the_digit_network_s_log_magnitude_keeps_every_value():
    picture, spectrum, largest = digits("004-log")
    assert picture.shape == (129, 128)
    assert difference(picture, np.log1p(np.abs(spectrum)) / np.log1p(largest)) <= 1e-5


@pytest.mark.parametrize("values", ["log1p", "real"])
def test_no_clip_exceeds_the_fixed_scale(values):
    """A constant and an alternation of full scale have the largest |X| there is, at the lowest and highest row."""
    loudest = torch.stack([torch.ones(512), (-1.0) ** torch.arange(512), -torch.ones(512)])
    module = STFT(n_fft=64, hop=32, values=values, framing="end-padded", size=(33, 16)).fit(loudest)
    scaled = module.scale(module.transform(loudest))
    assert scaled.max().item() == pytest.approx(1, abs=1e-5)
    assert scaled.min().item() == pytest.approx(0, abs=2e-3 if values == "log1p" else 1e-5)


def test_log_magnitudes_give_sound_back():
    clip = torch.from_numpy(sound("noise", 4000))[None].double()
    module = STFT(n_fft=512, values="log1p", size=(257, 16)).fit(clip.float()).double()
    assert difference(module.inverse(module(clip), clip), clip) < 1e-6


def test_pictures_are_decibels_below_the_maximum():
    tone = torch.from_numpy(sound("tone", 22050))[None]
    module = STFT(n_fft=512, size=(257, 87)).fit(tone)
    levels = librosa.power_to_db(librosa_power(tone[0].numpy(), 512, 256), ref=np.max, top_db=80)
    assert difference(module(tone)[0, 0], levels / 80 + 1) <= 1e-4


@pytest.mark.parametrize("frequency", [100.0, 1000.0, 9000.0])
def test_low_frequencies_are_in_low_rows(frequency):
    tone = torch.sin(2 * torch.pi * frequency / 22050 * torch.arange(22050))[None]
    brightest = STFT().fit(tone)(tone)[0, 0].mean(1).argmax().item()
    assert brightest == pytest.approx(frequency / 11025 * 128, abs=1)


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [({"n_fft": 64, "window_scale": 0.01}, "leaves a window of 1 sample")],
)
def test_impossible_parameters_are_refused(parameters, complaint):
    with pytest.raises(ValueError, match=complaint):
        STFT(**parameters)


def test_a_clip_shorter_than_the_transform_is_skipped_with_the_remedy():
    reason = STFT(n_fft=2048).reason_to_skip(2047)
    assert reason == "stft: n_fft 2048 is longer than the clip of 2047 samples; use at most 2046"
    with pytest.raises(ValueError, match="n_fft 2048 is longer"):
        STFT(n_fft=2048).fit(torch.zeros(3, 2047))
    assert STFT(n_fft=2048).reason_to_skip(2048) is None


def test_another_length_than_fitted_is_refused():
    module = STFT().fit(torch.zeros(1, 4096))
    with pytest.raises(ValueError, match="clips of 4096 samples, not 4097"):
        module(torch.zeros(1, 4097))


def test_power_and_phase_give_the_clip_back():
    clip = torch.from_numpy(sound("noise", 5000))[None].double()
    stft = STFTPower(512, 128).double()
    assert difference(stft.inverse(stft(clip), clip), clip) < 1e-6
