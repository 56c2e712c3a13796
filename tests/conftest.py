"""What tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_audio() -> Path:
    """The folder of real sound, or a skip."""
    folder = os.environ.get("SOUNDPROOF_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("SOUNDPROOF_DATA names no folder with real audio")
    return Path(folder)
