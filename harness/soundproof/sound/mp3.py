"""MP3 by libsndfile, which brings LAME and mpg123."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""Sampling rates that MPEG-1, -2 and -2.5 layer III know, Hz."""

# Of LAME, 576 samples, and of every decoder, 529; files of low bitrates have no room for the tag that tells of it.
_DELAY = 1105
# libsndfile counts from the best bitrate, 0, to the worst, 1, and refuses exactly 1.
_WORST = 0.999


def bitrates(rate: int) -> tuple[float, float]:
    """Lowest and highest bitrate at a sampling rate of the standard, kbit/s."""
    if rate >= 32000:
        return 32.0, 320.0
    return (8.0, 160.0) if rate >= 16000 else (8.0, 64.0)


def encode_mp3(waveform: npt.NDArray[np.float32], rate: int, bitrate: float) -> bytes:
    """A waveform as an MP3 file of constant bitrate.

    LAME lowers the level by 0.45 dB.

    Args:
        waveform: `[T]` in [-1, 1].
        rate: Sampling rate, Hz; one that MP3 does not know becomes the next higher one.
        bitrate: kbit/s; the nearest that there is.

    Returns:
        The same bytes every time.
    """
    import soundfile
    import soxr

    coded = _known(rate)
    low, high = bitrates(coded)
    level = (high - min(max(bitrate, low), high)) / (high - low)
    file = io.BytesIO()
    soundfile.write(
        file,
        waveform if coded == rate else soxr.resample(waveform, rate, coded, quality="HQ"),
        coded,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=min(level, _WORST),
    )
    return file.getvalue()


def decode_mp3(content: bytes, rate: int, samples: int) -> npt.NDArray[np.float32]:
    """So many samples at a rate of what `encode_mp3` made of a waveform at that rate, without the delay."""
    import soundfile
    import soxr

    coded = _known(rate)
    decoded, _ = soundfile.read(io.BytesIO(content), dtype="float32")
    if len(decoded) > round(samples * coded / rate) + 1:
        decoded = decoded[_DELAY:]
    heard = decoded if coded == rate else soxr.resample(decoded, coded, rate, quality="HQ")
    found = np.zeros(samples, np.float32)
    found[: len(heard)] = heard[:samples]
    return found


def _known(rate: int) -> int:
    return min((known for known in RATES if known >= rate), default=RATES[-1])
