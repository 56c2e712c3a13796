"""Loudness and zero crossings against librosa."""

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from soundproof_representations import RMSZCR
from soundproof_representations._loudness import Loudness
from sounds import difference, sounds


def theirs(clip, frame=1024, hop=512):
    rms = librosa.feature.rms(y=clip, frame_length=frame, hop_length=hop)[0]
    crossings = librosa.feature.zero_crossing_rate(clip, frame_length=frame, hop_length=hop)[0]
    return np.stack([rms, crossings])


def test_real_clips_agree_with_librosa(clips):
    waveforms = clips(22050)
    module = RMSZCR().fit(waveforms)
    for frames, numbers, clip in zip(
        module.transform(waveforms), module(waveforms), waveforms.numpy(), strict=True
    ):
        rms, crossings = theirs(clip)
        assert difference(frames[0], rms) <= 1e-4
        assert difference(frames[1], crossings) <= 1e-4
        assert difference(numbers, [rms.mean(), rms.std(), crossings.mean(), crossings.std()]) <= 1e-4


@settings(max_examples=60, deadline=None)
@given(sounds(63, 64, 65, 127, 1000))
def test_generated_clips_agree_with_librosa(clip):
    ours = Loudness(64, 32).transform(torch.from_numpy(clip)[None])[0]
    for row, each in zip(ours, theirs(clip, 64, 32), strict=True):
        assert difference(row, each) <= 1e-4


def test_a_square_wave_crosses_zero_twice_a_period():
    wave = torch.sign(torch.sin(2 * torch.pi * 50.25 / 1000 * torch.arange(20000) + 0.1))[None]
    mean_rms, deviation, mean_crossings, _ = RMSZCR().fit(wave)(wave)[0]
    assert mean_rms == pytest.approx(1, abs=0.02)
    assert deviation < 0.1
    assert mean_crossings == pytest.approx(2 * 50.25 / 1000, abs=0.005)
