"""MFCC against librosa, and its scaling by the training part."""

import tomllib

import librosa
import pytest
import scipy.fft
import torch
from hypothesis import given, settings

from soundproof import Kind, PluginError, Ref
from soundproof.contract.discovery import discover
from soundproof_representations import MFCC
from soundproof_representations._spectral import Cepstrum, MelPower, STFTPower
from sounds import difference, sound, sounds


@pytest.mark.parametrize("sr", [8000, 16000, 22050, 24000])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"n_mfcc": 13, "lifter": 6.5},
        {"n_mfcc": 40, "norm": "none", "lifter": 100.0},
        {"dct_type": 3, "norm": "none"},
    ],
)
def test_real_clips_agree_with_librosa(clips, sr, parameters):
    mfcc = MFCC(sr=sr, **parameters)
    waveforms = clips(sr)[:4]
    ours = mfcc.fit(waveforms).transform(waveforms)
    options = {
        "n_mfcc": mfcc.n_mfcc,
        "norm": None if mfcc.norm == "none" else "ortho",
        "dct_type": mfcc.dct_type,
        "lifter": mfcc.lifter,
    }
    for row, clip in zip(ours, waveforms.numpy(), strict=True):
        theirs = librosa.feature.mfcc(y=clip, sr=sr, hop_length=1024, **options)
        assert difference(row, theirs) <= 1e-4


def test_no_norm_is_written_as_a_word():
    with_norm, without = (
        discover().build(Ref(Kind.REPRESENTATION, "mfcc", tomllib.loads(f"norm = '{norm}'")))
        for norm in ("ortho", "none")
    )
    assert (with_norm, without) == (MFCC(), MFCC(norm="none"))
    with pytest.raises(PluginError, match=r"mfcc\.norm"):
        discover().build(Ref(Kind.REPRESENTATION, "mfcc", {"norm": None}))


@pytest.mark.filterwarnings("ignore:n_fft")
@settings(max_examples=40, deadline=None)
@given(sounds(255, 256, 257, 1023))
def test_generated_clips_agree_with_librosa(clip):
    mel = MelPower(STFTPower(256, 64), sr=8000, n_mels=16)
    ours = Cepstrum(mel, n_mfcc=13, dct_type=2, norm="ortho", lifter=0)(torch.from_numpy(clip)[None])[0]
    theirs = librosa.feature.mfcc(y=clip, sr=8000, n_mfcc=13, n_fft=256, hop_length=64, n_mels=16)
    assert difference(ours, theirs) <= 1e-4


def test_type_3_without_norm_is_the_sum_it_is_defined_as():
    mel = MelPower(STFTPower(256, 64), sr=8000, n_mels=16)
    basis = Cepstrum(mel, n_mfcc=5, dct_type=3, norm="none", lifter=0).basis
    bands = torch.rand(16)
    angle = torch.pi * (2 * torch.arange(5)[:, None] + 1) * torch.arange(1, 16) / 32
    assert torch.allclose(basis @ bands, bands[0] + 2 * (bands[1:] * angle.cos()).sum(1), atol=1e-5)
    assert difference(basis @ bands, scipy.fft.dct(bands.numpy(), type=3)[:5]) < 1e-5


@pytest.mark.parametrize("scaling", ["all", "coefficient"])
def test_the_training_range_becomes_the_box_and_the_rest_is_clipped(scaling):
    training = torch.stack([torch.from_numpy(sound("noise", 8000, seed)) for seed in range(5)])
    module = MFCC(sr=8000, n_mels=40, scaling=scaling).fit(training)
    scaled = module.scale(module.transform(training))
    assert scaled.min() == 0
    assert scaled.max() == 1
    if scaling == "coefficient":
        assert torch.equal(scaled.amax((0, 2)), torch.ones(20))
    louder = module.scale(module.transform(torch.from_numpy(sound("clipping", 8000))[None]))
    assert 0 <= louder.min() <= louder.max() <= 1


def test_the_scale_is_the_training_clips_and_nobody_elses():
    clips = torch.stack([torch.from_numpy(sound(kind, 8000)) for kind in ("noise", "tone", "clipping")])
    module = MFCC(sr=8000, n_mels=40, scaling="all").fit(clips[:1])
    assert module.scale.high == module.transform(clips[:1]).max()
    assert module.scale.high != module.transform(clips).max()


def test_more_coefficients_than_bands_are_refused():
    with pytest.raises(ValueError, match=r"n_mfcc 129 is more than the 128 mel bands \(n_mels\)"):
        MFCC(n_mfcc=129)
