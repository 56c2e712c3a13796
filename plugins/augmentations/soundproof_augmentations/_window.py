"""The window of the phase vocoder."""

from __future__ import annotations

import math

# 2048 points at 22.05 kHz, librosa's default.
_SECONDS = 2048 / 22050


def window_points(rate: int, samples: int) -> int:
    """Points of the window for clips of so many samples at `rate` Hz.

    The power of two whose ratio to 93 ms is nearest to 1, so that the window has about the same length at every
    rate; none is longer than the clip.
    """
    return 1 << min(round(math.log2(_SECONDS * rate)), int(math.log2(samples)))
