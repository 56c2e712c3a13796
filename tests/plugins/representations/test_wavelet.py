"""Scalograms against PyWavelets and against the definitions, and back."""

import numpy as np
import pytest
import pywt
import torch
from hypothesis import given, settings
from scipy.signal import fftconvolve
from scipy.special import erf

from soundproof_representations import Haar, MexicanHat, Morlet
from soundproof_representations._mothers import morlet
from soundproof_representations._scalogram import Scalogram
from sounds import KINDS, difference, sound, sounds

pytestmark = pytest.mark.slow

# `pywt.cwt` looks wavelets up in a table of 2^precision points; its default of 12 is far from the integral
# (docs/representations.md), 22 is next to it.
PRECISION = 22
PYWT = {Morlet: f"cmor2.0-{6 / (2 * np.pi)!r}", MexicanHat: "mexh"}


def scales(representation, count):
    frequencies = np.geomspace(60, representation.sr / 2, count)
    return representation.mother().frequency * representation.sr / frequencies


def frames(coefficients, hop):
    """Mean magnitude of frames of two hops, by a bare loop."""
    starts = range(0, coefficients.shape[-1] - 2 * hop + 1, hop)
    return np.stack([np.abs(coefficients[:, start : start + 2 * hop]).mean(1) for start in starts], 1)


def antiderivative(kind, time):
    """Of the conjugate wavelet, in closed form."""
    if kind is MexicanHat:
        return 2 / (np.sqrt(3) * np.pi**0.25) * time * np.exp(-(time**2) / 2)
    return np.exp(-18) / 2 * erf((time + 6j) / np.sqrt(2))


def by_definition(kind, clip, scale):
    """s^(-1/2) ∫ a ψ*((u - t) / s) du with the clip held constant over each sample, aligned as `pywt.cwt`."""
    length = int(16 * scale)
    taps = np.sqrt(scale) * np.diff(antiderivative(kind, -8 + np.arange(length + 1) / scale))
    beyond = np.pad(clip.astype(np.float64), (length // 2, length - length // 2 - 1))
    return fftconvolve(beyond, taps[::-1], "valid")


@pytest.mark.parametrize("kind", [Morlet, MexicanHat])
@pytest.mark.parametrize("sr", [8000, 16000])
def test_real_clips_agree_with_the_definition(clips, kind, sr):
    representation = kind(sr=sr, size=(32, 64))
    waveforms = clips(sr)[:: sr // 4000]
    ours = representation.fit(waveforms).transform(waveforms)
    for row, clip in zip(ours, waveforms.numpy(), strict=True):
        theirs = np.stack([by_definition(kind, clip, scale) for scale in scales(representation, 32)])
        assert difference(row, frames(theirs, representation.hop)) <= 1e-4


@pytest.mark.parametrize("kind", [Morlet, MexicanHat])
def test_real_clips_agree_with_pywavelets(clips, kind):
    representation = kind(size=(32, 64))
    waveforms = clips(8000)[3::4]
    ours = representation.fit(waveforms).transform(waveforms)
    theirs, _ = pywt.cwt(
        waveforms.double().numpy(), scales(representation, 32), PYWT[kind], method="fft", precision=PRECISION
    )
    for clip, row in enumerate(ours):
        assert difference(row, frames(theirs[:, clip], representation.hop)) <= 1e-4


@pytest.mark.parametrize("kind", [Morlet, MexicanHat])
@settings(max_examples=40, deadline=None)
@given(clip=sounds(99, 100, 149, 400, 1001))
def test_generated_clips_agree_with_the_definition_at_every_sample(kind, clip):
    representation = kind(sr=2000, size=(8, 8))
    module = representation.fit(torch.zeros(1, max(100, len(clip))))
    ours = module.transform.coefficients(torch.from_numpy(clip)[None])[0]
    theirs = np.stack([by_definition(kind, clip, scale) for scale in scales(representation, 8)])
    assert difference(ours, theirs) <= 1e-4


@pytest.mark.parametrize("kind", [Morlet, MexicanHat])
@pytest.mark.parametrize("name", KINDS)
def test_generated_clips_are_what_pywavelets_tends_to(kind, name):
    clip = sound(name, 400).astype(np.float64)
    grid = scales(kind(sr=2000), 8)
    ours = np.stack([by_definition(kind, clip, scale) for scale in grid])
    theirs = [pywt.cwt(clip, grid, PYWT[kind], precision=precision)[0] for precision in (12, 16, 20)]
    errors = [difference(ours, each) for each in theirs]
    assert errors[2] <= errors[1] / 4 <= errors[0] / 16


def haar_by_definition(clip, scale):
    """s^(-1/2) (∫ over the first half - ∫ over the second half) of the clip held constant over each sample."""
    beyond = np.pad(clip.astype(np.float64), (0, int(scale) + 2))
    integral = np.concatenate([[0], np.cumsum(beyond)])
    time = np.arange(len(clip))
    start, middle, end = (
        np.interp(time + part * scale, np.arange(len(integral)), integral) for part in (0, 0.5, 1)
    )
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


BANK = [morlet().filter(scale) for scale in np.geomspace(127, 2, 48)]


@pytest.mark.parametrize("samples", [400, 599, 4000])
@pytest.mark.parametrize("name", KINDS)
def test_blocks_and_coarse_scales_change_nothing(samples, name):
    clip = torch.from_numpy(sound(name, samples))[None]
    module = Scalogram(BANK, parts=2, hop=200, samples=samples)
    assert {band.every for band in module.bands} == {1, 2, 4}
    assert difference(module(clip)[0], frames(module.coefficients(clip)[0].numpy(), 200)) <= 1e-4


@pytest.mark.parametrize("hop", [120, 160, 199, 551])
def test_any_hop_is_made_of_whole_grains(hop):
    clip = torch.from_numpy(sound("noise", 5000))[None]
    module = Scalogram(BANK[::4], parts=2, hop=hop, samples=5000)
    assert hop % module.grain == 0
    assert difference(module(clip)[0], frames(module.coefficients(clip)[0].numpy(), hop)) <= 1e-4


@pytest.mark.parametrize("apart", [0.5, 1.0, 1.8, 2.2, 2.6, 3.0])
@pytest.mark.parametrize("scale", [30.0, 57.0, 113.0])
def test_beating_tones_are_the_worst_for_coarse_scales_and_agree(scale, apart):
    time = torch.arange(20000, dtype=torch.float64)
    pair = sum(torch.sin((6 + sign * apart / 2) / scale * time + scale) for sign in (-1, 1))[None]
    module = Scalogram(BANK, parts=2, hop=200, samples=20000).double()
    assert difference(module(pair)[0], frames(module.coefficients(pair)[0].numpy(), 200)) <= 1e-4


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
    log, linear, real = (Morlet(magnitude=name, size=(16, 19)).fit(clip) for name in ("log", "linear", "log_real"))
    assert torch.allclose(10 ** (4 * (log(clip) - 1)), linear(clip), atol=1e-4)
    coefficients = log.transform.coefficients(clip)[0]
    assert difference(real.transform(clip)[0], frames(coefficients.real.numpy(), 200)) <= 1e-4


def test_a_clip_shorter_than_a_frame_is_skipped_with_the_remedy():
    reason = (
        "a frame of 50.0 ms (400 samples) is longer than the clip of 399 samples; use a frame of at most 49.75 ms"
    )
    assert Morlet().reason_to_skip(399) == f"dwt-morlet: {reason}"
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
