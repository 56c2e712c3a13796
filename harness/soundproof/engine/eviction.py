"""Eviction: makes room in a cache, least recently used entries first, and never what a running job needs."""

from __future__ import annotations

import math
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from soundproof.engine.entries import DAMAGED, LEASES, UNFINISHED, entries
from soundproof.engine.leases import locked, needed
from soundproof.engine.scratch import part_name, sweep
from soundproof.errors import SoundproofError

if TYPE_CHECKING:
    from pathlib import Path

    from soundproof.engine.entries import Entry

# The environment's variable that holds the limit of every cache.
LIMIT = "SOUNDPROOF_CACHE_LIMIT"
_UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


@dataclass(frozen=True)
class Evicted:
    """What was removed, or would be.

    Attributes:
        removed: Entries.
        freed: Bytes of them, and of damaged entries that had been set aside.
        kept: Bytes of the entries that stay.
        needed: Bytes among these that running jobs need.
    """

    removed: tuple[Entry, ...]
    freed: int
    kept: int
    needed: int


def evict(root: Path, limit: float, *, unused_since: float = 0.0, dry: bool = False) -> Evicted:
    """Remove entries until a cache is within its limit.

    What nobody has used since some time goes in any case; then go those that were not used for longest. Damaged
    entries that were set aside and unfinished ones of dead writers go, too.

    Args:
        root: The store's folder.
        limit: Bytes that entries may take; infinite for no limit.
        unused_since: Time before which an entry is too old, s since the epoch.
        dry: Only say what would be removed.

    Raises:
        OSError: The folder cannot be written.
    """
    if not root.is_dir():
        return Evicted((), 0, 0, 0)
    (root / LEASES).mkdir(exist_ok=True)
    with locked(root):
        leased = needed(root)
        there = [(entry.used, entry.bytes, entry) for entry in entries(root)]
        total = sum(size for _, size, _ in there)
        held = sum(size for _, size, entry in there if entry.digest in leased)
        removed: list[Entry] = []
        freed = 0
        for used, size, entry in sorted(there, key=lambda each: (each[0], each[2].digest)):
            if entry.digest not in leased and (used < unused_since or total - freed > limit):
                freed += size
                removed.append(entry)
                if not dry:
                    _remove(root, entry)
        aside = _bytes(root / DAMAGED)
        if not dry:
            shutil.rmtree(root / DAMAGED, ignore_errors=True)
            sweep(root / UNFINISHED)
    return Evicted(tuple(removed), freed + aside, total - freed, held)


def limit_of(text: str | None) -> float:
    """Bytes of a size such as `500MB`, `20GB` or `1.5TB`; infinite for None.

    Raises:
        SoundproofError: It is no size.
    """
    if text is None:
        return math.inf
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)B?\s*", text.upper())
    if found is None:
        raise SoundproofError(f"{text!r} is no size: write e.g. 500MB or 20GB")
    return float(found[1]) * _UNITS[found[2]]


def _remove(root: Path, entry: Entry) -> None:
    """Take an entry away in one step: whoever reads it meanwhile sees all of it or nothing."""
    target = root / UNFINISHED / part_name("evicted")
    target.parent.mkdir(exist_ok=True)
    entry.folder.rename(target)
    shutil.rmtree(target, ignore_errors=True)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
