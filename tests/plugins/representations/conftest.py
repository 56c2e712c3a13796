"""Real clips, read once a rate."""

from functools import cache

import pytest

from sounds import real_clips


@pytest.fixture(scope="session")
def clips(real_audio):
    """Reads one ESC-10 clip of each class at a rate: float32 `[10, 5 * rate]`."""
    return cache(lambda rate: real_clips(real_audio, rate)[0])
