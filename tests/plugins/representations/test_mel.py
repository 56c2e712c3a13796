"""The mel spectrogram against librosa, and back."""

import librosa
import pytest
import torch
from hypothesis import given, settings
from sounds import difference, sound, sounds

from soundproof_representations import Mel
from soundproof_representations._spectral import MelPower, STFTPower


@pytest.mark.parametrize("parameters", [{}, {"sr": 16000, "fmax": 8000.0}, {"scale": "htk", "n_mels": 64}])
def test_real_clips_agree_with_librosa(clips, parameters):
    mel = Mel(**parameters)
    waveforms = clips(mel.rate)
    ours = mel.fit(waveforms).transform(waveforms)
    options = {"n_mels": mel.n_mels, "fmax": mel.fmax, "htk": mel.scale == "htk"}
    for row, clip in zip(ours, waveforms.numpy(), strict=True):
        assert difference(row, librosa.feature.melspectrogram(y=clip, sr=mel.rate, **options)) <= 1e-4


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
    reference, wanted = (torch.from_numpy(sound("noise", 8000, seed))[None].double() for seed in (1, 2))
    mel = MelPower(STFTPower(512, 128), sr=8000, n_mels=40).double()
    back = mel(mel.inverse(mel(wanted), reference))
    # The phase of the reference does not fit, which is what remains.
    assert (back - mel(wanted)).norm() < 0.35 * (mel(reference) - mel(wanted)).norm()
    assert difference(mel.inverse(mel(reference), reference), reference) < 1e-6
