"""The STFT against librosa, and back."""

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from soundproof_representations import STFT
from soundproof_representations._spectral import STFTPower
from sounds import difference, sound, sounds


def librosa_power(clip, n_fft, hop, window=None):
    return np.abs(librosa.stft(clip, n_fft=n_fft, hop_length=hop, win_length=window, pad_mode="constant")) ** 2


@pytest.mark.parametrize("parameters", [{}, {"n_fft": 1024}, {"n_fft": 512, "window_scale": 0.75}, {"hop": 100}])
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
    [({"n_fft": 64, "window_scale": 0.01}, "window"), ({"n_fft": 512, "hop": 513}, "hop 513")],
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
