"""Loudness against the figures of the standard."""

import numpy as np
import pytest

from soundproof.sound.loudness import loudness


def sine(frequency, level, rate, seconds=3.0):
    return 10 ** (level / 20) * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


@pytest.mark.parametrize("rate", [16000, 22050, 48000])
@pytest.mark.parametrize("level", [0, -20, -36])
def test_a_sine_of_997_hz_in_one_channel_has_its_level_less_3_01(level, rate):
    """ITU-R BS.1770-4, Annex 1: 0 dB FS at 997 Hz in one channel reads -3.01."""
    assert loudness(sine(997, level, rate)[None], rate)[0] == pytest.approx(level - 3.01, abs=0.1)


def test_silence_and_clips_shorter_than_a_block_have_none():
    found = loudness(np.stack([np.zeros(16000), sine(997, -20, 16000, 1.0)]), 16000)
    assert np.isnan(found[0])
    assert np.isfinite(found[1])
    assert np.isnan(loudness(sine(997, 0, 16000, 0.3)[None], 16000)).all()
