"""MP3 at every rate and bitrate of the standard: size, time and content."""

import numpy as np
import pytest

from soundproof.sound.mp3 import RATES, bitrates, decode_mp3, encode_mp3


def tone(rate, seconds):
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(seconds * rate) / rate)).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("share", [0.2, 0.6, 1.0])
def test_files_have_the_bitrate_that_was_asked_for(rate, share):
    low, high = bitrates(rate)
    asked = low + share * (high - low)
    # Neighbouring bitrates of the standard are at most 64 kbit/s apart, and 8 below 64.
    found = 8 * len(encode_mp3(tone(rate, 10), rate, asked)) / 10_000
    assert found == pytest.approx(asked, rel=0.12, abs=4)


@pytest.mark.parametrize("rate", [8000, 16384, 22050, 44100])
@pytest.mark.parametrize("bitrate", [16, 64])
def test_what_is_decoded_is_what_was_encoded_at_its_time(rate, bitrate):
    """LAME lowers the level to 0.95."""
    sent = tone(rate, 2)
    arrived = decode_mp3(encode_mp3(sent, rate, bitrate), rate, len(sent))
    assert len(arrived) == len(sent)
    middle = slice(2000, -2000)
    missed = arrived[middle] - 0.95 * sent[middle]
    assert np.linalg.norm(missed) < 0.05 * np.linalg.norm(sent[middle])


def test_the_same_sound_gives_the_same_bytes():
    assert encode_mp3(tone(16000, 1), 16000, 64) == encode_mp3(tone(16000, 1), 16000, 64)
