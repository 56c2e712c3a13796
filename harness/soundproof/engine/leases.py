"""Leases: what running jobs need of a cache, so that nobody takes it away from under them.

A run writes the digests of everything that it may read into a file of its own below `leases/`, before it looks at
what is there, and removes the file when it ends. Both that and the removal of entries happen under one lock: a run
sees what is left, or its lease is seen. The lease of a run that was killed counts no longer: once the process is
gone, or, where that cannot be seen, a day after its last sign of life.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Self

from soundproof.engine.entries import LEASES
from soundproof.engine.scratch import is_gone, part_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# Seconds without a sign of life after which a run elsewhere is taken for dead, and between two signs.
DEAD, SIGN = 86400.0, 60.0


class Lease:
    """The lease of one run. Use it as a context, around everything that looks at the cache.

    A cache that cannot be written gives none: nobody can remove anything from it either.

    Attributes:
        path: The file.
    """

    def __init__(self, root: Path, needed: Iterable[str]) -> None:
        self.path = root / LEASES / part_name("run")
        self._root = root
        self._needed = needed
        self._signed = 0.0

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with locked(self._root):
                self.path.write_text("\n".join(self._needed), "ascii")
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.path.unlink()

    def sign(self) -> None:
        """Show that the run lives; call it as often as you like."""
        now = time.monotonic()
        if now - self._signed > SIGN:
            self._signed = now
            with contextlib.suppress(OSError):
                os.utime(self.path)


def needed(root: Path, now: float | None = None) -> set[str]:
    """Digests of the entries that running jobs need; leases of the dead are removed.

    Args:
        root: The store's folder.
        now: The time, s since the epoch; the clock's by default.
    """
    found: set[str] = set()
    with contextlib.suppress(OSError):
        for path in sorted((root / LEASES).iterdir()):
            with contextlib.suppress(OSError):
                age = (time.time() if now is None else now) - path.stat().st_mtime
                if is_gone(path.name) or age > DEAD:
                    path.unlink()
                else:
                    found |= set(path.read_text("ascii", "replace").split())
    return found


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """Within this block nobody else holds the lock of a cache; waits for it. Systems without locks have none."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with (root / LEASES / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
