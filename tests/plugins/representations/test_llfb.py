"""The log-linear filter bank against a bare loop, its derivatives against librosa."""

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from soundproof_representations import HPSS, LLFB
from soundproof_representations._linear_bank import Delta, LinearBank
from sounds import difference, sound, sounds


def by_definition(clip, filters=40):
    """ln of triangles times |FFT|² / 512 of 25 ms Hamming frames every 10 ms, zeros as float64's epsilon."""
    frames = [clip[start : start + 400] * np.hamming(400) for start in range(0, len(clip) - 399, 160)]
    power = np.abs(np.fft.rfft(np.array(frames, dtype=np.float64), 512)) ** 2 / 512
    bins = np.arange(257) * 16000 / 512
    edges = np.linspace(0, 8000, filters + 2)
    bank = np.stack([np.interp(bins, edges[i : i + 3], [0, 1, 0]) for i in range(filters)])
    energies = bank @ power.T
    return np.log(np.where(energies == 0, np.finfo(float).eps, energies))


def test_real_clips_are_the_definition(clips):
    waveforms = clips(16000)
    (ours,) = LLFB().fit(waveforms).transform(waveforms)
    for row, clip in zip(ours, waveforms.numpy(), strict=True):
        assert difference(row, np.maximum(by_definition(clip), np.log(np.finfo(float).eps))) <= 1e-4


@settings(max_examples=40, deadline=None)
@given(sounds(400, 559, 560, 2000))
def test_generated_clips_are_the_definition(clip):
    # In double precision: the logarithm shows what single leaves of quiet bands beside loud ones.
    ours = LinearBank(40, 16000).double()(torch.from_numpy(clip)[None].double())[0]
    theirs = np.maximum(by_definition(clip), np.log(np.finfo(float).eps))
    assert difference(ours, theirs) <= 1e-4


def test_silence_is_the_logarithm_of_epsilon():
    assert LinearBank(40, 16000)(torch.zeros(1, 2000)).unique().item() == pytest.approx(-36.043655, abs=1e-5)


@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_agree_with_librosa(order):
    values = torch.randn(2, 40, 60, generator=torch.Generator().manual_seed(0))
    along_time = librosa.feature.delta(values.numpy(), width=9, order=order, axis=-1)
    along_filters = librosa.feature.delta(values.numpy(), width=9, order=order, axis=-2)
    assert difference(Delta(order)(values), along_time) <= 1e-4
    assert difference(Delta(order, -2)(values), along_filters) <= 1e-4


def test_derivatives_are_the_given_weights():
    values = torch.randn(1, 1, 9, generator=torch.Generator().manual_seed(0))[0, 0]
    first = sum(k * (values[4 + k] - values[4 - k]) for k in range(1, 5)) / 60
    second = values @ torch.tensor([28.0, 7, -8, -17, -20, -17, -8, 7, 28]) / 462
    assert Delta(1)(values[None, None])[0, 0, 4] == pytest.approx(first.item(), abs=1e-5)
    assert Delta(2)(values[None, None])[0, 0, 4] == pytest.approx(second.item(), abs=1e-5)


@pytest.mark.parametrize(("deltas", "channels"), [("none", 1), ("delta", 1), ("delta-delta", 1), ("all", 3)])
def test_channels_are_the_chosen_orders(deltas, channels):
    clips = torch.stack([torch.from_numpy(sound("noise", 8000, seed)) for seed in range(3)])
    representation = LLFB(deltas=deltas)
    pictures = representation.fit(clips)(clips)
    assert pictures.shape == (3, *representation.shape(8000)) == (3, channels, 128, 128)


@pytest.mark.parametrize("scaling", ["all", "channel"])
def test_the_training_range_becomes_the_box(scaling):
    clips = torch.stack([torch.from_numpy(sound("noise", 8000, seed)) for seed in range(5)])
    module = LLFB(deltas="all", scaling=scaling).fit(clips)
    scaled = [scale(values) for scale, values in zip(module.scales, module.transform(clips), strict=True)]
    full = [(values.min() == 0 and values.max() == 1).item() for values in scaled]
    assert full == [True] * 3 if scaling == "channel" else full != [True] * 3
    assert min(values.min() for values in scaled) == 0
    assert max(values.max() for values in scaled) == 1


def test_fewer_than_nine_frames_are_skipped_and_fewer_than_nine_filters_refused():
    assert "longer than the clip of 1679 samples" in LLFB().reason_to_skip(1679)
    assert LLFB(deltas="all").fit(torch.zeros(1, 1680))(torch.zeros(1, 1680)).shape == (1, 3, 128, 128)
    with pytest.raises(ValueError, match="8 filters needs at least 9"):
        LLFB(deltas="delta", axis="filters", n_filters=8)


def picture_of(clip, low, high, size):
    """Of a whole recording: energies by their definition, scaled, resized by torch."""
    scaled = torch.from_numpy((by_definition(clip) - low) / (high - low))[None, None]
    return torch.nn.functional.interpolate(scaled, size, mode="bilinear", antialias=True)[0, 0].clamp(0, 1)


def test_recordings_without_their_padding_fill_the_width():
    recordings = [sound("noise", samples, samples) for samples in (2000, 3111, 8000)]
    padded = torch.stack([torch.from_numpy(np.pad(clip, (0, 8000 - len(clip)))) for clip in recordings])
    pictures = LLFB(padding="removed", size=(40, 32)).fit(padded)(padded)
    energies = np.concatenate([by_definition(clip).ravel() for clip in recordings])
    for picture, clip in zip(pictures, recordings, strict=True):
        assert difference(picture[0], picture_of(clip, energies.min(), energies.max(), (40, 32))) <= 1e-3


def test_the_range_is_that_of_sound_not_of_padding():
    padded = torch.zeros(1, 8000)
    padded[0, :3000] = torch.from_numpy(sound("noise", 3000))
    assert LLFB(padding="removed").fit(padded).scales[0].low > -30
    assert LLFB().fit(padded).scales[0].low == pytest.approx(-36.04, abs=0.01)


@pytest.mark.parametrize("representation", [LLFB(padding="removed", deltas="all"), HPSS(padding="removed")])
def test_silence_and_short_recordings_are_pictures_too(representation):
    padded = torch.zeros(3, 8000)
    padded[1, 10] = 0.5
    padded[2] = torch.from_numpy(sound("noise", 8000))
    pictures = representation.fit(padded)(padded)
    assert torch.isfinite(pictures).all()
    assert pictures.shape == (3, 3, 128, 128)
