"""Real clips, read once a rate."""

from functools import cache

import pytest
import torch

from sounds import real_clips


@pytest.fixture(scope="session")
def clips(real_audio):
    """Reads one ESC-10 clip of each class at a rate: float32 `[10, 5 * rate]`."""
    return cache(lambda rate: real_clips(real_audio, rate)[0])


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors on many threads spend their time waiting for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
