"""Samples and mu-law codes."""

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from soundproof_representations import MuLaw, Waveform
from sounds import sound, sounds


@given(sounds(1, 2, 100))
def test_samples_fill_the_box_and_come_back(clip):
    waveform = torch.from_numpy(clip)[None]
    module = Waveform().fit(waveform)
    inputs = module(waveform)
    assert inputs.shape[1:] == Waveform().shape(len(clip)) == (1, len(clip))
    assert torch.equal(inputs[:, 0], (waveform + 1) / 2)
    assert torch.allclose(module.inverse(inputs, waveform), waveform, atol=1e-7)


@given(sounds(1, 2, 100))
def test_codes_agree_with_librosa(clip):
    waveform = torch.from_numpy(clip)[None]
    codes = (255 * MuLaw().fit(waveform)(waveform)[0, 0]).round()
    companded = librosa.mu_compress(clip.astype(np.float64), mu=255, quantize=False)
    expected = np.floor((companded + 1) / 2 * 255 + 0.5)
    # At a code's edge single precision may fall to either side.
    clear = np.abs((companded + 1) / 2 * 255 % 1 - 0.5) > 1e-3
    assert np.array_equal(codes.numpy()[clear], expected[clear])


@given(st.floats(-1, 1, width=32))
def test_codes_come_back_within_half_a_step(sample):
    waveform = torch.full((1, 1), sample)
    module = MuLaw().fit(waveform)
    back = module.inverse(module(waveform), waveform).item()
    assert abs(back - sample) <= (abs(sample) + 1 / 255) * (256 ** (1 / 255) - 1) + 1e-6


def test_the_given_gradient_is_that_of_companding():
    waveform = torch.from_numpy(sound("noise", 50))[None].double().requires_grad_()
    MuLaw().fit(waveform)(waveform).sum().backward()
    expected = 255 / (2 * np.log(256) * (1 + 255 * waveform.detach().abs()))
    assert torch.allclose(waveform.grad, expected)


@pytest.mark.parametrize("kind", [Waveform, MuLaw])
def test_clips_are_cut_or_padded_to_the_length_asked_for(kind):
    clip = torch.from_numpy(sound("noise", 100))[None]
    whole = kind().fit(clip)(clip)
    for length in (60, 100, 130):
        representation = kind(length=length)
        inputs = representation.fit(clip)(clip)
        assert inputs.shape[1:] == representation.shape(100) == (1, length)
        kept = min(length, 100)
        assert torch.equal(inputs[..., :kept], whole[..., :kept])
        assert torch.allclose(inputs[..., kept:], torch.tensor(0.5), atol=0.5 / 255)


def test_louder_than_full_scale_is_clipped():
    clip = torch.tensor([[-2.0, 2.0]])
    assert torch.equal(Waveform().fit(clip)(clip)[0, 0], torch.tensor([0.0, 1.0]))
    assert torch.equal(MuLaw().fit(clip)(clip)[0, 0], torch.tensor([0.0, 1.0]))
