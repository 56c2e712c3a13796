"""Signal-to-noise ratios against closed forms and a loop."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import get_window

from soundproof.sound.ratios import segmental_snr, snr
from sounds import sound

RATE = 8000


def tone(frequency, seconds=1.0, level=1.0):
    return level * torch.sin(2 * torch.pi * frequency * torch.arange(round(seconds * RATE)) / RATE)[None]


@given(st.floats(-20, 80))
def test_noise_of_a_given_level_has_that_ratio(decibels):
    clip = tone(440)
    noise = torch.from_numpy(sound("noise", RATE, 1))[None].double()
    noise *= clip.norm() / noise.norm() * 10 ** (-decibels / 20)
    assert snr(clip.double(), clip + noise).item() == pytest.approx(decibels, abs=1e-4)


def test_what_did_not_change_has_no_noise_and_silence_no_signal():
    clip, silence = tone(440), torch.zeros(1, RATE)
    assert snr(clip, clip).item() == math.inf
    assert snr(silence, clip).item() == -math.inf
    assert torch.isnan(segmental_snr(silence, clip, RATE)).all()


def looped(clean, changed):
    """The same by the book, one frame at a time."""
    length, ratios = round(0.03 * RATE), []
    window = get_window("hann", length + 2, fftbins=False)[1:-1]
    for start in range(0, len(clean) - length + 1, length // 4):
        part = slice(start, start + length)
        signal = np.sum((window * clean[part]) ** 2)
        noise = np.sum((window * (changed[part] - clean[part])) ** 2)
        if signal > 0:
            ratios.append(35.0 if noise == 0 else np.clip(10 * np.log10(signal / noise), -10, 35))
    return np.mean(ratios)


@pytest.mark.parametrize("seed", range(5))
def test_segments_agree_with_a_loop(seed):
    generator = np.random.default_rng(seed)
    clean = generator.normal(size=RATE) * np.repeat(generator.uniform(0, 1, 10) ** 4, RATE // 10)
    clean[: RATE // 5] = 0
    changed = clean + 0.01 * generator.normal(size=RATE) * (np.arange(RATE) > RATE // 2)
    ours = segmental_snr(torch.from_numpy(clean)[None], torch.from_numpy(changed)[None], RATE)
    assert ours.item() == pytest.approx(looped(clean, changed), abs=1e-4)


def test_a_change_in_a_quiet_passage_is_seen_by_segments_alone():
    clip = torch.cat([tone(440, 0.5), tone(440, 0.5, level=1e-3)], 1)
    noise = 1e-3 * torch.from_numpy(sound("noise", RATE, 2))[None]
    loud, quiet = clip + noise * (torch.arange(RATE) < RATE // 2), clip + noise * (torch.arange(RATE) >= RATE // 2)
    assert snr(clip, loud).item() == pytest.approx(snr(clip, quiet).item(), abs=0.5)
    assert segmental_snr(clip, loud, RATE) > segmental_snr(clip, quiet, RATE) + 10
