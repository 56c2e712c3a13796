"""Canonical JSON, its digest and seeds drawn from it: what makes two things the same."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces; NaN and infinities are refused, since they equal nothing.

    Raises:
        ValueError: The value holds a number that JSON has no word for.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def digest(value: object) -> str:
    """The first 32 hexadecimal digits of the SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:32]


def seed_from(value: object) -> int:
    """A seed below 2⁶³ that depends on nothing but the value, so that no order of execution can change it."""
    return int(digest(value)[:16], 16) >> 1


def files_digest(root: Path, files: Iterable[Path]) -> str:
    """Digest of files, by their names below `root` and their content."""
    return digest({str(f.relative_to(root)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files})
