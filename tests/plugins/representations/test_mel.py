"""The mel spectrogram against librosa, and back."""

import librosa
import pytest
import torch
from hypothesis import given, settings

from soundproof_representations import Mel
from soundproof_representations._spectral import MelPower, STFTPower
from sounds import difference, sound, sounds


@pytest.mark.parametrize("parameters", [{}, {"sr": 16000, "fmax": 8000.0}, {"scale": "htk", "n_mels": 64}])
def test_real_clips_agree_with_librosa(clips, parameters):
    mel = Mel(**parameters)
    waveforms = clips(mel.rate)
    ours = mel.fit(waveforms).transform(waveforms)
    options = {"n_mels": mel.n_mels, "fmax": mel.fmax, "htk": mel.scale == "htk"}
    for row, clip in zip(ours, waveforms.numpy(), strict=True):
        assert difference(row, librosa.feature.melspectrogram(y=clip, sr=mel.rate, **options)) <= 1e-4


@pytest.mark.filterwarnings("ignore:n_fft")
@settings(max_examples=40, deadline=None)
@given(sounds(255, 256, 257, 1023))
def test_generated_clips_agree_with_librosa(clip):
    ours = MelPower(STFTPower(256, 64), sr=8000, n_mels=16)(torch.from_numpy(clip)[None])[0]
    theirs = librosa.feature.melspectrogram(y=clip, sr=8000, n_fft=256, hop_length=64, n_mels=16)
    assert difference(ours, theirs) <= 1e-4


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [({"fmin": 5000.0, "fmax": 4000.0}, "fmin"), ({"fmax": 12000.0}, "fmax"), ({"hop": 4096}, "hop")],
)
def test_impossible_parameters_are_refused(parameters, complaint):
    with pytest.raises(ValueError, match=complaint):
        Mel(**parameters)


def test_bands_without_a_bin_are_refused():
    with pytest.raises(ValueError, match="of 128 mel bands hold no point of an FFT of 256"):
        Mel(n_fft=256, hop=64).fit(torch.zeros(1, 4096))


def test_inverse_finds_a_spectrum_with_the_wanted_bands():
    start, wanted = (torch.from_numpy(sound("noise", 8000, seed))[None].double() for seed in (1, 2))
    mel = MelPower(STFTPower(512, 128), sr=8000, n_mels=40).double()
    power = mel.spectrum(mel(wanted), mel.stft(start))
    assert power.min() >= 0
    assert difference(mel.bank @ power, mel(wanted)) < 0.01
    unheard = mel.bank.sum(0) == 0
    assert torch.equal(power[:, unheard], mel.stft(start)[:, unheard])


def test_its_own_bands_give_a_clip_back():
    clip = torch.from_numpy(sound("noise", 8000))[None].double()
    mel = MelPower(STFTPower(512, 128), sr=8000, n_mels=40).double()
    assert difference(mel.inverse(mel(clip), clip), clip) < 1e-6
