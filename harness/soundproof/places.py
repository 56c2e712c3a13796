"""Where data and the cache lie, unless the user says otherwise."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder(given: str | Path | None = None) -> Path:
    """The data folder: as given, or `SOUNDPROOF_DATA`, or `data` here."""
    return Path(given or os.environ.get("SOUNDPROOF_DATA") or "data").expanduser()


def cache_folder(given: str | Path | None = None) -> Path:
    """The cache: as given, or `SOUNDPROOF_CACHE`, or `.soundproof-cache` here."""
    return Path(given or os.environ.get("SOUNDPROOF_CACHE") or ".soundproof-cache").expanduser()
