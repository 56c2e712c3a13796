"""What tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from browser import chromium, visit

__all__ = ["chromium", "real_audio", "visit"]

# A slow example is no failure: machines that run the tests are shared.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")


@pytest.fixture(scope="session")
def real_audio() -> Path:
    """The folder of real sound, or a skip."""
    folder = os.environ.get("SOUNDPROOF_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("SOUNDPROOF_DATA names no folder with real audio")
    return Path(folder)
