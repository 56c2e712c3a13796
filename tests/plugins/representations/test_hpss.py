"""Harmonic-percussive separation against librosa."""

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from soundproof_representations import HPSS
from soundproof_representations._linear_bank import LinearBank
from soundproof_representations._separation import separate
from soundproof_representations._spectral import STFTPower
from sounds import difference, sound, sounds


def assert_separated_as_by_librosa(clips, n_fft, hop, margin):
    spectrum = STFTPower(n_fft, hop).spectrum(clips)
    ours = separate(spectrum, margin)
    for row, single in enumerate(spectrum.numpy()):
        theirs = librosa.decompose.hpss(single.T, margin=margin)
        for part, expected in zip(ours, theirs, strict=True):
            assert difference(part[row].T, expected) <= 1e-4


@pytest.mark.parametrize("margin", [1.0, 3.0])
def test_real_clips_agree_with_librosa(clips, margin):
    assert_separated_as_by_librosa(clips(16000)[::4, :48000], 2048, 512, margin)


@settings(max_examples=25, deadline=None)
@given(sounds(255, 256, 511, 2000), st.sampled_from([1.0, 3.0]))
def test_generated_clips_agree_with_librosa(clip, margin):
    assert_separated_as_by_librosa(torch.from_numpy(clip)[None], 256, 64, margin)


def test_separated_sound_agrees_with_librosa(clips):
    waveforms = clips(16000)[2:4, :32000]
    ours = HPSS().fit(waveforms).transform(waveforms)
    bank = LinearBank(40, 16000)
    for row, clip in enumerate(waveforms.numpy()):
        for channel, expected in zip(ours, (clip, *librosa.effects.hpss(clip)), strict=True):
            assert difference(channel[row], bank(torch.from_numpy(expected)[None])[0]) <= 1e-4


def test_a_tone_is_harmonic_and_a_click_percussive():
    clip = torch.from_numpy(0.1 * sound("tone", 32000))
    clip[16000] = 1.0
    stft = STFTPower(2048, 512)
    harmonic, percussive = (stft.synthesise(part, 32000)[0] for part in separate(stft.spectrum(clip[None])))
    assert percussive.abs().argmax() == 16000
    assert harmonic[4000:12000].norm() > 10 * percussive[4000:12000].norm()
    assert torch.allclose(harmonic + percussive, clip, atol=1e-5)


def emphasised_parts(clip, margin):
    emphasised = np.append(clip[:1], clip[1:] - 0.97 * clip[:-1])
    spectrum = librosa.stft(emphasised, n_fft=512, hop_length=160, win_length=400)
    return spectrum, *librosa.decompose.hpss(spectrum, margin=margin)


def test_spectra_are_decibels_of_whole_harmonic_and_percussive():
    clip = sound("noise", 8000)
    ours = HPSS(features="stft").fit(torch.from_numpy(clip)[None]).transform(torch.from_numpy(clip)[None])
    for channel, part in zip(ours, emphasised_parts(clip, 1.0), strict=True):
        assert difference(channel[0], librosa.amplitude_to_db(np.abs(part))) <= 1e-4


def test_bands_are_decibels_of_harmonic_percussive_and_residual():
    clip = sound("noise", 8000)
    ours = HPSS(features="power").fit(torch.from_numpy(clip)[None]).transform(torch.from_numpy(clip)[None])
    spectrum, harmonic, percussive = emphasised_parts(clip, 3.0)
    bins, edges = np.arange(257) * 31.25, np.linspace(0, 8000, 130)
    bank = np.stack([np.interp(bins, edges[i : i + 3], [0, 1, 0]) for i in range(128)])
    for channel, part in zip(ours, (harmonic, percussive, spectrum - harmonic - percussive), strict=True):
        assert difference(channel[0], librosa.power_to_db(bank @ np.abs(part) ** 2)) <= 1e-4


@pytest.mark.parametrize(("features", "last"), [("llfb", "percussive"), ("llfb-delta-delta", "derivative")])
def test_mixed_channels(features, last):
    clip = sound("noise", 8000)
    waveform = torch.from_numpy(clip)[None]
    energies, harmonic, third = HPSS(features=features).fit(waveform).transform(waveform)
    _, expected_harmonic, expected_percussive = emphasised_parts(clip, 1.0)
    expected_energies = LinearBank(40, 16000)(waveform)[0].numpy()
    assert difference(energies[0], expected_energies) == 0
    assert difference(harmonic[0], librosa.amplitude_to_db(np.abs(expected_harmonic))) <= 1e-4
    if last == "percussive":
        assert difference(third[0], librosa.amplitude_to_db(np.abs(expected_percussive))) <= 1e-4
    else:
        assert difference(third[0], librosa.feature.delta(expected_energies, order=2)) <= 1e-4


@pytest.mark.parametrize("features", ["decompose", "stft", "llfb", "llfb-delta-delta", "power"])
def test_every_choice_is_three_channels(features):
    clip = torch.from_numpy(sound("noise", 8000))[None]
    representation = HPSS(features=features, size=(32, 48))
    assert representation.fit(clip)(clip).shape[1:] == representation.shape(8000) == (3, 32, 48)
