"""Entries of a store as they lie on disk, without the run that made them: what they are, and whether they are whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from soundproof.digest import canonical, digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANIFEST, ARRAYS = "manifest.json", "arrays.safetensors"
# Folders of a store that hold no entries.
UNFINISHED, DAMAGED, LEASES = "tmp", "quarantine", "leases"
_DIGEST = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Entry:
    """An entry of a store.

    Attributes:
        stage: The step that made it.
        digest: Its name.
        folder: Where it lies.
    """

    stage: str
    digest: str
    folder: Path

    @property
    def bytes(self) -> int:
        """What it takes on disk; 0 of one that is gone."""
        with contextlib.suppress(OSError):
            return sum(file.stat().st_size for file in self.folder.iterdir())
        return 0

    @property
    def used(self) -> float:
        """When it was last made or read, s since the epoch; 0 of one that is gone."""
        with contextlib.suppress(OSError):
            return (self.folder / MANIFEST).stat().st_mtime
        return 0.0

    def manifest(self) -> dict[str, Any] | None:
        """Its manifest, or None if that cannot be read."""
        try:
            found = json.loads((self.folder / MANIFEST).read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None


def entries(root: Path) -> Iterator[Entry]:
    """All entries below a store's folder, stage by stage, whole or not."""
    for stage in _folders(root):
        if stage.name not in {UNFINISHED, DAMAGED, LEASES}:
            for beginning in _folders(stage):
                for folder in _folders(beginning):
                    if _DIGEST.fullmatch(folder.name):
                        yield Entry(stage.name, folder.name, folder)


def use(folder: Path) -> None:
    """Note that an entry was read, where the disk allows it: what was not read for longest makes room first."""
    with contextlib.suppress(OSError):
        os.utime(folder / MANIFEST)


def flaw(entry: Entry) -> str | None:
    """What is wrong with an entry, every byte of it read, or None."""
    try:
        manifest = json.loads((entry.folder / MANIFEST).read_text("utf-8"))
        stage, parts = manifest["stage"], canonical(manifest["key"])
        if digest([stage, parts]) != entry.digest or stage != entry.stage:
            return "its key is another entry's"
        if manifest["record_digest"] != digest(manifest["record"]):
            return "its record is not what was written"
        content = (entry.folder / ARRAYS).read_bytes()
        if len(content) != manifest["arrays"]["size"]:
            return f"its arrays have {len(content)} bytes and had {manifest['arrays']['size']}"
        if hashlib.sha256(content).hexdigest() != manifest["arrays"]["sha256"]:
            return "its arrays are not what was written"
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return "its manifest is damaged"
    return None


def _folders(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    return []
