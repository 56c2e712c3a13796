"""The disk below the data folder: whether there is room, and its errors in one line."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from soundproof.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def need_space(folder: Path, size: int, purpose: str) -> None:
    """Raise DataError unless so many bytes are free where a folder is, or will be made."""
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < size:
        raise DataError(
            f"{folder}: {purpose} takes {size / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; make room, or name "
            "another data folder with --data"
        )


@contextmanager
def on_disk(folder: Path) -> Iterator[None]:
    """Within this block, an error of the disk becomes a DataError about the file, or about the folder."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{error.filename or folder}: {error.strerror or error}; make it writable and make room, or name "
            "another data folder with --data"
        ) from error
