"""Scalograms against PyWavelets and against the definitions, and back."""

import numpy as np
import pytest
import pywt
import torch
from hypothesis import given, settings
from sounds import difference, sound, sounds

from soundproof_representations import Haar, MexicanHat, Morlet
from soundproof_representations._mothers import mother
from soundproof_representations._scalogram import Scalogram

# `pywt.cwt` looks wavelets up in a table of 2^precision points; its default of 12 is far from the integral
# (docs/representations.md), 20 is next to it.
PRECISION = 20
PYWT = {Morlet: f"cmor2.0-{6 / (2 * np.pi)!r}", MexicanHat: "mexh"}


def scales(representation, count):
    frequencies = np.geomspace(60, representation.sr / 2, count)
    return mother(representation.mother).frequency * representation.sr / frequencies


def frames(coefficients, hop):
    """Mean magnitude of frames of two hops, by a bare loop."""
    starts = range(0, coefficients.shape[-1] - 2 * hop + 1, hop)
    return np.stack([np.abs(coefficients[:, start : start + 2 * hop]).mean(1) for start in starts], 1)


@pytest.mark.parametrize("sr", [8000, 16000])
@pytest.mark.parametrize("kind", [Morlet, MexicanHat])
def test_real_clips_agree_with_pywavelets(clips, kind, sr):
    representation = kind(sr=sr, size=(24, 64))
    waveforms = clips(sr)[::4]
    ours = representation.fit(waveforms).transform(waveforms)
    for row, clip in zip(ours, waveforms.numpy(), strict=True):
        theirs, _ = pywt.cwt(clip, scales(representation, 24), PYWT[kind], method="fft", precision=PRECISION)
        assert difference(row, frames(theirs, representation.hop)) <= 1e-4


@pytest.mark.parametrize("kind", [Morlet, MexicanHat])
@settings(max_examples=15, deadline=None)
@given(clip=sounds(99, 100, 149, 400, 1001))
def test_generated_clips_agree_with_pywavelets_at_every_sample(kind, clip):
    representation = kind(sr=2000, size=(8, 8))
    module = representation.fit(torch.zeros(1, max(100, len(clip))))
    ours = module.transform.coefficients(torch.from_numpy(clip)[None])[0]
    theirs, _ = pywt.cwt(clip, scales(representation, 8), PYWT[kind], precision=PRECISION)
    assert difference(ours, theirs) <= 1e-4


def haar_by_definition(clip, scale):
    """s^(-1/2) (∫ over the first half - ∫ over the second half) of the clip held constant over each sample."""
    beyond = np.pad(clip.astype(np.float64), (0, int(scale) + 2))
    integral = np.concatenate([[0], np.cumsum(beyond)])
    time = np.arange(len(clip))
    start, middle, end = (np.interp(time + part * scale, np.arange(len(integral)), integral) for part in (0, 0.5, 1))
    return (2 * middle - start - end) / np.sqrt(scale)


def test_haar_on_real_clips_is_its_definition(clips):
    representation = Haar()
    waveforms = clips(8000)[::3]
    module = representation.fit(waveforms)
    for ours, clip in zip(module.transform(waveforms), waveforms.numpy(), strict=True):
        theirs = np.stack([haar_by_definition(clip, scale) for scale in scales(representation, 128)])
        assert difference(ours, frames(theirs, 200)) <= 1e-4


@settings(max_examples=30, deadline=None)
@given(sounds(99, 100, 149, 400, 1001))
def test_haar_on_generated_clips_is_its_definition(clip):
    representation = Haar(sr=2000, size=(8, 8))
    module = representation.fit(torch.zeros(1, max(100, len(clip))))
    ours = module.transform.coefficients(torch.from_numpy(clip)[None])[0]
    theirs = np.stack([haar_by_definition(clip, scale) for scale in scales(representation, 8)])
    assert difference(ours, theirs) <= 1e-4


@settings(max_examples=20, deadline=None)
@given(sounds(399, 400, 401, 999, 4000))
def test_blocks_and_coarse_scales_change_nothing(clip):
    # 1000 samples at the lowest scale and a frame of 400: the lowest rows are taken at every 4th sample.
    filters = [mother("morlet").filter(scale) for scale in np.geomspace(120, 2, 12)]
    module = Scalogram(filters, parts=2, hop=200, samples=len(clip))
    waveform = torch.from_numpy(clip)[None]
    if len(clip) >= 400:
        every_sample = frames(module.coefficients(waveform)[0].numpy(), 200)
        assert difference(module(waveform)[0], every_sample) <= 1e-4
    assert {band.every for band in module.bands} == {1, 2, 4}


def test_tones_that_beat_are_the_worst_case_and_still_agree():
    filters = [mother("morlet").filter(scale) for scale in (104.0, 60.0, 52.0, 26.0)]
    module = Scalogram(filters, parts=2, hop=200, samples=40000)
    time = torch.arange(40000)
    for scale in (104.0, 52.0):
        for apart in (0.2, 0.5, 1.0, 2.0):
            pair = sum(torch.sin((6 + sign * apart / 2) / scale * time) for sign in (-1, 1))[None]
            every_sample = frames(module.coefficients(pair.float())[0].numpy(), 200)
            assert difference(module(pair.float())[0], every_sample) <= 1e-4


@pytest.mark.parametrize("kind", [Morlet, MexicanHat, Haar])
@pytest.mark.parametrize("frequency", [100.0, 500.0, 2000.0])
def test_a_tone_is_brightest_in_the_row_of_its_frequency(kind, frequency):
    tone = torch.sin(2 * torch.pi * frequency / 8000 * torch.arange(8000))[None]
    picture = kind().fit(tone)(tone)[0, 0]
    rows = np.geomspace(60, 4000, 128)
    brightest = rows[picture[:, 10:-10].mean(1).argmax()]
    # W is weighted by s^(1/2), which moves the maximum of a broad wavelet towards long scales.
    assert brightest == pytest.approx(frequency, rel=0.05 if kind is Morlet else 0.3)


def test_frames_are_half_overlapping_50_ms():
    assert Morlet(sr=8000).fit(torch.zeros(1, 40000)).transform(torch.zeros(1, 40000)).shape == (1, 128, 199)
    assert Morlet(sr=16000).hop == 400
    assert Morlet(sr=8000).fit(torch.zeros(1, 32000)).transform(torch.zeros(1, 32000)).shape == (1, 128, 159)


def test_magnitudes_are_offered_in_decibels_linear_and_of_the_real_part():
    clip = torch.from_numpy(sound("noise", 4000))[None]
    log, linear, real = (
        Morlet(magnitude=name, size=(16, 19)).fit(clip) for name in ("log", "linear", "log_real")
    )
    assert torch.allclose(10 ** (4 * (log(clip) - 1)), linear(clip), atol=1e-4)
    coefficients = log.transform.coefficients(clip)[0]
    assert difference(real.transform(clip)[0], frames(coefficients.real.numpy(), 200)) <= 1e-4


def test_a_clip_shorter_than_a_frame_is_skipped_with_the_remedy():
    assert "longer than the clip of 399 samples" in Morlet().reason_to_skip(399)
    assert Morlet().reason_to_skip(400) is None


def test_a_frame_without_two_samples_is_refused():
    with pytest.raises(ValueError, match="shorter than two samples"):
        Morlet(sr=1000, frame=0.5)


@pytest.mark.parametrize("kind", [Morlet, MexicanHat, Haar])
def test_coefficients_give_a_band_limited_clip_back(kind):
    time = torch.arange(8000)
    envelope = torch.hann_window(8000)
    clip = envelope * sum(torch.sin(2 * torch.pi * f / 8000 * time + f) for f in (150.0, 440.0, 1000.0, 3000.0))
    transform = kind(size=(64, 64)).fit(clip[None]).transform
    back = transform.synthesise(transform.coefficients(clip[None]))
    assert difference(back[0], clip) < 1e-3
