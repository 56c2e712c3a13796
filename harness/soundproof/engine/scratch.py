"""The folder of entries that are still being written, and the sweep of those whose writer is gone."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import time
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A process of this machine that is gone writes no more; its number may be another's by now, hence an age. Whether
# one of another machine, or of another container, lives cannot be seen: nobody writes one entry for a day.
GONE, ABANDONED = 3600.0, 86400.0
_NAME = re.compile(r".*-(?P<host>[^-]*)-(?P<process>[0-9]+)-[0-9a-f]{8}")


def part_name(name: str) -> str:
    """A name for an unfinished entry that nobody else takes and that tells who writes it."""
    return f"{name}-{_host()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def sweep(folder: Path, now: float | None = None) -> None:
    """Remove unfinished entries of dead writers.

    Args:
        folder: Holds unfinished entries; it need not exist. What cannot be looked at or removed stays.
        now: The time, s since the epoch; the clock's by default.
    """
    with contextlib.suppress(OSError):
        for part in list(folder.iterdir()):
            if _abandoned(part, time.time() if now is None else now):
                shutil.rmtree(part, ignore_errors=True)


def is_gone(name: str) -> bool:
    """Whether a name was given by a process of this machine that runs no more; of others that cannot be told."""
    found = _NAME.fullmatch(name)
    return found is not None and found["host"] == _host() and not _lives(int(found["process"]))


def _abandoned(part: Path, now: float) -> bool:
    age = now - max(_changes(part), default=now)
    return age > ABANDONED or (age > GONE and is_gone(part.name))


def _changes(part: Path) -> Iterator[float]:
    """Times at which the entry and its files last changed, s since the epoch."""
    with contextlib.suppress(OSError):
        yield part.stat().st_mtime
        for file in part.iterdir():
            yield file.stat().st_mtime


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9.]", "_", platform.node())[:64]
